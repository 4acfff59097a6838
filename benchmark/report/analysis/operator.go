package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/koopbench/koopbench/benchmark/diagnostics"
	"github.com/koopbench/koopbench/benchmark/results"
)

// operatorQuantities are what is known of the operators of runs, and of how long their predictions are valid.
func operatorQuantities(t results.TaskInfo) []Quantity {
	of := func(value func(d *results.Diagnostics) float64) func(*run) float64 {
		return func(r *run) float64 {
			if r.Diagnostics == nil {
				return math.NaN()
			}
			return value(r.Diagnostics)
		}
	}
	unit := cmp.Or(OneLine(t.TimeUnit), "snapshots")
	return []Quantity{
		{"spectral error", "both ways between estimated and true eigenvalues, lower is " +
			"better", of(func(d *results.Diagnostics) float64 {
			return orUnknown(d.SpectralError)
		}), significant},
		{"one way", "from estimated to true eigenvalues, as in publications", of(func(d *results.Diagnostics) float64 {
			return orUnknown(d.SpectralErrorDirected)
		}), significant},
		{"eigenfunctions", "mean error over the known ones, 0 to 1", of(eigenfunctionError), significant},
		{"timescale", "slowest, in " + unit, func(r *run) float64 {
			if r.Diagnostics == nil {
				return math.NaN()
			}
			return slowest(t, r.Eigenvalues, r.Diagnostics.Constant)
		}, significant},
		{"VAMP-2", "of right eigenfunctions on test snapshots, higher is better", of(func(d *results.Diagnostics) float64 {
			return orUnknown(d.VAMP2)
		}), significant},
		{"C–K", "Chapman–Kolmogorov: largest error of powers of eigenvalues on test snapshots", of(
			func(d *results.Diagnostics) float64 { return largest(d.ChapmanKolmogorov) }), significant},
		{"valid", "time up to an error of " + fmt.Sprint(t.ValidUpTo) + ", mean over starts, in " + unit +
			", higher is better",
			func(r *run) float64 { return validTime(t, r.Ranked.Scores) }, significant},
	}
}

// eigenfunctionError is the mean over the true eigenfunctions that are known.
func eigenfunctionError(d *results.Diagnostics) float64 {
	var values []float64
	for _, v := range d.EigenfunctionErrors {
		if v != nil {
			values = append(values, *v)
		}
	}
	return Average(values)
}

// slowest is the slowest implied timescale, except for that of constant functions, in the unit of the task.
func slowest(t results.TaskInfo, values []results.Complex, constant []int) float64 {
	for j, v := range values {
		if slices.Contains(constant, j) {
			continue
		}
		if scale := diagnostics.Timescale(complex128(v), lagTime(t)); Drawable(scale) {
			return scale
		}
	}
	return math.NaN()
}

// lagTime is how long a step takes, in the unit of the task.
func lagTime(t results.TaskInfo) float64 { return t.Clock().Time(float64(t.Lag)) }

func largest(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return slices.Max(values)
}

// validTime is the mean over starts of the time up to which predictions are valid, in the unit of the task.
func validTime(t results.TaskInfo, scores [][]float64) float64 {
	if t.ValidUpTo == 0 || len(scores) == 0 {
		return math.NaN()
	}
	steps := 0.0
	for _, n := range diagnostics.ValidSteps(scores, t.ValidUpTo) {
		steps += float64(n)
	}
	return steps / float64(len(scores[0])) * lagTime(t)
}

func significant(values []float64) string { return fmt.Sprintf("%.3g", Average(values)) }

// operatorTable says what is known of the operators of runs, nil if nothing is. The truth has a row of its own.
func operatorTable(r *results.Results, all []Summary) *Table {
	shown := knownOf(operatorQuantities(r.Task), all)
	if len(shown) == 0 {
		return nil
	}
	t := quantityTable("operators", shown, all)
	others := section{Heading: "for comparison"}
	add := func(name string, values map[string]float64) {
		cells, any := []cell{{Value: name}}, false
		for _, c := range shown {
			v, ok := values[c.Name]
			if ok = ok && Drawable(v); ok {
				cells, any = append(cells, cell{Value: significant([]float64{v})}), true
			} else {
				cells = append(cells, cell{Value: None})
			}
		}
		if any {
			others.Rows = append(others.Rows, row{Cells: cells})
		}
	}
	add(TruthWord, map[string]float64{"timescale": trueTimescale(r.Task)})
	for _, b := range r.Baselines {
		add(cmp.Or(baselineLabels[b.Name], OneLine(b.Name)), map[string]float64{"valid": validTime(r.Task, b.Scores)})
	}
	if len(others.Rows) > 0 {
		t.Sections = append(t.Sections, others)
	}
	return t
}

// trueTimescale is that of the largest true eigenvalue that is not 1.
func trueTimescale(t results.TaskInfo) float64 {
	return slowest(t, t.Eigenvalues, nil)
}

// operatorFacts explains the columns.
func operatorFacts(t *Table) [][2]string {
	if t == nil {
		return nil
	}
	var facts [][2]string
	name := "operator"
	for _, c := range t.Columns[1:] {
		facts = append(facts, [2]string{name, c.Name + ": " + c.More})
		name = ""
	}
	return facts
}
