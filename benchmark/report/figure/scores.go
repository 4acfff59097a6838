package figure

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// scoreFigure draws the score of each method against the step, with a legend.
func (d *Drawer) scoreFigure() figure {
	p := d.scorePlot(stepTicks(d.Steps))
	key := d.ScoreKey()
	keyWidth, keyHeight := key.size()

	const axesWidth = 4.9 * vg.Inch
	width := axesWidth + 14 + keyWidth
	task := d.Results.Task
	note := fmt.Sprintf("%s, %d test snapshots. %s %s", analysis.TaskAndStates(task), task.Starts,
		analysis.Conditions(d.Results), analysis.BandsNote(d.Exhibits))
	notes := setBlock(width, d.note, strings.TrimSpace(note))
	_, noteHeight := notes.size()
	body := max(3.4*vg.Inch, keyHeight)
	return figure{
		name: scoreName(task), title: d.scoreTitle(),
		width: width + 2*margin, height: body + noteHeight + 8 + 2*margin,
		draw: func(c draw.Canvas) {
			notes.draw(c, margin, margin+noteHeight, text.XLeft)
			axes := draw.Crop(c, margin, 0, 0, -margin)
			axes.Max.X = axes.Min.X + axesWidth
			axes.Min.Y = axes.Max.Y - min(body, 5*vg.Inch)
			p.Draw(axes)
			key.draw(c, axes.Max.X+14, axes.Max.Y)
		},
	}
}

// scoreTitle says what the figure shows.
func (d *Drawer) scoreTitle() string {
	return analysis.Capital(d.Measure.Name) + " of each method against the time step"
}

// ScoreChart is the same for the page, without the legend. A narrow one has fewer ticks.
func (d *Drawer) ScoreChart(class string, width, height float64) template.HTML {
	ticks := stepTicks(d.Steps)
	if width < 500 && d.Steps > 8 {
		ticks = ticksIn(1, float64(d.Steps), 6, true)
	}
	p := d.scorePlot(ticks)
	p.Add(guide)
	c := newPageSVG(width, height)
	whole := draw.New(c)
	p.Draw(whole)
	data := p.DataCanvas(whole)
	toX, _ := p.Transforms(&data)
	return c.element(class, d.scoreTitle()+"; the values are in the table below.",
		fmt.Sprintf(` data-left="%s" data-right="%s" data-steps="%d"`,
			c.num(nil, toX(1)), c.num(nil, toX(float64(d.Steps))), d.Steps))
}

// guide is the upright line at step 1 that the page's script moves under the pointer.
var guide = plotterFunc(func(c draw.Canvas, p *plot.Plot) {
	toX, _ := p.Transforms(&c)
	group(c, `class="guide" visibility="hidden"`, func() {
		c.StrokeLine2(draw.LineStyle{Color: dim, Width: 0.7}, toX(1), c.Min.Y, toX(1), c.Max.Y)
	})
})

// scorePlot has the mean of each method over its seeds in a band of its 95% interval, and the
// baselines.
func (d *Drawer) scorePlot(ticks []plot.Tick) *plot.Plot {
	last := float64(d.Steps)
	room := max(0.4, 0.015*last)
	p := newPlot(d.lettering, axis{label: "time step t", min: 1 - room, max: last + room, ticks: ticks},
		d.scoreAxis(d.Measure.Label()))
	for _, e := range d.Exhibits { // under all lines
		if len(e.OK) > 0 {
			p.Add(series(e.ID, d.band(e.Summary)))
		}
	}
	var dots []plot.Plotter // on top, since they hide little
	for _, b := range d.Levels {
		x, values := thinned(b.At, d.Points())
		switch style := baselineStyles[b.Name]; {
		case b.Name == analysis.PersistenceName: // a line between values that leap would cross all others
			x, values = thinned(b.At, maxLeaps)
			dots = append(dots, series(b.Name, dotted(x, values, paper, leapRadius+0.6), dotted(x, values, dim, leapRadius)))
		case b.Level():
			p.Add(series(b.Name, rule{y: b.Mean, line: style}))
		default:
			p.Add(series(b.Name, curve{at: x, values: values, line: style}))
		}
	}
	every := max(1, (d.Steps+19)/20)
	for i := len(d.Exhibits) - 1; i >= 0; i-- { // the best last, on top
		e := d.Exhibits[i]
		if len(e.OK) == 0 {
			continue
		}
		x, values := thinned(e.Mean, d.Points())
		var at, marked []float64
		for i := e.ID % every; i < len(e.Mean); i += every {
			at, marked = append(at, float64(i+1)), append(marked, e.Mean[i])
		}
		l := d.looks[e.ID]
		p.Add(series(e.ID, curve{at: x, values: values, line: l.line()},
			plotterFunc(func(c draw.Canvas, p *plot.Plot) { l.mark(c, 3, points(c, p, at, marked)...) })))
	}
	p.Add(dots...)
	return p
}

