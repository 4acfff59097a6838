package report

import (
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// palette is the sequence of ten colours of M. A. Petroff, "Accessible Color Sequences for Data Visualization" (2021,
// arXiv:2107.02270), chosen by optimisation to stay apart under colour-vision deficiencies.
var palette = [10]color.NRGBA{
	{0x3f, 0x90, 0xda, 0xff}, {0xff, 0xa9, 0x0e, 0xff}, {0xbd, 0x1f, 0x01, 0xff}, {0x94, 0xa4, 0xa2, 0xff}, {0x83, 0x2d, 0xb6, 0xff},
	{0xa9, 0x6b, 0x59, 0xff}, {0xe7, 0x63, 0x00, 0xff}, {0xb9, 0xac, 0x70, 0xff}, {0x71, 0x75, 0x81, 0xff}, {0x92, 0xda, 0xdd, 0xff},
}

func hue(i int) color.NRGBA { return palette[((i%10)+10)%10] }

func faded(c color.NRGBA, alpha uint8) color.NRGBA {
	c.A = alpha
	return c
}

var dashes = [4][]vg.Length{nil, {5, 2}, {1.5, 1.5}, {6, 2, 1.5, 2}}

// marker is a filled polygon with a thin white edge: corners on a circle, between them, for stars, corners further in. A
// marker of no corners is a disc.
type marker struct {
	corners int
	turn    float64 // of the first corner from the right, in quarters of a turn
	inner   vg.Length
}

var markers = [10]marker{
	{0, 0, 1}, {4, 0.5, 1}, {3, 1, 1}, {4, 0, 1}, {3, -1, 1}, {5, 1, 0.45}, {6, 0, 1}, {4, 0.5, 0.35}, {5, 1, 1}, {4, 0, 0.35},
}

func (m marker) draw(c draw.Canvas, at vg.Point, radius vg.Length, fill color.Color) {
	var p vg.Path
	if m.corners == 0 {
		p.Move(vg.Point{X: at.X + 0.9*radius, Y: at.Y})
		p.Arc(at, 0.9*radius, 0, 2*math.Pi)
	} else {
		radius *= 1.15
		for i := range 2 * m.corners {
			r := radius
			if i%2 == 1 {
				if m.inner == 1 {
					continue
				}
				r *= m.inner
			}
			sin, cos := math.Sincos(math.Pi/2*m.turn + math.Pi*float64(i)/float64(m.corners))
			corner := vg.Point{X: at.X + r*vg.Length(cos), Y: at.Y + r*vg.Length(sin)}
			if i == 0 {
				p.Move(corner)
			} else {
				p.Line(corner)
			}
		}
	}
	p.Close()
	c.SetLineStyle(draw.LineStyle{Color: color.White, Width: 0.8})
	c.Stroke(p)
	c.SetColor(fill)
	c.Fill(p)
}

// newPlot returns axes without data, with the ranges and ticks given.
func newPlot(l lettering, x, y axis) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []struct {
		to   *plot.Axis
		from axis
	}{{&p.X, x}, {&p.Y, y}} {
		a.to.Min, a.to.Max = a.from.min, a.from.max
		a.to.Label.Text = a.from.label
		a.to.Label.Padding = 3
		a.to.Padding = 0
		a.to.LineStyle = draw.LineStyle{Color: grey, Width: 0.7}
		a.to.Tick.LineStyle = a.to.LineStyle
		a.to.Tick.Length = 3
		a.to.Tick.Marker = plot.ConstantTicks(a.from.ticks)
		restyle(&a.to.Label.TextStyle, l.label)
		restyle(&a.to.Tick.Label, l.tick)
	}
	grid := plotter.NewGrid()
	grid.Horizontal = draw.LineStyle{Color: paleGrey, Width: 0.6}
	grid.Vertical = grid.Horizontal
	p.Add(grid)
	return p
}

// restyle changes font and colour and keeps the alignment.
func restyle(to *text.Style, from text.Style) {
	to.Font, to.Color, to.Handler = from.Font, from.Color, from.Handler
}

// axis is the range of an axis, which is never empty, and what stands along it.
type axis struct {
	label    string
	min, max float64
	ticks    []plot.Tick
}

// beyond is the modulus from which on a value is treated like one that is not a number: no axis reaches so far.
const beyond = 1e100

func drawable(v float64) bool { return math.Abs(v) < beyond }

