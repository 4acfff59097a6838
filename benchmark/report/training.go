package report

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark"
)

var (
	trainingLine   = draw.LineStyle{Color: hue(0), Width: 1.4}
	validationLine = draw.LineStyle{Color: hue(6), Width: 1.4, Dashes: []vg.Length{4, 2}}
)

// training draws the losses of each method's runs, and of the oracle, against the epoch. Losses of different methods are
// not comparable, so each panel has its own axis.
func (m *material) training(l lettering) figure {
	var panels []panel
	var without []string
	for _, e := range m.exhibits {
		var histories [][]benchmark.Epoch
		for _, run := range e.runs {
			if len(run.History) > 0 {
				histories = append(histories, run.History)
			}
		}
		if len(histories) == 0 {
			name := e.label
			if e.run == nil {
				name += " (failed)"
			}
			without = append(without, name)
			continue
		}
		p := lossPanel(l, histories)
		p.title, p.subtitle = e.label, seedWords(seedsOf(e.runs))
		if r := e.remarks(); len(r) > 0 {
			p.subtitle += ", " + strings.Join(r, ", ")
		}
		panels = append(panels, p)
	}
	oracle := m.results.Oracle
	if len(oracle.History) > 0 {
		p := lossPanel(l, [][]benchmark.Epoch{oracle.History})
		p.title, p.subtitle = "oracle: "+orUnnamed(oracle.Name), fmt.Sprintf("seed %d", oracle.Seed)
		panels = append(panels, p)
	} else {
		without = append(without, "the oracle")
	}
	note := "Losses are means over the batches of an epoch, the training value taken before each update. Different losses are not comparable."
	if len(without) > 0 {
		note += " Without a training history: " + strings.Join(without, ", ") + "."
	}
	return panelFigure(l, panelSheet{
		name: "training", title: "Training and validation loss of each method", empty: "No training history.",
		panels: panels, note: note, ratio: 0.8,
		key: legend{
			{name: "training", style: l.label, sample: curve{line: trainingLine}.sample},
			{name: "validation", style: l.label, sample: curve{line: validationLine}.sample},
		},
	})
}

func lossPanel(l lettering, histories [][]benchmark.Epoch) panel {
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
		p := newPlot(l, x, axis{label: "loss", min: 0, max: 1})
		return panel{plot: p, message: "no finite loss"}
	}
	p := newPlot(l, x, y)
	for _, history := range histories {
		p.Add(lossCurves(history, len(histories))...)
	}
	return panel{plot: p}
}

// lossCurves are the lines of one of several runs; of many, they are thin.
func lossCurves(history []benchmark.Epoch, several int) []plot.Plotter {
	train, validation := curve{line: trainingLine}, curve{line: validationLine}
	for _, e := range history {
		n := float64(e.Epoch)
		if n < 1 || n > 1e9 {
			n = math.NaN()
		}
		train.at, train.values = append(train.at, n), append(train.values, float64(e.Train))
		validation.at, validation.values = append(validation.at, n), append(validation.values, float64(e.Validation))
	}
	if several > 1 {
		for _, c := range []*curve{&train, &validation} {
			c.line.Width = 0.8
			c.line.Color = color.Color(faded(c.line.Color.(color.NRGBA), 0xa0))
		}
	}
	return []plot.Plotter{train, validation}
}

func epochTicks(last float64) []plot.Tick {
	if last <= 6 {
		return ticksIn(1, last, 6, true)
	}
	ticks := ticksIn(1, last, 5, true)
	if ticks[0].Value > 1 && ticks[0].Value-1 > 0.5*(ticks[1].Value-ticks[0].Value) {
		ticks = append([]plot.Tick{{Value: 1, Label: "1"}}, ticks...)
	}
	return ticks
}
