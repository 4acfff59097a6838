package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

var trueLine = draw.LineStyle{Color: ink, Width: 1.1, Dashes: []vg.Length{3, 2}}

// trueKey says which line is which, if the truth is known; what is the word for a method's own.
func (d *Drawer) trueKey(known bool, what string) legend {
	if !known {
		return nil
	}
	return legend{
		{Name: "true", style: d.label, sample: sampleLine(trueLine)},
		{Name: what + ", in the colour of the method", style: d.label,
			sample: sampleLine(draw.LineStyle{Color: soft, Width: 1.3})},
	}
}

// trueAnd says that a panel shows the truth beside a method's own, if it does.
func trueAnd(known bool, what string) string {
	if known {
		return "true and " + what
	}
	return what
}

// methodLine is the line of what a method predicts.
func (d *Drawer) methodLine(id int) draw.LineStyle {
	return draw.LineStyle{Color: hue(d.looks[id].colour), Width: 1.3}
}

// Forecast draws the last value of a snapshot against time: the true one and what each method predicts, from the first
// start.
func (d *Drawer) Forecast() Sheet {
	task, known := d.Results.Task, len(d.Future.Last) > 0
	s := Sheet{
		lettering: d.lettering, Name: "forecast", Title: "Forecast", ratio: 0.7, Empty: "No run has a roll-out.",
		Note: fmt.Sprintf("The last value of a snapshot%s, in a roll-out from the first start. "+
			"%s", analysis.Standardised(task),
			analysis.Conditions(d.Results)),
		Key: d.trueKey(known, "predicted"),
	}
	lowHigh := d.Future.Last
	if len(lowHigh) == 0 {
		for _, e := range d.Exhibits {
			lowHigh = append(lowHigh, e.Forecast.Last...)
		}
	}
	y, ok := fitAxis("last value", lowHigh, 4)
	if !ok {
		return s
	}
	room := (y.max - y.min) / 4 // for predictions that go beyond the truth
	y.min, y.max = y.min-room, y.max+room
	y.ticks = ticksIn(y.min, y.max, 4, false)
	times := analysis.Times(task, d.Steps+1)
	x := axis{label: analysis.TimeLabel(task), max: times[d.Steps], ticks: ticksIn(0, times[d.Steps], 4, false)}
	var without []string
	for _, e := range d.Exhibits {
		if len(e.Forecast.Last) == 0 {
			without = append(without, e.Label)
			continue
		}
		p := newPlot(d.lettering, x, y)
		p.Add(clipped(curve{at: times, values: d.Future.Last, line: trueLine}),
			clipped(curve{at: times, values: e.Forecast.Last, line: d.methodLine(e.ID)}))
		s.Panels = append(s.Panels, panel{Title: e.Label, plot: p,
			label: fmt.Sprintf("%s: the last value of a snapshot over %d steps, %s", e.Label, d.Steps,
				trueAnd(known, "predicted"))})
	}
	return s.limited("a roll-out", without)
}

// clipped draws nothing outside of the axes: a line ends where it leaves them.
func clipped(l curve) plot.Plotter {
	return plotterFunc(func(c draw.Canvas, p *plot.Plot) { l.within(p.Y.Min, p.Y.Max).Plot(c, p) })
}

// within is the part of a curve whose values lie from low to high; what is not drawn is not a number.
func (l curve) within(low, high float64) curve {
	kept := curve{line: l.line}
	add := func(x, v float64) { kept.at, kept.values = append(kept.at, x), append(kept.values, v) }
	for i, v := range l.values {
		if i > 0 {
			before, slope := l.values[i-1], (l.at[i]-l.at[i-1])/(v-l.values[i-1])
			ends := []float64{low, high}
			if before > v {
				ends = []float64{high, low}
			}
			for _, end := range ends {
				if (before-end)*(v-end) < 0 {
					add(l.at[i-1]+(end-before)*slope, end)
				}
			}
		}
		if !(v >= low && v <= high) {
			v = math.NaN()
		}
		add(l.at[i], v)
	}
	return kept
}

// Plane draws the first training snapshots as points in the plane of their first and last value,
// with the true path from the first start and the one that each method predicts.
func (d *Drawer) Plane() Sheet {
	known, scaled := len(d.Future.Last) > 0, analysis.Standardised(d.Results.Task)
	s := Sheet{
		lettering: d.lettering, Name: "plane", Title: "Plane", ratio: 0.9, Empty: "No run has a roll-out.",
		Note: fmt.Sprintf("The first and the last value of a snapshot%s. Dots: %d training snapshots. Lines: roll-outs "+
			"from the first start. %s", scaled, len(d.Trail.First), analysis.Conditions(d.Results)),
		Key: d.trueKey(known, "predicted"),
	}
	x, okX := fitAxis("first value", append(d.Trail.First, d.Future.First...), 4)
	y, okY := fitAxis("last value", append(d.Trail.Last, d.Future.Last...), 4)
	if !okX || !okY {
		return s
	}
	var without []string
	for _, e := range d.Exhibits {
		if len(e.Forecast.Last) == 0 {
			without = append(without, e.Label)
			continue
		}
		p := newPlot(d.lettering, x, y)
		p.Add(dotted(d.Trail.First, d.Trail.Last, dim.faded(0x50), 0.8), d.pathLine(d.Future, trueLine),
			d.pathLine(e.Forecast, d.methodLine(e.ID)))
		s.Panels = append(s.Panels, panel{Title: e.Label, plot: p,
			label: fmt.Sprintf("%s: the path over %d steps in the plane, %s", e.Label, d.Steps,
				trueAnd(known, "predicted"))})
	}
	return s.limited("a roll-out", without)
}

