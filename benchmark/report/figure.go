package report

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"

	xdraw "golang.org/x/image/draw"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/koopbench/koopbench/core"
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

// png draws the figure as a PNG file.
func (f figure) png() (_ []byte, err error) {
	defer core.Recover(&err)
	var b bytes.Buffer
	if err := png.Encode(&b, f.raster(f.dpi())); err != nil {
		return nil, fmt.Errorf("figure %s: %w", f.name, err)
	}
	return b.Bytes(), nil
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

// svg draws the figure as an SVG file. Text stays text: it names the fonts whose letters are as wide as Liberation Sans's
// for viewers that lack it.
func (f figure) svg() (_ []byte, err error) {
	defer core.Recover(&err)
	c := vgsvg.New(f.width, f.height)
	page := draw.New(c)
	page.SetColor(color.White)
	page.Fill(page.Path())
	f.draw(page)
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("figure %s: %w", f.name, err)
	}
	head, body, ok := strings.Cut(b.String(), ">\n<g ")
	if !ok {
		return nil, fmt.Errorf("%w: figure %s: the drawing is not SVG as expected", core.ErrPanic, f.name)
	}
	head = strings.Replace(head, "<svg ", `<svg style="image-rendering:pixelated;stroke-linejoin:round" role="img" `, 1)
	body = strings.NewReplacer(
		"font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;",
		"font-variant:normal;", "", "font-weight:normal;", "", "font-style:normal;", "",
		"data:image/jpg;base64,", "data:image/png;base64,", // the canvas embeds PNG under a wrong name
	).Replace(body)
	return []byte(head + ">\n<title>" + html.EscapeString(f.title) + "</title>\n<g " + body), nil
}