// ticksIn returns about n ticks at round numbers in [lo,hi], whole ones if asked.
func ticksIn(lo, hi float64, n int, whole bool) []plot.Tick {
	step := roundStep((hi - lo) / float64(n))
	if whole {
		step = math.Max(step, 1)
	}
	first := math.Ceil(lo/step - 1e-9)
	var ticks []plot.Tick
	for k := range 4*n + 2 {
		v := (first + float64(k)) * step
		if v > hi+1e-9*step {
			break
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: tickLabel(v, step, math.Max(math.Abs(lo), math.Abs(hi)))})
	}
	return ticks
}

// roundStep is the least of 1, 2, 5, 10, … that is not below raw.
func roundStep(raw float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// tickLabel writes v with the digits that tell it from its neighbours, step away, on an axis of values up to most. Where
// those are many, all labels of the axis have one power of ten.
func tickLabel(v, step, most float64) string {
	digits := int(math.Floor(math.Log10(step) + 1e-9)) // the power of ten of the last digit
	power, suffix := 0, ""
	if most >= 1e6 || digits < -6 {
		power = int(math.Floor(math.Log10(most)))
		suffix = "e" + strconv.Itoa(power)
	}
	if math.Abs(v) < step/2 {
		return "0"
	}
	s := strconv.FormatFloat(v/math.Pow(10, float64(power)), 'f', min(max(power-digits, 0), 15), 64) + suffix
	return strings.ReplaceAll(s, "-", "−")
}

// fitAxis returns the axis that shows the values with some room; those that are not drawable do not count. ok is false
// where none is.
func fitAxis(label string, values []float64, n int) (a axis, ok bool) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if drawable(v) {
			lo, hi = math.Min(lo, v), math.Max(hi, v)
		}
	}
	if lo > hi {
		return axis{}, false
	}
	// Two values that differ by rounding alone are shown as one.
	room := math.Max(0.06*(hi-lo), 1e-6*math.Max(math.Abs(lo), math.Abs(hi)))
	if room < 1/beyond {
		room = 1
	}
	lo, hi = lo-room, hi+room
	return axis{label: label, min: lo, max: hi, ticks: ticksIn(lo, hi, n, false)}, true
}

// curve is a line through values at x = 1, 2, …, broken where a value is missing; of a line without
// width, its markers.
type curve struct {
	at     []float64 // x, by default 1, 2, …
	values []float64
	line   draw.LineStyle
	marker *marker
	radius vg.Length
	every  int // a marker at every so many values
	offset int // the first of them
}

func (l curve) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	var lines [][]vg.Point
	var line []vg.Point
	var marks []vg.Point
	for i, v := range l.values {
		x := float64(i + 1)
		if l.at != nil {
			x = l.at[i]
		}
		if !drawable(v) || !drawable(x) {
			lines, line = append(lines, line), nil
			continue
		}
		pt := vg.Point{X: toX(x), Y: toY(v)}
		line = append(line, pt)
		if l.marked(i) {
			marks = append(marks, pt)
		}
	}
	lines = append(lines, line)
	for _, line := range lines {
		if len(line) > 1 && l.line.Width > 0 {
			c.StrokeLines(l.line, line)
		}
	}
	shape := marker{}
	if l.marker != nil {
		shape = *l.marker
	}
	for _, pt := range marks {
		shape.draw(c, pt, max(l.radius, 1.6), l.line.Color)
	}
}

// marked reports whether value i has a marker: by the curve's rhythm, or because no line would show it.
func (l curve) marked(i int) bool {
	if l.marker != nil && i%max(l.every, 1) == l.offset%max(l.every, 1) {
		return true
	}
	missing := func(i int) bool { return i < 0 || i >= len(l.values) || !drawable(l.values[i]) }
	return missing(i-1) && missing(i+1)
}

// sample draws the curve's entry of a legend.
func (l curve) sample(c draw.Canvas) {
	if y := c.Center().Y; l.line.Width > 0 {
		c.StrokeLine2(l.line, c.Min.X, y, c.Max.X, y)
	}
	if l.marker != nil {
		l.marker.draw(c, c.Center(), l.radius, l.line.Color)
	}
}

// band fills between two curves at x = 1, 2, …
type band struct {
	least, most []float64
	fill        color.Color
}

func (b band) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
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
	for i := range b.least {
		if !drawable(b.least[i]) || !drawable(b.most[i]) {
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
