package figure

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
)

// ring is a circle around a point.
func ring(c draw.Canvas, line paint, at vg.Point, radius vg.Length) {
	var p vg.Path
	disc(&p, at, radius)
	c.SetLineStyle(draw.LineStyle{Color: line, Width: 0.8})
	c.Stroke(p)
}

const ringRadius = vg.Length(4.3)

// maxRings is the number of true eigenvalues that are shown.
const maxRings = 100

// Eigenvalues shows the eigenvalues of each method at all seeds with the unit circle, and rings at the
// true ones.
func (d *Drawer) Eigenvalues() Sheet {
	s := Sheet{
		lettering: d.lettering, Name: "eigenvalues", Title: "Eigenvalues", Empty: "No run has eigenvalues.",
		ratio: 0.93, // so that the circle is round
		Note:  "Eigenvalues of the evolution operator at all seeds, in the complex plane with the unit circle.",
	}
	if n := len(d.Results.Task.Eigenvalues); n > 0 {
		s.Key = legend{
			{Name: "eigenvalue of a run", style: d.label, narrow: true,
				sample: func(c draw.Canvas) { dot(c, soft, 2.3, c.Center()) }},
			{Name: "true eigenvalue", style: d.label, narrow: true,
				sample: func(c draw.Canvas) { ring(c, ink, c.Center(), ringRadius) }},
		}
		largest := analysis.Counted(min(n, maxRings), "largest eigenvalue")
		s.Note += fmt.Sprintf(" Rings: the %s of the true operator.", largest)
	}
	var without []string
	for _, e := range d.Exhibits {
		if slices.ContainsFunc(e.OK, func(run *results.Run) bool { return len(run.Eigenvalues) > 0 }) {
			s.Panels = append(s.Panels, d.eigenvaluePanel(e))
		} else {
			without = append(without, e.Label)
		}
	}
	return s.limited("eigenvalues", without)
}

func (d *Drawer) eigenvaluePanel(e analysis.Exhibit) panel {
	reach, beyondReach := 1.15, 0
	var rings []complex128
	for _, v := range d.Results.Task.Eigenvalues[:min(len(d.Results.Task.Eigenvalues), maxRings)] {
		if a := cmplx.Abs(complex128(v)); a <= 10 {
			rings, reach = append(rings, complex128(v)), max(reach, 1.1*a)
		}
	}
	for _, run := range e.OK {
		for _, v := range run.Eigenvalues {
			if a := cmplx.Abs(complex128(v)); analysis.Drawable(a) && a <= 10 {
				reach = max(reach, 1.1*a)
			} else {
				beyondReach++
			}
		}
	}
	var x, y []float64
	for _, run := range e.OK[:min(len(e.OK), maxCurves)] {
		for _, v := range run.Eigenvalues[:min(len(run.Eigenvalues), analysis.MaxPoints)] {
			if cmplx.Abs(complex128(v)) <= reach {
				x, y = append(x, real(complex128(v))), append(y, imag(complex128(v)))
			}
		}
	}
	ticks := ticksIn(-reach, reach, 5, false)
	p := newPlot(d.lettering, axis{label: "Re λ", min: -reach, max: reach, ticks: ticks},
		axis{label: "Im λ", min: -reach, max: reach, ticks: ticks})
	p.Add(plotterFunc(func(c draw.Canvas, p *plot.Plot) {
		toX, toY := p.Transforms(&c)
		var circle []vg.Point // the axes may have different scales
		for k := range 73 {
			sin, cos := math.Sincos(2 * math.Pi * float64(k) / 72)
			circle = append(circle, vg.Point{X: toX(cos), Y: toY(sin)})
		}
		c.StrokeLines(draw.LineStyle{Color: dim, Width: 0.7}, circle)
		for _, v := range rings {
			ring(c, ink, vg.Point{X: toX(real(v)), Y: toY(imag(v))}, ringRadius)
		}
		dot(c, hue(d.looks[e.ID].colour).faded(0xcc), 2.3, points(c, p, x, y)...)
		if beyondReach > 0 {
			letter(c, d.tick, c.Max.X-3, c.Max.Y-10, text.XRight, fmt.Sprintf("%d beyond", beyondReach))
		}
	}))
	label := fmt.Sprintf("%s: %d eigenvalues", e.Label, len(x))
	if lead := e.OK[0].Eigenvalues; len(lead) > 0 {
		label += ", the first " + analysis.ComplexText(complex128(lead[0]))
	}
	return panel{Title: e.Label, Subtitle: someSeeds(e.OK), plot: p, label: label}
}
