package analysis

import (
	"fmt"
	"math"
	"slices"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

// PersistenceName is the name of a baseline whose score jumps: figures show it as dots.
const PersistenceName = results.Persistence

// Baseline is a level that needs no method. Scores have a meaning between such levels.
type Baseline struct {
	Name  string // "chance", [PersistenceName], [benchmark.Mean] or "oracle"
	Label string
	At    []float64 // score at each step, step 1 first
	Mean  float64
	Steps []*stats.Estimate // at each step; nil where nothing is estimated
	Total *stats.Estimate
}

// baselineLabels are what baselines are called.
var baselineLabels = map[string]string{PersistenceName: PersistenceName, results.Mean: "training mean"}

// Baselines are chance, persistence, and a third one. Persistence is a method that predicts its
// input. If there is an oracle, the third is the oracle on all true test snapshots, at every step.
// Otherwise it is the mean training snapshot as prediction. A baseline that the results do not have
// is left out.
func Baselines(r *results.Results, known Evidence, steps int) []Baseline {
	steps = min(steps, core.MaxSteps) // results may claim any number
	var all []Baseline
	if c := r.Task.Measure.Chance; c != nil {
		label := "chance"
		if r.Task.Judged() {
			label = fmt.Sprintf("chance (1/%d)", r.Task.States)
		}
		all = append(all, constant("chance", label, *c, nil, steps))
	}
	for _, b := range r.Baselines {
		label := baselineLabels[b.Name]
		if label == "" || r.Task.Judged() && b.Name == results.Mean {
			continue
		}
		if b, ok := known.baseline(b, steps); ok {
			b.Label = label
			all = append(all, b)
		}
	}
	if a := r.Oracle.TestAccuracy; r.Task.Judged() && a >= 0 && a <= 1 {
		var e *stats.Estimate
		if n := r.Task.Starts; n > 0 {
			e = proportion(a, n)
		}
		all = append(all, constant("oracle", "oracle on true "+SnapshotWord(r.Task)+"s", a, e, steps))
	}
	return all
}

// Value is the score at a step, counted from 1; NaN if there is none.
func (b Baseline) Value(step int) float64 {
	if step < 1 || step > len(b.At) {
		return math.NaN()
	}
	return b.At[step-1]
}

// Level reports whether it is drawn as a line at one height, because it is the same at all steps.
func (b Baseline) Level() bool {
	return b.Name != PersistenceName && !slices.ContainsFunc(b.At, func(v float64) bool { return v != b.Mean })
}

// constant is a baseline that is the same at all steps.
func constant(name, label string, score float64, e *stats.Estimate, steps int) Baseline {
	b := Baseline{Name: name, Label: label, Mean: score, Total: e, At: make([]float64, steps),
		Steps: make([]*stats.Estimate, steps)}
	for i := range steps {
		b.At[i], b.Steps[i] = score, e
	}
	return b
}
