package figure

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
)

// costPoint is a method at its mean cost.
type costPoint struct {
	analysis.Exhibit
	cost float64
	at   vg.Point
}

// CostChart draws, for the page, the mean score over all steps against a cost in seconds.
func (d *Drawer) CostChart(class string, width, height float64, label string, of analysis.Quantity) template.HTML {
	var shown []costPoint
	low, high := math.Inf(1), math.Inf(-1)
	for _, e := range d.Exhibits {
		values := of.Values(e.OK)
		if len(values) == 0 || !analysis.Drawable(e.Overall()) {
			continue
		}
		mean := max(analysis.Average(values), 1e-4)
		shown = append(shown, costPoint{Exhibit: e, cost: mean})
		low, high = min(low, mean), max(high, mean)
	}
	if len(shown) == 0 {
		low, high = 1, 1
	}
	slices.SortStableFunc(shown, func(a, b costPoint) int { return cmp.Compare(a.Overall(), b.Overall()) })
	p := newPlot(d.lettering, logAxis(label, low, high), d.scoreAxis("mean "+d.Measure.Label()+" over all steps"))
	p.Add(plotterFunc(func(c draw.Canvas, p *plot.Plot) { d.costPoints(c, p, shown) }))
	c := newPageSVG(width, height)
	p.Draw(draw.New(c))
	name := analysis.Capital(d.Measure.Name)
	return c.element(class, name+" of each method against the "+label+"; both are in the tables.", "")
}

// costPoints draws points with intervals and names, and the baselines, whose names stand where there is room.
func (d *Drawer) costPoints(c draw.Canvas, p *plot.Plot, shown []costPoint) {
	toX, toY := within(c, p)
	w := writer{Canvas: c}
	for i := range shown {
		s := &shown[i]
		s.at = vg.Point{X: toX(math.Log10(s.cost)), Y: toY(s.Overall())}
		w.take(s.at.X-5, s.at.Y-5, 10, 10)
		if e := s.Total; e != nil {
			w.take(s.at.X-0.7, toY(e.Interval.Low), 1.4, toY(e.Interval.High)-toY(e.Interval.Low))
		}
	}
	d.costLevels(&w, toY, 0.01*(p.Y.Max-p.Y.Min))
	for _, s := range shown {
		if e := s.Total; e != nil {
			whisker := draw.LineStyle{Color: edge(d.looks[s.ID].colour), Width: 1.1}
			c.StrokeLine2(whisker, s.at.X, toY(e.Interval.Low), s.at.X, toY(e.Interval.High))
		}
	}
	names := make([]func(), len(shown))
	for i, s := range shown {
		name := []rune(s.Label)
		if len(name) > 24 {
			name = append(name[:23], '…')
		}
		names[i] = w.tag(d.label, string(name), s.at)
	}
	for _, s := range shown {
		d.looks[s.ID].mark(c, 4.3, s.at)
	}
	group(c, `class="halo"`, func() {
		for _, write := range names {
			write()
		}
	})
}

// costLevels draws the baselines, the highest first. Those that are nearer than near have one name.
func (d *Drawer) costLevels(w *writer, toY func(float64) vg.Length, near float64) {
	all := slices.DeleteFunc(slices.Clone(d.Levels), func(b analysis.Baseline) bool { return !analysis.Drawable(b.Mean) })
	slices.Reverse(all)
	name := ""
	for i, b := range all {
		y := toY(b.Mean)
		w.StrokeLine2(baselineStyles[b.Name], w.Min.X, y, w.Max.X, y)
		name += b.Name
		if i+1 < len(all) && math.Abs(all[i+1].Mean-b.Mean) < near {
			name += ", "
			continue
		}
		left, right := w.Min.X+3.5, w.Max.X-3
		if to, ok := w.room(d.tick, name, spot{right, y + 3.5, text.XRight}, spot{left, y + 3.5, text.XLeft},
			spot{right, y - 10, text.XRight}, spot{left, y - 10, text.XLeft}); ok {
			letter(w.Canvas, d.tick, to.x, to.baseline, to.align, name)
		}
		name = ""
	}
}

// writer knows where something stands.
type writer struct {
	draw.Canvas
	taken []vg.Rectangle
}

