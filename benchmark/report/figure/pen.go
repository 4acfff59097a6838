package figure

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"

	"gonum.org/v1/plot/vg"

	"github.com/koopbench/koopbench/core"
)

// pen is what canvases of our own have in common: their size, and how the next thing is drawn.
type pen struct {
	width, height vg.Length
	now           stroke
	before        []stroke
}

type stroke struct {
	color  color.Color
	width  vg.Length
	dashes []vg.Length
	turn   float64 // in radians
}

func (p *pen) Size() (w, h vg.Length)                      { return p.width, p.height }
func (p *pen) SetLineWidth(w vg.Length)                    { p.now.width = w }
func (p *pen) SetLineDash(dashes []vg.Length, _ vg.Length) { p.now.dashes = dashes }
func (p *pen) SetColor(to color.Color)                     { p.now.color = to }
func (p *pen) Rotate(angle float64)                        { p.now.turn += angle }
func (p *pen) Translate(vg.Point)                          { panic("a figure is not drawn by translation") }
func (p *pen) Scale(_, _ float64)                          { panic("a figure is not drawn by scaling") }
func (p *pen) Push()                                       { p.before = append(p.before, p.now) }
func (p *pen) Pop() {
	last := len(p.before) - 1
	p.now, p.before = p.before[last], p.before[:last]
}

// turned is where a point lies after the rotation.
func (p *pen) turned(at vg.Point) vg.Point {
	sin, cos := math.Sincos(p.now.turn)
	return vg.Point{
		X: at.X*vg.Length(cos) - at.Y*vg.Length(sin),
		Y: at.X*vg.Length(sin) + at.Y*vg.Length(cos),
	}
}

// paintOf is a colour as a paint: one without a name if it is none.
func paintOf(c color.Color) paint {
	if p, ok := c.(paint); ok {
		return p
	}
	n, _ := color.NRGBAModel.Convert(c).(color.NRGBA)
	return paint{light: uint32(n.R)<<16 | uint32(n.G)<<8 | uint32(n.B), alpha: n.A}
}

// pngOf is an image as a PNG file.
func pngOf(img image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(fmt.Errorf("%w: an image of a figure: %w", core.ErrPanic, err))
	}
	return b.Bytes()
}