// scoreAxis ranges over all shares, or over the scores that are there, and what bands reach within [bandReach].
func (d *Drawer) scoreAxis(label string) axis {
	whole := axis{label: label, min: 0, max: 1.04, ticks: ticksIn(0, 1, 5, false)}
	if d.Measure.Share() {
		return whole
	}
	var values []float64
	for _, e := range d.Exhibits {
		values = append(values, e.Mean...)
	}
	for _, b := range d.Levels {
		values = append(values, b.At...)
	}
	var ends []float64
	for _, e := range d.Exhibits {
		low, high := e.Intervals()
		ends = append(append(ends, low...), high...)
	}
	values = append(values, nearby(values, ends)...)
	if a, ok := fitAxis(label, values, 5); ok {
		return a
	}
	return whole
}

// bandReach is how far an axis reaches for the ends of intervals beyond the scores, in parts of their range.
const bandReach = 0.5

// nearby are the ends of intervals, those that are too far away cut.
func nearby(values, ends []float64) (all []float64) {
	a, ok := fitAxis("", values, 2)
	if !ok {
		return nil
	}
	reach := bandReach * (a.max - a.min)
	for _, v := range ends {
		if !math.IsNaN(v) {
			all = append(all, min(max(v, a.min-reach), a.max+reach))
		}
	}
	return all
}

// band is that of the intervals of a method, at places that show what both edges do.
func (d *Drawer) band(s analysis.Summary) band {
	low, high := s.Intervals()
	places := append(telling(len(low), d.Points(), func(i int) float64 { return low[i] }),
		telling(len(high), d.Points(), func(i int) float64 { return high[i] })...)
	slices.Sort(places)
	return band{low, high, slices.Compact(places), hue(d.looks[s.ID].colour).faded(0x2a)}
}

// ScoreKey is the legend: the methods in their order, those that failed, then the baselines, the highest first.
func (d *Drawer) ScoreKey() legend {
	var ranked, exposed, failed, levels legend
	for _, e := range d.Exhibits {
		entry := LegendEntry{
			Name: e.Label, Remark: strings.Join(e.Remarks(), ", "), style: d.label, sample: d.looks[e.ID].sample,
			Series: fmt.Sprint(e.ID), At: e.At, Drawn: len(e.OK) > 0,
		}
		switch {
		case !entry.Drawn:
			entry.sample = crossSample
			failed = append(failed, entry)
		case e.Exposed == core.Unexposed:
			ranked = append(ranked, entry)
		default:
			exposed = append(exposed, entry)
		}
	}
	for _, b := range slices.Backward(d.Levels) {
		entry := LegendEntry{
			Name: b.Label, style: d.label, sample: baselineSample(b.Name), Series: b.Name, At: b.Value, Drawn: true,
		}
		if b.Name == "oracle" {
			entry.level = d.Measure.Text(b.Mean)
		}
		levels = append(levels, entry)
	}
	var all legend
	for _, part := range []legend{ranked, exposed, failed, levels} {
		for i, e := range part {
			e.Apart = i == 0 && len(all) > 0
			all = append(all, e)
		}
	}
	return all
}

// sample draws the entry of a method in a legend.
func (l look) sample(c draw.Canvas) {
	sampleLine(l.line())(c)
	l.mark(c, 3, c.Center())
}

const (
	// maxLeaps is about how many dots show a baseline that leaps: so many can be told apart.
	maxLeaps   = 100
	leapRadius = vg.Length(1.75)
)

var baselineStyles = map[string]draw.LineStyle{
	"chance":                 {Color: ink, Width: 0.9, Dashes: []vg.Length{4, 3}},
	analysis.PersistenceName: {Color: dim, Width: 0.5}, // where it is one level
	results.Mean:             {Color: dim, Width: 0.9, Dashes: []vg.Length{6, 2, 1, 2}},
	"oracle":                 {Color: ink, Width: 1.1, Dashes: []vg.Length{1, 2}},
}

// baselineSample draws the entry of a baseline in a legend.
func baselineSample(name string) func(draw.Canvas) {
	if name != analysis.PersistenceName {
		return sampleLine(baselineStyles[name])
	}
	return func(c draw.Canvas) {
		at := []vg.Point{c.Center()}
		for x := vg.Length(7); x < c.Size().X/2; x += 7 {
			at = append(at, at[0].Sub(vg.Point{X: x}), at[0].Add(vg.Point{X: x}))
		}
		dot(c, dim, leapRadius, at...)
	}
}

// crossSample stands in a legend for a line that does not exist.
func crossSample(c draw.Canvas) {
	const r = 3
	style, at := draw.LineStyle{Color: soft, Width: 1.2}, c.Center()
	c.StrokeLine2(style, at.X-r, at.Y-r, at.X+r, at.Y+r)
	c.StrokeLine2(style, at.X-r, at.Y+r, at.X+r, at.Y-r)
}

// stepTicks are ticks at every step, or at round ones and the first if there are many.
func stepTicks(steps int) []plot.Tick {
	if steps <= 20 {
		return ticksIn(1, float64(steps), 20, true)
	}
	return withFirst(ticksIn(1, float64(steps), 8, true))
}

// withFirst adds a tick at 1 where there is room for it.
func withFirst(ticks []plot.Tick) []plot.Tick {
	if len(ticks) > 1 && ticks[0].Value-1 > 0.5*(ticks[1].Value-ticks[0].Value) {
		return append([]plot.Tick{{Value: 1, Label: "1"}}, ticks...)
	}
	return ticks
}
