package figure

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
)

// Eigenfunctions draws, for each method, the real parts of the two leading left eigenfunctions that
// are not constant, at the test snapshots, against each other, coloured by state; of a model with
// only one, its values against the number of the snapshot.
func (d *Drawer) Eigenfunctions() Sheet {
	word := analysis.StateWord(d.Results.Task)
	s := Sheet{
		lettering: d.lettering, Name: "eigenfunctions", Title: "Left eigenfunctions", ratio: 1,
		Empty: "No run has eigenfunctions.", Note: analysis.EigenfunctionNote(d.Results.Task),
	}
	for state := range min(d.Results.Task.States, len(palette)) {
		s.Key = append(s.Key, LegendEntry{Name: fmt.Sprintf("%s %d", word, state), style: d.label, narrow: true,
			sample: func(c draw.Canvas) { dot(c, hue(state), 2.7, c.Center()) }})
	}
	var without []string
	for _, e := range d.Exhibits {
		if why := e.WithoutEigenfunctions(); why != "" {
			without = append(without, fmt.Sprintf("%s (%s)", e.Label, why))
			continue
		}
		label := fmt.Sprintf("%s: the leading left eigenfunctions at %d test snapshots", e.Label, len(e.Modes[0].Real))
		if len(s.Key) > 0 {
			label += ", coloured by " + word
		}
		s.Panels = append(s.Panels, panel{Title: e.Label, Subtitle: e.ShownEigenvalues(), label: label,
			plot: d.eigenfunctionPlot(e.Modes)})
	}
	return s.limited("eigenfunctions", without)
}

// eigenfunctionPlot has both axes from −1.6 to 1.6, or farther where values go farther.
func (d *Drawer) eigenfunctionPlot(modes []analysis.Mode) *plot.Plot {
	reach := 1.5
	for _, mode := range modes {
		for _, v := range mode.Real {
			if analysis.Drawable(v) {
				reach = math.Max(reach, math.Abs(v))
			}
		}
	}
	reach *= 1.07
	ticks := ticksIn(-reach, reach, 5, false)
	first, last := modes[0], modes[len(modes)-1]
	x := axis{label: first.Axis(), min: -reach, max: reach, ticks: ticks}
	points := scatter{x: first.Real, y: last.Real, labels: d.Task.TestStates, most: d.shownDots()}
	if len(modes) == 1 {
		n := float64(max(len(last.Real), 2))
		x = axis{label: "test snapshot", min: -0.02*n - 0.5, max: 1.02*n - 0.5, ticks: ticksIn(0, n-1, 4, true)}
		points.x = make([]float64, len(last.Real))
		for i := range points.x {
			points.x[i] = float64(i)
		}
	}
	p := newPlot(d.lettering, x, axis{label: last.Axis(), min: -reach, max: reach, ticks: ticks})
	p.Add(points)
	return p
}

// shownDots is the number of snapshots at which the eigenfunctions of a method are drawn.
func (d *Drawer) shownDots() int {
	shown := 0
	for _, e := range d.Exhibits {
		if len(e.Modes) > 0 {
			shown++
		}
	}
	return max(50, maxDotsDrawn/max(1, min(shown, maxPanels)))
}

// scatter draws points coloured by label, at most about so many, of each label its share. Without
// labels they have one colour.
type scatter struct {
	x, y   []float64
	labels []int
	most   int
}

// layers is the number of passes over the points: colours of later labels cover those of earlier
// ones within a pass only.
const layers = 4

func (s scatter) Plot(c draw.Canvas, p *plot.Plot) {
	n := min(len(s.x), len(s.y))
	if len(s.labels) == 0 {
		s.labels = make([]int, n)
	}
	n = min(n, len(s.labels))
	var of [len(palette)][]int // the places of a label
	for i, label := range s.labels[:n] {
		label = (label%len(of) + len(of)) % len(of)
		of[label] = append(of[label], i)
	}
	for label, places := range of {
		shown := analysis.Sampled(len(places), max(1, len(places)*min(s.most, n)/max(n, 1)))
		for i, at := range shown {
			shown[i] = places[at-1]
		}
		of[label] = shown
	}
	for layer := range layers {
		for label, places := range of {
			part := slices.DeleteFunc(slices.Clone(places), func(i int) bool { return i*layers/n != layer })
			x, y := make([]float64, len(part)), make([]float64, len(part))
			for k, i := range part {
				x[k], y[k] = s.x[i], s.y[i]
			}
			dotted(x, y, hue(label).faded(0xb8), 1.3).Plot(c, p)
		}
	}
}