// pathLine goes through the points of a path, as far as they lie within the axes.
func (d *Drawer) pathLine(of analysis.Path, line draw.LineStyle) plot.Plotter {
	return plotterFunc(func(c draw.Canvas, p *plot.Plot) {
		var at []vg.Point
		toX, toY := p.Transforms(&c)
		for i, x := range of.First {
			y := of.Last[i]
			if !(x >= p.X.Min && x <= p.X.Max && y >= p.Y.Min && y <= p.Y.Max) {
				break
			}
			at = append(at, vg.Point{X: toX(x), Y: toY(y)})
		}
		if len(at) > 1 {
			c.StrokeLines(line, at)
		}
		if len(at) > 0 {
			dot(c, paintOf(line.Color), 1.8, at[0])
		}
	})
}

// Functions draws, for snapshots on a line, how they are spread, and the leading right eigenfunctions of each method
// against the true ones.
func (d *Drawer) Functions() Sheet {
	known, note := d.Task.TrueEigenfunctions != nil, "The constant one is not shown."
	if known {
		note = "For each true eigenfunction, the estimate is the one with the nearest eigenvalue, scaled to fit best. " + note
	}
	s := Sheet{
		lettering: d.lettering, Name: "functions", Title: "Density and eigenfunctions", ratio: 0.8,
		Empty: "No run has right eigenfunctions.",
		Note:  "Real parts of the right eigenfunctions of the evolution operator at the test snapshots. " + note,
		Key:   d.trueKey(known || d.Task.TrueDensity != nil, "estimated"),
	}
	if p, ok := d.densityPanel(); ok {
		s.Panels = append(s.Panels, p)
	}
	var without []string
	for _, e := range d.Exhibits {
		if len(e.Functions) == 0 {
			without = append(without, e.Label)
		}
		for _, f := range e.Functions {
			x, okX := fitAxis("snapshot", f.At, 4)
			values := f.True
			if values == nil {
				values = f.Values
			}
			y, okY := fitAxis("Re ψ", values, 4)
			if !okX || !okY {
				continue
			}
			p := newPlot(d.lettering, x, y)
			p.Add(clipped(curve{at: f.At, values: f.True, line: trueLine}),
				clipped(curve{at: f.At, values: f.Values, line: d.methodLine(e.ID)}))
			s.Panels = append(s.Panels, panel{Title: e.Label, Subtitle: f.Name, plot: p,
				label: fmt.Sprintf("%s: the right eigenfunction of %s, %s", e.Label, f.Name, trueAnd(known, "estimated"))})
		}
	}
	return s.limited("right eigenfunctions", without)
}

// densityPanel shows how test snapshots are spread.
func (d *Drawer) densityPanel() (panel, bool) {
	edges, density := d.Histogram(40)
	at, exact := d.Density()
	x, okX := fitAxis("snapshot", edges, 4)
	y, okY := fitAxis("density", append(append([]float64{0}, density...), exact...), 4)
	if !okX || !okY {
		return panel{}, false
	}
	y.min = 0
	p := newPlot(d.lettering, x, y)
	p.Add(plotterFunc(func(c draw.Canvas, p *plot.Plot) {
		toX, toY := p.Transforms(&c)
		for k, v := range density {
			c.FillPolygon(dim.faded(0x60), []vg.Point{
				{X: toX(edges[k]), Y: toY(0)}, {X: toX(edges[k]), Y: toY(v)},
				{X: toX(edges[k+1]), Y: toY(v)}, {X: toX(edges[k+1]), Y: toY(0)},
			})
		}
	}), clipped(curve{at: at, values: exact, line: trueLine}))
	return panel{Title: "test snapshots", Subtitle: "bars: their density", plot: p,
		label: fmt.Sprintf("density of %d test snapshots", d.Task.Test.Len())}, true
}

// processSheets are the names of the figures of a task that is drawn in time, which it has in place of pictures.
func processSheets(t results.TaskInfo) []string {
	switch core.Picture(t.Picture) {
	case core.PlanePicture:
		return []string{"forecast", "plane"}
	case core.LinePicture:
		return []string{"forecast", "functions"}
	}
	return []string{"forecast"}
}

// Sheets are those of the page, in their order.
func (d *Drawer) Sheets() (sheets []Sheet) {
	names := []string{"eigenvalues", "eigenfunctions", "training"}
	if d.Results.Task.InTime() {
		names = append(processSheets(d.Results.Task), names...)
	}
	for _, name := range names {
		sheets = append(sheets, d.sheet(name))
	}
	return sheets
}

func (d *Drawer) sheet(name string) Sheet {
	return map[string]func() Sheet{
		"forecast": d.Forecast, "plane": d.Plane, "functions": d.Functions, "eigenvalues": d.Eigenvalues,
		"eigenfunctions": d.Eigenfunctions, "training": d.Training,
	}[name]()
}