// spot is where a text may stand: to the right of x or to the left of it, on a baseline.
type spot struct {
	x, baseline vg.Length
	align       text.XAlignment
}

func (w *writer) take(x, y, width, height vg.Length) {
	w.taken = append(w.taken, vg.Rectangle{Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + width, Y: y + height}})
}

// letterWidth is that of a character in the widest of the fonts that a browser may have, in parts of its size.
const letterWidth = 0.62

// room takes the first spot at which nothing stands yet.
func (w *writer) room(s text.Style, line string, spots ...spot) (spot, bool) {
	width := letterWidth * s.Font.Size * vg.Length(utf8.RuneCountInString(line))
	for _, at := range spots {
		r := vg.Rectangle{Min: vg.Point{X: at.x + width*vg.Length(at.align), Y: at.baseline - 0.3*s.Font.Size}}
		r.Max = r.Min.Add(vg.Point{X: width, Y: 1.2 * s.Font.Size})
		within := r.Min.X >= w.Min.X && r.Max.X <= w.Max.X && r.Min.Y >= w.Min.Y && r.Max.Y <= w.Max.Y
		if within && !slices.ContainsFunc(w.taken, func(t vg.Rectangle) bool {
			return r.Min.X < t.Max.X && t.Min.X < r.Max.X && r.Min.Y < t.Max.Y && t.Min.Y < r.Max.Y
		}) {
			w.taken = append(w.taken, r)
			return at, true
		}
	}
	return spot{}, false
}

// tag finds a spot for a name beside a point: right, left, then higher or lower on either side, with a thin line to the
// point. What it returns writes the name. Where no spot is free, the tables must do.
func (w *writer) tag(s text.Style, name string, at vg.Point) (write func()) {
	const step, beside = vg.Length(11.5), vg.Length(7.5)
	middle := 0.33 * s.Font.Size // of letters, above their baseline
	var spots []spot
	for _, shift := range []vg.Length{0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5} {
		baseline := at.Y + shift*step - middle
		spots = append(spots, spot{at.X + beside, baseline, text.XLeft}, spot{at.X - beside, baseline, text.XRight})
	}
	to, ok := w.room(s, name, spots...)
	if !ok {
		return func() {}
	}
	if end := to.baseline + middle; math.Abs(float64(end-at.Y)) > 1.5*float64(step) {
		near := vg.Length(1.4) * (1 + 2*vg.Length(to.align))
		w.StrokeLine2(draw.LineStyle{Color: dim, Width: 0.6}, at.X, at.Y, to.x-near, end)
	}
	return func() { letter(w.Canvas, s, to.x, to.baseline, to.align, name) }
}

// logAxis is an axis of powers of ten, whose positions are decimal logarithms of positive values.
func logAxis(label string, low, high float64) axis {
	a := axis{label: label, min: math.Log10(low), max: math.Log10(high)}
	if a.max-a.min < 0.6 {
		middle := (a.min + a.max) / 2
		a.min, a.max = middle-0.3, middle+0.3
	}
	room := 0.07 * (a.max - a.min)
	a.min, a.max = a.min-room, a.max+room
	factors := []float64{1}
	switch span := a.max - a.min; {
	case span < 1.2:
		factors = []float64{1, 1.5, 2, 3, 5, 7}
	case span < 3:
		factors = []float64{1, 2, 5}
	}
	every := max(1, int(math.Ceil((a.max-a.min)/8)))
	for power := int(math.Floor(a.min)); power <= int(math.Ceil(a.max)); power++ {
		if power%every != 0 {
			continue
		}
		for _, f := range factors {
			v := math.Log10(f) + float64(power)
			if v >= a.min && v <= a.max {
				a.ticks = append(a.ticks, plot.Tick{Value: v, Label: logLabel(f, power)})
			}
		}
	}
	return a
}

func logLabel(factor float64, power int) string {
	if power < -3 || power > 4 {
		return fmt.Sprintf("%ge%d", factor, power)
	}
	digits := -power
	if factor != math.Trunc(factor) {
		digits++
	}
	return strconv.FormatFloat(factor*math.Pow10(power), 'f', max(0, digits), 64)
}
