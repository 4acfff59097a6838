package figure

import (
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// shape is that of a marker: corners on a circle, between them, for stars, corners further in. One
// of no corners is a disc.
type shape struct {
	corners int
	turn    float64 // of the first corner from the right, in quarters of a turn
	inner   vg.Length
}

var shapes = [10]shape{
	{0, 0, 1}, {4, 0.5, 1}, {3, 1, 1}, {4, 0, 1}, {3, -1, 1}, {5, 1, 0.45}, {6, 0, 1}, {4, 0.5, 0.35}, {5, 1, 1}, {4, 0,
		0.35},
}

var dashes = [4][]vg.Length{nil, {5, 2}, {1.5, 1.5}, {6, 2, 1.5, 2}}

// outline adds that of a marker around a point to a path.
func (s shape) outline(p *vg.Path, at vg.Point, radius vg.Length) {
	if s.corners == 0 {
		disc(p, at, 0.9*radius)
		return
	}
	radius *= 1.15
	for i := range 2 * s.corners {
		r := radius
		if i%2 == 1 {
			if s.inner == 1 {
				continue
			}
			r *= s.inner
		}
		sin, cos := math.Sincos(math.Pi/2*s.turn + math.Pi*float64(i)/float64(s.corners))
		corner := vg.Point{X: at.X + r*vg.Length(cos), Y: at.Y + r*vg.Length(sin)}
		if i == 0 {
			p.Move(corner)
		} else {
			p.Line(corner)
		}
	}
	p.Close()
}

func disc(p *vg.Path, at vg.Point, radius vg.Length) {
	p.Move(vg.Point{X: at.X + radius, Y: at.Y})
	p.Arc(at, radius, 0, 2*math.Pi)
	p.Close()
}

// line is the line of a method.
func (l look) line() draw.LineStyle {
	return draw.LineStyle{Color: hue(l.colour), Width: 1.5, Dashes: dashes[l.dash]}
}

// mark draws the marker of a method around points.
func (l look) mark(c draw.Canvas, radius vg.Length, at ...vg.Point) {
	var p vg.Path
	for _, point := range at {
		shapes[l.marker].outline(&p, point, radius)
	}
	if len(p) == 0 {
		return
	}
	c.SetColor(hue(l.colour))
	c.Fill(p)
	c.SetLineStyle(draw.LineStyle{Color: edge(l.colour), Width: 0.7})
	c.Stroke(p)
}

// dot draws discs.
func dot(c draw.Canvas, fill paint, radius vg.Length, at ...vg.Point) {
	var p vg.Path
	for _, point := range at {
		disc(&p, point, radius)
	}
	if len(p) > 0 {
		c.SetColor(fill)
		c.Fill(p)
	}
}
