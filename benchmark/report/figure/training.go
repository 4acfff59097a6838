package figure

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
)

var (
	trainingLine   = draw.LineStyle{Color: hue(0), Width: 1.2}
	validationLine = draw.LineStyle{Color: hue(6), Width: 1.2, Dashes: []vg.Length{4, 2}}
)

// Training draws the losses of each method's runs, and of the oracle if there is one, against the epoch. Losses of
// different methods are not comparable, so each panel has its own axis.
func (d *Drawer) Training() Sheet {
	s := Sheet{
		lettering: d.lettering, Name: "training", Title: "Training", Empty: "Neither the runs nor the oracle have " +
			"a training history.",
		ratio: 0.83,
		Note: "Losses are means over the batches of an epoch. The training loss is taken before each update. " +
			"Do not compare different losses.",
		Key: legend{
			{Name: "training", style: d.label, sample: sampleLine(trainingLine)},
			{Name: "validation", style: d.label, sample: sampleLine(validationLine)},
		},
	}
	var without []string
	add := func(title, subtitle string, histories [][]results.Epoch) {
		if len(histories) == 0 {
			without = append(without, title)
			return
		}
		p := d.lossPanel(title, histories)
		p.Title, p.Subtitle = title, subtitle
		s.Panels = append(s.Panels, p)
	}
	for _, e := range d.Exhibits {
		add(e.Label, strings.Join(append([]string{someSeeds(e.Runs)}, e.Remarks()...), ", "), e.Histories())
	}
	if oracle := d.Results.Oracle; !d.Results.Task.Judged() {
		s.Empty = "No run has a training history."
	} else {
		var history [][]results.Epoch
		if len(oracle.History) > 0 {
			history = append(history, oracle.History)
		}
		add("oracle: "+analysis.OrUnnamed(oracle.Name), fmt.Sprintf("seed %d", oracle.Seed), history)
	}
	return s.limited("a training history", without)
}

// lossPanel has the curves of at most so many runs.
func (d *Drawer) lossPanel(title string, histories [][]results.Epoch) panel {
	first := histories[0]
	label := fmt.Sprintf("%s: training loss from %.4g to %.4g over %d epochs, at the first of %d seeds",
		title, float64(first[0].Train), float64(first[len(first)-1].Train), len(first), len(histories))
	histories = histories[:min(len(histories), maxCurves)]
	last := 1.0
	var values []float64
	for _, history := range histories {
		for _, e := range history {
			values = append(values, float64(e.Train), float64(e.Validation))
			if n := float64(e.Epoch); n <= 1e9 {
				last = math.Max(last, n)
			}
		}
	}
	x := axis{label: "epoch", min: 1 - 0.03*last, max: 1.02 * last, ticks: epochTicks(last)}
	if last == 1 {
		x.min, x.max = 0.5, 1.5
	}
	y, ok := fitAxis("loss", values, 5)
	if !ok {
		p := newPlot(d.lettering, x, axis{label: "loss", min: 0, max: 1})
		return panel{plot: p, message: "no finite loss", label: title + ": no finite loss"}
	}
	p := newPlot(d.lettering, x, y)
	for _, history := range histories {
		p.Add(
			lossCurve(history, d.Points(), len(histories) > 1, trainingLine,
				func(e results.Epoch) results.Number { return e.Train }),
			lossCurve(history, d.Points(), len(histories) > 1, validationLine,
				func(e results.Epoch) results.Number { return e.Validation }))
	}
	return panel{plot: p, label: label}
}

// lossCurve is a line of one run at about so many points; one of many is thin.
func lossCurve(history []results.Epoch, most int, many bool, line draw.LineStyle,
	loss func(results.Epoch) results.Number) plot.Plotter {
	if many {
		line.Width, line.Color = 0.8, paintOf(line.Color).faded(0xc0)
	}
	l := curve{line: line}
	for _, i := range telling(len(history), most, func(i int) float64 { return float64(loss(history[i])) }) {
		n := float64(history[i].Epoch)
		if n < 1 || n > 1e9 {
			n = math.NaN()
		}
		l.at, l.values = append(l.at, n), append(l.values, float64(loss(history[i])))
	}
	return l
}

func epochTicks(last float64) []plot.Tick {
	if last <= 6 {
		return ticksIn(1, last, 6, true)
	}
	return withFirst(ticksIn(1, last, 5, true))
}
