// Package analogue is forecasting by analogues. It predicts what followed the most similar training
// snapshots.
package analogue

import (
	"context"
	"fmt"
	"slices"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/affine"
)

// New returns the method "analogue".
func New() core.Method { return core.GuardMethod(method{}) }

type method struct{}

var (
	_ core.Method      = method{}
	_ core.ModelLoader = method{}
	_ core.Checker     = method{}
)

const neighboursOption = "neighbours"

// Describe implements [core.Method].
func (method) Describe() core.Description {
	return core.Description{
		Name: "analogue", Summary: "what followed the most similar training snapshots",
		Doc: "A prediction is the mean of what followed the nearest training snapshots. The distance is Euclidean; if " +
			"snapshots are equally near, the earlier ones count (Lorenz, Atmospheric predictability as revealed by " +
			"naturally occurring analogues, J. Atmos. Sci. 26, 1969). The method does not learn and has no operator, so " +
			"it has no powers or spectrum. The time of a prediction grows with the number of training snapshots. A " +
			"saved model has all of them.",
		Options: []core.Option{core.IntOption(neighboursOption, 1, 1, 1<<20,
			"number of nearest training snapshots, at most the number of lagged pairs")},
	}
}

// Fit implements [core.Method].
func (m method) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	if err := m.Check(t); err != nil {
		return nil, err
	}
	var past []core.Snapshots
	for _, part := range t.Train.All() {
		own, err := copied(part)
		if err != nil {
			return nil, err
		}
		past = append(past, own)
	}
	own, err := core.NewTrajectories(past...)
	if err != nil {
		return nil, err
	}
	return newModel(ctx, own, t.Lag, t.Options.Int(neighboursOption))
}

// Check implements [core.Checker].
func (method) Check(t *core.Training) error {
	neighbours, pairs := t.Options.Int(neighboursOption), t.Train.Pairs(t.Lag)
	if neighbours > pairs {
		return fmt.Errorf("%w: neighbours=%d for %d lagged pairs of training snapshots; give at most %d", core.ErrOption,
			neighbours, pairs, pairs)
	}
	if values := t.Train.Len() * t.Train.Size(); values > mostKept {
		return fmt.Errorf("%w: the model keeps all %d training snapshots of %d values, but the most is %d "+
			"values: give at most %d snapshots", core.ErrUnavailable, t.Train.Len(), t.Train.Size(), mostKept,
			mostKept/t.Train.Size())
	}
	return nil
}

// mostKept is the largest number of values of training snapshots that a model keeps, 2 GiB of them.
const mostKept = 1 << 29

// copied returns a copy of x. It has 8 bits a value if x has.
func copied(x core.Snapshots) (core.Snapshots, error) {
	if pixels, ok := x.Pixels(); ok {
		return core.NewPixelSnapshots(slices.Clone(pixels), x.Shape()...)
	}
	values := make([]float32, x.Len()*x.Size())
	x.Read(values, 0)
	return core.NewSnapshots(values, x.Shape()...)
}

func newModel(ctx context.Context, past core.Trajectories, lag, neighbours int) (*model, error) {
	coordinates, err := affine.Centre(ctx, past) // about 0, where distances are computed best
	return &model{past, past.PairStarts(lag), coordinates, lag, neighbours}, err
}
