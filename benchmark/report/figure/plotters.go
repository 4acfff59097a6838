package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
)

// plotterFunc is a plotter that is a function.
type plotterFunc func(c draw.Canvas, p *plot.Plot)

func (f plotterFunc) Plot(c draw.Canvas, p *plot.Plot) { f(c, p) }

// series is what is drawn of a method or a baseline: on the page a group, which the legend hides.
func series(id any, parts ...plot.Plotter) plot.Plotter {
	return plotterFunc(func(c draw.Canvas, p *plot.Plot) {
		group(c, fmt.Sprintf(`class="series" data-series="%v"`, id), func() {
			for _, part := range parts {
				part.Plot(c, p)
			}
		})
	})
}

// curve is a line through values at x = 1, 2, …, broken where a value is missing. A value between two
// that are missing is a dot.
type curve struct {
	at     []float64 // x, by default 1, 2, …
	values []float64
	line   draw.LineStyle
}

func (l curve) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	var lonely, line []vg.Point
	end := func() {
		if len(line) == 1 {
			lonely = append(lonely, line...)
		} else if len(line) > 1 {
			c.StrokeLines(l.line, line)
		}
		line = nil
	}
	for i, v := range l.values {
		x := float64(i + 1)
		if l.at != nil {
			x = l.at[i]
		}
		if !analysis.Drawable(v) || !analysis.Drawable(x) {
			end()
			continue
		}
		line = append(line, vg.Point{X: toX(x), Y: toY(v)})
	}
	end()
	dot(c, paintOf(l.line.Color), 1.6, lonely...)
}

// sampleLine draws a line's entry of a legend.
func sampleLine(line draw.LineStyle) func(draw.Canvas) {
	return func(c draw.Canvas) { c.StrokeLine2(line, c.Min.X, c.Center().Y, c.Max.X, c.Center().Y) }
}

// dotted is a dot at each of the points that can be drawn.
func dotted(x, y []float64, fill paint, radius vg.Length) plot.Plotter {
	return plotterFunc(func(c draw.Canvas, p *plot.Plot) { dot(c, fill, radius, points(c, p, x, y)...) })
}

// points are those of x and y that can be drawn.
func points(c draw.Canvas, p *plot.Plot, x, y []float64) (at []vg.Point) {
	toX, toY := p.Transforms(&c)
	for i := range min(len(x), len(y)) {
		if analysis.Drawable(x[i]) && analysis.Drawable(y[i]) {
			at = append(at, vg.Point{X: toX(x[i]), Y: toY(y[i])})
		}
	}
	return at
}

// within gives the places of values, of those that are out of the axis at its end.
func within(c draw.Canvas, p *plot.Plot) (toX, toY func(float64) vg.Length) {
	toX, to := p.Transforms(&c)
	return toX, func(v float64) vg.Length { return to(min(max(v, p.Y.Min), p.Y.Max)) }
}

// band fills between two curves at the places x = 1, 2 and so on.
type band struct {
	least, most []float64
	places      []int
	fill        paint
}

func (b band) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := within(c, p)
	var above, below []vg.Point
	flush := func() {
		for i := range below {
			above = append(above, below[len(below)-1-i])
		}
		if len(above) > 3 {
			c.FillPolygon(b.fill, above)
		}
		above, below = nil, nil
	}
	for _, i := range b.places {
		if !analysis.Drawable(b.least[i]) || math.IsNaN(b.most[i]) {
			flush()
			continue
		}
		x := toX(float64(i + 1))
		above = append(above, vg.Point{X: x, Y: toY(b.most[i])})
		below = append(below, vg.Point{X: x, Y: toY(b.least[i])})
	}
	flush()
}

// rule is a level line across the whole width.
type rule struct {
	y    float64
	line draw.LineStyle
}

func (r rule) Plot(c draw.Canvas, p *plot.Plot) {
	_, toY := p.Transforms(&c)
	c.StrokeLine2(r.line, c.Min.X, toY(r.y), c.Max.X, toY(r.y))
}
