package figure

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"path/filepath"
	"slices"

	xdraw "golang.org/x/image/draw"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
)

const (
	// resolution of PNG files in dots an inch.
	resolution = 200
	// maxDots bounds the memory of a PNG file, 4 bytes a dot; a larger figure has a lower resolution.
	maxDots = 8 << 20

	margin = vg.Length(8) // of white around a figure
)

// figure is a drawing of a given size.
type figure struct {
	name, title   string
	width, height vg.Length
	draw          func(draw.Canvas)
}

// dpi is the resolution of the PNG file.
func (f figure) dpi() int {
	area := float64(f.width/vg.Inch) * float64(f.height/vg.Inch)
	return min(resolution, max(1, int(math.Sqrt(maxDots/area))))
}

// Format is a kind of file that figures are written as: the ending of its name.
type Format string

// The formats of figures.
const (
	PNG Format = "png"
	SVG Format = "svg"
	PDF Format = "pdf"
)

// as draws the figure as a file.
func (f figure) as(format Format) (_ []byte, err error) {
	defer core.Recover(&err)
	switch format {
	case PNG:
		return pngOf(f.raster(f.dpi())), nil
	case SVG:
		return f.svg(), nil
	case PDF:
		return f.pdf()
	}
	return nil, fmt.Errorf("%w: figures have no format %q", core.ErrOption, format)
}

func (f figure) raster(dpi int) image.Image {
	c := dotCanvas{vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))}
	f.draw(draw.New(c))
	return c.Image()
}

// dotCanvas shows the pixels of images with sharp edges. Images must not be drawn under a transform.
type dotCanvas struct{ *vgimg.Canvas }

func (c dotCanvas) DrawImage(r vg.Rectangle, img image.Image) {
	dots := func(l vg.Length) int { return int(math.Round(l.Dots(c.DPI()))) }
	height := c.Image().Bounds().Dy()
	box := image.Rect(dots(r.Min.X), height-dots(r.Max.Y), dots(r.Max.X), height-dots(r.Min.Y))
	xdraw.NearestNeighbor.Scale(c.Image(), box, img, img.Bounds(), xdraw.Src, nil)
}

// paintOn draws the figure on paper.
func (f figure) paintOn(c vg.CanvasSizer) {
	on := draw.New(c)
	on.SetColor(paper)
	on.Fill(on.Path())
	f.draw(on)
}

// svg draws the figure as an SVG file.
func (f figure) svg() []byte {
	c := newSVG(f.width, f.height)
	f.paintOn(c)
	return c.file(f.title)
}

// Folder is the folder of the figures, within that of the results.
const Folder = "figures"

// Names returns the names of the figures of a task that [Drawer.Write] draws, without the ending of
// their format, in the order in which to show them.
func Names(t results.TaskInfo) []string {
	if t.InTime() {
		return slices.Concat([]string{scoreName(t)}, processSheets(t), []string{"eigenfunctions", "training"})
	}
	return []string{scoreName(t), "rollout", "eigenfunctions", "training", "sample"}
}

// scoreName is the name of the figure of scores.
func scoreName(t results.TaskInfo) string {
	if t.Judged() {
		return t.Measure.Name
	}
	return "score"
}

// Write draws all figures into a folder, in each of the formats.
func (d *Drawer) Write(folder string, formats []Format) error {
	for _, name := range Names(d.Results.Task) {
		files, err := d.render(name, formats)
		if err != nil {
			return fmt.Errorf("figure %s: %w", name, err)
		}
		if err := write(folder, name, files); err != nil {
			return err
		}
	}
	return nil
}

// write writes the files of a figure.
func write(folder, name string, files map[Format][]byte) error {
	for format, data := range files {
		if err := atomicfile.Write(filepath.Join(folder, name+"."+string(format)), data); err != nil {
			return err
		}
	}
	return nil
}

// render draws one figure in each of the formats.
func (d *Drawer) render(name string, formats []Format) (_ map[Format][]byte, err error) {
	defer core.Recover(&err)
	return d.figure(name).files(formats)
}

// files draws the figure in each of the formats.
func (f figure) files(formats []Format) (map[Format][]byte, error) {
	files := map[Format][]byte{}
	for _, format := range formats {
		var err error
		if files[format], err = f.as(format); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (d *Drawer) figure(name string) figure {
	switch name {
	case scoreName(d.Results.Task):
		return d.scoreFigure()
	case "rollout":
		return d.rolloutFigure()
	case "sample":
		return d.sampleFigure()
	}
	return d.sheet(name).figure()
}
