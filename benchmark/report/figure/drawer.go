package figure

import (
	"fmt"
	"html/template"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
)

// Limits of what is drawn; results.json has all of it.
const (
	maxPanels    = 60     // of methods in one figure of the page
	maxDotsDrawn = 120000 // of eigenfunctions, over all methods
	maxCurves    = 40     // runs whose losses or eigenvalues one panel shows
)

// Drawer draws the figures of results, for files and for the page.
type Drawer struct {
	*analysis.Material
	lettering
	looks []look // by the methods' ids
}

// New returns the drawer of figures of what was gathered.
func New(m *analysis.Material) *Drawer {
	names := make([]string, len(m.Exhibits))
	for _, e := range m.Exhibits {
		names[e.ID] = e.Runs[0].DeclaredName()
	}
	return &Drawer{m, newLettering(), looksOf(names)}
}

// someSeeds names the seeds of the runs of a panel, and says if not all are shown.
func someSeeds(runs []*results.Run) string {
	text := analysis.SeedWords(analysis.SeedsOf(runs))
	if len(runs) > maxCurves {
		text += fmt.Sprintf(", the first %d shown", maxCurves)
	}
	return text
}

// swatch is a small picture of a width in pixels, beside a name.
func swatch(width float64, sample func(draw.Canvas)) template.HTML {
	c := newPageSVG(width, 14)
	sample(draw.Crop(draw.New(c), 0.7, -0.7, 0, 0))
	return c.element("swatch", "", "")
}

// MarkSwatch is the marker of a method.
func (d *Drawer) MarkSwatch(id int) template.HTML {
	return swatch(14, func(c draw.Canvas) { d.looks[id].mark(c, 3.6, c.Center()) })
}

// LevelSwatch is the line of a baseline, or its dots.
func LevelSwatch(name string, width float64) template.HTML {
	return swatch(width, baselineSample(name))
}

// The small plot of a row of the ranking.
const dotPlotWidth, dotPlotHeight = 132.0, 18.0

// dotPlotAxis is its range: all shares, or the mean scores over all steps that are there.
func (d *Drawer) dotPlotAxis() axis {
	whole := axis{max: 1, ticks: []plot.Tick{{Value: 0, Label: "0"}, {Value: 0.5, Label: "0.5"}, {Value: 1, Label: "1"}}}
	if d.Measure.Share() {
		return whole
	}
	var means []float64
	for _, e := range d.Exhibits {
		means = append(means, e.Overall())
	}
	for _, b := range d.Levels {
		means = append(means, b.Mean)
	}
	var ends []float64
	for _, e := range d.Exhibits {
		if e.Total != nil {
			ends = append(ends, e.Total.Interval.Low, e.Total.Interval.High)
		}
	}
	means = append(means, nearby(means, ends)...)
	if a, ok := fitAxis("", means, 3); ok {
		return a
	}
	return whole
}

// dotPlotAt returns what gives the place of a value in it.
func (d *Drawer) dotPlotAt() func(v float64) vg.Length {
	a := d.dotPlotAxis()
	return func(v float64) vg.Length {
		v = min(max(v, a.min), a.max)
		return vg.Length((6 + (dotPlotWidth-12)*(v-a.min)/(a.max-a.min)) / pageUnit)
	}
}

// DotPlotScale is the scale above the small plots.
func (d *Drawer) DotPlotScale() template.HTML {
	c, at := newPageSVG(dotPlotWidth, 12), d.dotPlotAt()
	for _, t := range d.dotPlotAxis().ticks {
		letter(draw.New(c), d.tick, at(t.Value), 1.5, text.XCenter, t.Label)
	}
	return c.element("scale", "", "")
}

// DotPlot shows a score with its interval, and the levels of the baselines: of a method, or,
// with nil, of a baseline.
func (d *Drawer) DotPlot(value float64, e *stats.Estimate, of *analysis.Summary) template.HTML {
	if !analysis.Drawable(value) {
		return ""
	}
	place := d.dotPlotAt()
	c := newPageSVG(dotPlotWidth, dotPlotHeight)
	on := draw.New(c)
	middle := on.Center().Y
	line := draw.LineStyle{Color: dim.faded(0x80), Width: 0.7}
	on.StrokeLine2(line, 6/pageUnit, middle, (dotPlotWidth-6)/pageUnit, middle)
	for _, b := range d.Levels {
		on.StrokeLine2(baselineStyles[b.Name], place(b.Mean), 1.4, place(b.Mean), on.Max.Y-1.4)
	}
	whisker := draw.LineStyle{Color: ink, Width: 1.1}
	if of != nil {
		whisker.Color = edge(d.looks[of.ID].colour)
	}
	if e != nil {
		on.StrokeLine2(whisker, place(e.Interval.Low), middle, place(e.Interval.High), middle)
	}
	at := vg.Point{X: place(value), Y: middle}
	if of != nil {
		d.looks[of.ID].mark(on, 3.6, at)
	} else {
		dot(on, ink, 2.1, at)
	}
	return c.element("row", "", "")
}
