package report

import (
	"fmt"
	"slices"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/stats"
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
	steps = min(steps, benchmark.MaxSteps) // results may claim any number
	var all []baseline
	if c := r.Task.States; c > 0 {
		all = append(all, constant("chance", fmt.Sprintf("chance (1/%d)", c), 1/float64(c), nil, steps))
	}
	if at, total, ok := known.persistence(steps); ok {
		b := baseline{name: persistenceName, label: "persistence", mean: total.Mean, steps: at, total: total}
		for _, e := range at {
			b.at = append(b.at, e.Mean)
		}
		all = append(all, b)
	}
	if a := r.Oracle.TestAccuracy; a >= 0 && a <= 1 {
		var e *stats.Estimate
		if n := r.Task.Test; n > 0 {
			e = proportion(a, n)
		}
		all = append(all, constant("oracle", "oracle on true images", a, e, steps))
	}
	return all
}

// value is the accuracy at a step, counted from 1, −1 where there is none.
func (b baseline) value(step int) float64 {
	if step < 1 || step > len(b.at) {
		return -1
	}
	return b.at[step-1]
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
