// Package method shows how to add a method to the benchmark: describe it, fit it, predict with it.
// Command custombench runs it beside the built-in methods.
//
// The method checks neither data nor shapes: registries, plugins and conformance suites put a guard
// around it ([core.Guard]).
package method

import (
	"context"

	"gonum.org/v1/gonum/floats"

	"github.com/koopbench/koopbench/core"
)

// Nearest predicts what followed the most similar training snapshot (Lorenz, "Atmospheric predictability as revealed by
// naturally occurring analogues", J. Atmos. Sci. 26, 1969).
type Nearest struct{}

var _ core.Method = Nearest{}

// Describe implements [core.Method].
func (Nearest) Describe() core.Description {
	return core.Description{
		Name: "nearest", Summary: "what followed the most similar training snapshot",
		Doc: "E. N. Lorenz, Atmospheric predictability as revealed by naturally occurring analogues, " +
			"J. Atmos. Sci. 26, 1969.",
	}
}

// Fit implements [core.Method].
func (Nearest) Fit(_ context.Context, t *core.Training) (core.Model, error) {
	past, lag := t.Train.Matrix(), t.Lag // one row a snapshot
	starts := t.Train.PairStarts(lag)    // those of them that something follows
	distances := make([]float64, starts.Len())
	return core.ModelFunc(func(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
		next := x.Matrix()
		for i := range x.Len() {
			for s := range distances {
				distances[s] = floats.Distance(next.RawRowView(i), past.RawRowView(starts.At(s)), 2)
			}
			next.SetRow(i, past.RawRowView(starts.At(floats.MinIdx(distances))+lag))
			if err := ctx.Err(); err != nil {
				return core.Snapshots{}, err
			}
		}
		return core.SnapshotsFromMatrix(next, x.Shape()...)
	}), nil
}
