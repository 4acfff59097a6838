package figure

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"strings"
	"time"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"codeberg.org/go-pdf/fpdf"
	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// pdfCanvas writes what is drawn on it as a PDF file of one page. Text stays text, in fonts that are
// embedded.
type pdfCanvas struct {
	pen
	out *fpdf.Fpdf
}

var _ vg.CanvasSizer = (*pdfCanvas)(nil)

// pdfFont is the name of Liberation Sans in a file.
const pdfFont = "sans"

// newPDF returns a canvas of a size in points. The same drawing gives the same bytes.
func newPDF(width, height vg.Length, title string) *pdfCanvas {
	size := fpdf.SizeType{Wd: width.Points(), Ht: height.Points()}
	out := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: size})
	out.SetCatalogSort(true)
	out.SetCreationDate(time.Unix(0, 0).UTC())
	out.SetModificationDate(time.Unix(0, 0).UTC())
	out.SetTitle(basic(title), true)
	out.SetMargins(0, 0, 0)
	out.SetAutoPageBreak(false, 0)
	out.AddUTF8FontFromBytes(pdfFont, "", bytes.Clone(liberationsansregular.TTF))
	out.AddUTF8FontFromBytes(pdfFont, "B", bytes.Clone(liberationsansbold.TTF))
	out.AddPage()
	out.SetLineJoinStyle("round")
	c := &pdfCanvas{pen: pen{width: width, height: height}, out: out}
	vg.Initialize(c)
	return c
}

// file is the whole of the PDF file.
func (c *pdfCanvas) file() ([]byte, error) {
	var b bytes.Buffer
	err := c.out.Output(&b)
	return b.Bytes(), err
}

// Stroke strokes a path.
func (c *pdfCanvas) Stroke(path vg.Path) {
	if c.now.width <= 0 {
		return
	}
	r, g, b := c.paint()
	c.out.SetDrawColor(r, g, b)
	c.out.SetLineWidth(c.now.width.Points())
	dashes := make([]float64, len(c.now.dashes))
	for i, dash := range c.now.dashes {
		dashes[i] = dash.Points()
	}
	c.out.SetDashPattern(dashes, 0)
	c.path(path, "D")
}

// Fill fills a path. Discs of one radius become the dots of a line with round caps: where they overlap, they
// are painted once.
func (c *pdfCanvas) Fill(path vg.Path) {
	r, g, b := c.paint()
	if radius, ok := discs(path); ok {
		c.out.SetDrawColor(r, g, b)
		c.out.SetLineWidth(2 * radius.Points())
		c.out.SetDashPattern(nil, 0)
		c.out.SetLineCapStyle("round")
		for _, part := range path {
			if part.Type == vg.ArcComp {
				x, y := c.point(part.Pos)
				c.out.MoveTo(x, y)
				c.out.LineTo(x+.01, y) // some viewers draw no dot for a line without length
			}
		}
		c.out.DrawPath("D")
		c.out.SetLineCapStyle("butt")
		return
	}
	c.out.SetFillColor(r, g, b)
	c.path(path, "F")
}

// paint returns the colour, and sets its opacity.
func (c *pdfCanvas) paint() (r, g, b int) {
	p := paintOf(c.now.color)
	c.out.SetAlpha(float64(p.alpha)/0xff, "Normal")
	return int(p.light >> 16 & 0xff), int(p.light >> 8 & 0xff), int(p.light & 0xff)
}

// path draws a path, which has straight lines and whole circles alone.
func (c *pdfCanvas) path(path vg.Path, style string) {
	for _, part := range path {
		switch part.Type {
		case vg.MoveComp:
			c.out.MoveTo(c.point(part.Pos))
		case vg.LineComp:
			c.out.LineTo(c.point(part.Pos))
		case vg.ArcComp:
			x, y := c.point(part.Pos)
			radius := part.Radius.Points()
			c.out.MoveTo(x+radius, y)
			c.out.ArcTo(x, y, radius, radius, 0, 0, 360)
		case vg.CloseComp:
			c.out.ClosePath()
		default:
			panic("the only curves of a figure are circles")
		}
	}
	c.out.DrawPath(style)
}

// FillString writes text.
func (c *pdfCanvas) FillString(face font.Face, at vg.Point, line string) {
	weight := ""
	if face.Font.Weight == xfont.WeightBold {
		weight = "B"
	}
	r, g, b := c.paint()
	c.out.SetFont(pdfFont, weight, face.Font.Size.Points())
	c.out.SetTextColor(r, g, b)
	x, y := c.point(c.turned(at))
	c.out.TransformBegin()
	c.out.TransformRotate(c.now.turn*180/math.Pi, x, y)
	c.out.Text(x, y, basic(line))
	c.out.TransformEnd()
}

// basic replaces what is beyond U+FFFF, which fpdf cannot write.
func basic(text string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xffff {
			return '\ufffd'
		}
		return r
	}, text)
}

// DrawImage draws an image, which must not be turned. The image is a part of the page: fpdf stores
// images of their own in an order that changes from one call to the next.
func (c *pdfCanvas) DrawImage(r vg.Rectangle, img image.Image) {
	c.out.SetAlpha(1, "Normal")
	size := img.Bounds().Size()
	data := fmt.Appendf(nil, "q %.2f 0 0 %.2f %.2f %.2f cm BI /W %d /H %d /CS /RGB /BPC 8 /F /AHx ID\n",
		r.Size().X.Points(), r.Size().Y.Points(), r.Min.X.Points(), r.Min.Y.Points(), size.X, size.Y)
	for y := range size.Y {
		for x := range size.X {
			r, g, b, alpha := img.At(img.Bounds().Min.X+x, img.Bounds().Min.Y+y).RGBA()
			white := 0xffff - alpha // below what is seen through
			data = fmt.Appendf(data, "%02x%02x%02x", (r+white)>>8, (g+white)>>8, (b+white)>>8)
		}
	}
	c.out.RawWriteStr(string(append(data, ">\nEI Q"...)))
}

// point is a point in points, with y downward.
func (c *pdfCanvas) point(at vg.Point) (x, y float64) {
	return at.X.Points(), (c.height - at.Y).Points()
}

// pdf draws the figure as a PDF file.
func (f figure) pdf() ([]byte, error) {
	c := newPDF(f.width, f.height, f.title)
	f.paintOn(c)
	data, err := c.file()
	if err != nil {
		return nil, fmt.Errorf("as PDF: %w", err)
	}
	return data, nil
}
