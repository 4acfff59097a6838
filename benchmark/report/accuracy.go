package report

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/core"
)

// accuracy draws the accuracy of each method against the step: the mean over its seeds in a band of
// its 95% interval, and the baselines.
func (m *material) accuracy(l lettering) figure {
	x := axis{label: "time step t", min: 0.6, max: float64(m.steps) + 0.4, ticks: stepTicks(m.steps)}
	if m.steps > 40 {
		x.min, x.max = 1-0.015*float64(m.steps), 1.015*float64(m.steps)
	}
	p := newPlot(l, x, axis{label: "accuracy", min: 0, max: 1.05, ticks: ticksIn(0, 1, 5, false)})
	key, bands := m.accuracyCurves(l, p)
	keyWidth, keyHeight := key.size()

	const axesWidth = 4.9 * vg.Inch
	width := axesWidth + 14 + keyWidth
	task := m.results.Task
	note := fmt.Sprintf("%s: %s, %d test snapshots. %s",
		orUnnamed(task.Name), states(task), task.Test, conditions(m.results))
	if bands {
		note += " " + bandsNote(m.exhibits)
	}
	notes := setBlock(width, l.note, note)
	_, noteHeight := notes.size()
	body := max(3.4*vg.Inch, keyHeight)
	return figure{
		name: "accuracy", title: "Accuracy of each method against the time step",
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

// maxLeaps is about how many dots show a baseline that leaps: so many can be told apart.
const maxLeaps = 100

// thinned are the places, from 1, and values of at most about so many dots that show what the
// values do.
func thinned(values []float64, most int) (x, y []float64) {
	for _, i := range telling(len(values), most, func(i int) float64 { return values[i] }) {
		x, y = append(x, float64(i+1)), append(y, values[i])
	}
	return x, y
}

// accuracyCurves adds bands, lines and levels to the plot and returns their legend, and whether there are bands.
func (m *material) accuracyCurves(l lettering, p *plot.Plot) (key legend, bands bool) {
	var ranked, exposed, failed legend
	var lines, dots []plot.Plotter // those on top
	every := (m.steps + 19) / 20
	for i := len(m.exhibits) - 1; i >= 0; i-- { // the best last, on top
		s := m.exhibits[i].summary
		if len(s.ok) == 0 {
			failed = append(legend{{name: s.name(), style: l.label, sample: crossSample}}, failed...)
			continue
		}
		if low, high, ok := s.intervals(); ok {
			bands = true
			p.Add(band{least: low, most: high, fill: faded(hue(s.look.colour), 0x2a)})
		}
		line := curve{
			values: s.mean, marker: &markers[s.look.marker], radius: 3, every: every, offset: s.id,
			line: draw.LineStyle{Color: hue(s.look.colour), Width: 1.5, Dashes: dashes[s.look.dash]},
		}
		lines = append(lines, line)
		e := legendEntry{name: s.name(), style: l.label, sample: line.sample}
		if s.exposed == core.Unexposed {
			ranked = append(legend{e}, ranked...)
		} else {
			exposed = append(legend{e}, exposed...)
		}
	}
	for _, b := range baselines(m.results, m.known, m.steps) {
		style := baselineStyles[b.name]
		line := curve{values: b.at, line: style}
		if b.name == persistenceName { // a line between values that leap would cross all others
			line.marker, line.radius = &markers[0], 1.9
			line.at, line.values = thinned(b.at, maxLeaps)
		}
		var drawn plot.Plotter = line
		if b.level() {
			drawn = rule{y: b.mean, line: style}
		}
		if b.name == persistenceName {
			dots = append(dots, drawn)
		} else {
			p.Add(drawn)
		}
		name := b.label
		if b.name == "oracle" {
			name += fmt.Sprintf(" (%.3f)", b.mean)
		}
		key = append(key, legendEntry{name: name, style: l.label, sample: line.sample})
	}
	p.Add(lines...)
	p.Add(dots...)
	key = concat(ranked, concat(exposed, failed, key))
	return key, bands
}

var baselineStyles = map[string]draw.LineStyle{
	"chance":        {Color: color.Black, Width: 1, Dashes: []vg.Length{4, 3}},
	persistenceName: {Color: color.Gray{0x70}}, // dots alone
	"oracle":        {Color: color.Black, Width: 1.1, Dashes: []vg.Length{1, 2}},
}

// intervals are the ends of the 95% intervals at each step, not numbers where there is none. ok is
// false where none is.
func (s summary) intervals() (low, high []float64, ok bool) {
	for _, e := range s.steps {
		if e == nil {
			low, high = append(low, math.NaN()), append(high, math.NaN())
			continue
		}
		low, high, ok = append(low, e.Interval.Low), append(high, e.Interval.High), true
	}
	return low, high, ok
}

// bandsNote says what the bands are, which for a single seed is less.
func bandsNote(shown []exhibit) string {
	single, several := false, false
	for _, e := range shown {
		if e.total != nil {
			single, several = single || e.total.Seeds == 1, several || e.total.Seeds > 1
		}
	}
	switch {
	case single && several:
		return "Lines: mean over the seeds; bands: 95% intervals over seeds and test snapshots, " +
			"of one seed over snapshots alone."
	case single:
		return "Bands: 95% intervals over test snapshots alone, of one seed."
	}
	return "Lines: mean over the seeds; bands: 95% intervals over seeds and test snapshots."
}

// concat sets parts of a legend apart by some white.
func concat(parts ...legend) legend {
	var all legend
	for _, part := range parts {
		for i, e := range part {
			if i == 0 && len(all) > 0 {
				e.gap = max(e.gap, 7)
			}
			all = append(all, e)
		}
	}
	return all
}

// crossSample stands in a legend for a line that does not exist.
func crossSample(c draw.Canvas) {
	const r = 3
	style, at := draw.LineStyle{Color: grey, Width: 1.2}, c.Center()
	c.StrokeLine2(style, at.X-r, at.Y-r, at.X+r, at.Y+r)
	c.StrokeLine2(style, at.X-r, at.Y+r, at.X+r, at.Y-r)
}

// stepTicks are ticks at every step, or at round ones and the first if there are many.
func stepTicks(steps int) []plot.Tick {
	if steps <= 20 {
		return ticksIn(1, float64(steps), 20, true)
	}
	ticks := ticksIn(1, float64(steps), 8, true)
	if len(ticks) > 1 && ticks[0].Value-1 > 0.5*(ticks[1].Value-ticks[0].Value) {
		ticks = append([]plot.Tick{{Value: 1, Label: "1"}}, ticks...)
	}
	return ticks
}
