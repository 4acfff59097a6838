// Package method shows how to add a method to the benchmark: describe it, fit it, predict with it. Command custombench runs
// it beside the built-in methods.
package method

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Analogue predicts what followed the most similar training snapshot (Lorenz, "Atmospheric predictability as revealed by
// naturally occurring analogues", J. Atmos. Sci. 26, 1969).
type Analogue struct{}

var _ core.Method = Analogue{}

// Describe implements [core.Method].
func (Analogue) Describe() core.Description {
	return core.Description{Name: "analogue", Summary: "what followed the most similar training snapshot (Lorenz 1969)"}
}

// Fit implements [core.Method].
func (Analogue) Fit(_ context.Context, t *core.Training) (core.Model, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	return past{t.Train.Matrix(), t.Lag}, nil
}

// past is the training sequence, one row a snapshot.
type past struct {
	*mat.Dense
	lag int
}

// Predict implements [core.Model].
func (p past) Predict(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
	n, d := p.Dims()
	if x.Size() != d {
		return core.Snapshots{}, fmt.Errorf("%w: snapshots of shape %v after training on %d values each", core.ErrShape, x.Shape(), d)
	}
	next := x.Matrix()
	for i := range x.Len() {
		if err := ctx.Err(); err != nil {
			return core.Snapshots{}, err
		}
		row, nearest, least := next.RawRowView(i), 0, math.Inf(1)
		for t := range n - p.lag {
			if distance := floats.Distance(row, p.RawRowView(t), 2); distance < least {
				nearest, least = t, distance
			}
		}
		copy(row, p.RawRowView(nearest+p.lag))
	}
	return core.SnapshotsFromMatrix(next, x.Shape()...)
}
