package figure

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// probe is a canvas that keeps where texts are written.
type probe struct {
	turn    []float64 // the stack of rotations
	texts   []probedText
	strokes int
	fills   int
	size    vg.Point
}

type probedText struct {
	text string
	box  rectangle
}

type rectangle struct{ Min, Max struct{ X, Y float64 } }

// overlaps reports whether the rectangles share more than their edges.
func (r rectangle) overlaps(s rectangle) bool {
	const slack = 0.3
	return r.Min.X+slack < s.Max.X && s.Min.X+slack < r.Max.X && r.Min.Y+slack < s.Max.Y && s.Min.Y+slack < r.Max.Y
}

var _ vg.CanvasSizer = (*probe)(nil)

func newProbe(f figure) *probe {
	return &probe{turn: []float64{0}, size: vg.Point{X: f.width, Y: f.height}}
}

func (p *probe) Size() (x, y vg.Length) { return p.size.X, p.size.Y }

func (p *probe) SetLineWidth(vg.Length) {}

func (p *probe) SetLineDash([]vg.Length, vg.Length) {}

func (p *probe) SetColor(color.Color) {}

func (p *probe) Rotate(rad float64) { p.turn[len(p.turn)-1] += rad }

func (p *probe) Translate(vg.Point) { panic("not used by the figures") }

func (p *probe) Scale(x, y float64) { panic("not used by the figures") }

func (p *probe) Push() { p.turn = append(p.turn, p.turn[len(p.turn)-1]) }

func (p *probe) Pop() { p.turn = p.turn[:len(p.turn)-1] }

func (p *probe) Stroke(vg.Path) { p.strokes++ }

func (p *probe) Fill(vg.Path) { p.fills++ }

func (p *probe) DrawImage(vg.Rectangle, image.Image) {}

func (p *probe) FillString(f font.Face, at vg.Point, s string) {
	sin, cos := math.Sincos(p.turn[len(p.turn)-1])
	w, size := f.Width(s).Points(), f.Font.Size.Points()
	box := rectangle{}
	box.Min.X, box.Min.Y, box.Max.X, box.Max.Y = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, corner := range [][2]float64{{0, -0.2 * size}, {w, -0.2 * size}, {0, 0.74 * size}, {w, 0.74 * size}} {
		x, y := at.X.Points()+corner[0], at.Y.Points()+corner[1]
		x, y = x*cos-y*sin, x*sin+y*cos
		box.Min.X, box.Max.X = math.Min(box.Min.X, x), math.Max(box.Max.X, x)
		box.Min.Y, box.Max.Y = math.Min(box.Min.Y, y), math.Max(box.Max.Y, y)
	}
	p.texts = append(p.texts, probedText{s, box})
}
