package report

import (
	"fmt"
	"slices"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

// persistenceName is the name of a baseline whose accuracy leaps: figures show it as dots.
const persistenceName = "persistence"

// baseline is what no method is needed for: the levels between which accuracies mean something.
type baseline struct {
	name  string // "chance", persistenceName or "oracle"
	label string
	at    []float64 // accuracy at each step, step 1 first
	mean  float64
	steps []*stats.Estimate // at each step; nil where nothing is estimated
	total *stats.Estimate
}

// baselines are chance; persistence, a method that predicts its input; and the oracle on the true
// test snapshots, on all of them at every step. One that the results do not tell is left out.
func baselines(r *benchmark.Results, known evidence, steps int) []baseline {
	steps = min(steps, core.MaxSteps) // results may claim any number
	var all []baseline
	if c := r.Task.Measure.Chance; c != nil {
		label := "chance"
		if r.Task.Judged() {
			label = fmt.Sprintf("chance (1/%d)", r.Task.States)
		}
		all = append(all, constant("chance", label, *c, nil, steps))
	}
	if at, total, ok := known.persistence(steps); ok {
		b := baseline{name: persistenceName, label: "persistence", mean: total.Mean, steps: at, total: total}
		for _, e := range at {
			b.at = append(b.at, e.Mean)
		}
		all = append(all, b)
	}
	if a := r.Oracle.TestAccuracy; r.Task.Judged() && a >= 0 && a <= 1 {
		var e *stats.Estimate
		if n := r.Task.Starts; n > 0 {
			e = proportion(a, n)
		}
		all = append(all, constant("oracle", "oracle on true images", a, e, steps))
	}
	return all
}

// level reports whether it is drawn as a line at one height: it is the same at all steps.
func (b baseline) level() bool {
	return b.name != persistenceName && !slices.ContainsFunc(b.at, func(v float64) bool { return v != b.mean })
}

// constant is a baseline that is the same at all steps.
func constant(name, label string, accuracy float64, e *stats.Estimate, steps int) baseline {
	b := baseline{name: name, label: label, mean: accuracy, total: e, at: make([]float64, steps), steps: make([]*stats.Estimate, steps)}
	for i := range steps {
		b.at[i], b.steps[i] = accuracy, e
	}
	return b
}
