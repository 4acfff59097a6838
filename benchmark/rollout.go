package benchmark

import (
	"context"
	"fmt"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// RollOut predicts by a protocol what follows snapshots. With [ProtocolReencode], the model gets
// the snapshots, then its own predictions, and so on. With [ProtocolPowers], it predicts every step
// from the given snapshots. RollOut calls each with the predictions of every step, counted from 1.
// It checks the results of the model as a run does.
func RollOut(
	ctx context.Context, model core.Model, protocol string, x core.Snapshots, steps int,
	each func(step int, predicted core.Snapshots) error,
) error {
	return core.Contain(func() error { return rollOut(ctx, model, protocol, x, steps, each) })
}

func rollOut(
	ctx context.Context, model core.Model, protocol string, x core.Snapshots, steps int,
	each func(step int, predicted core.Snapshots) error,
) error {
	ahead, err := predictor(protocol, model)
	if err != nil {
		return err
	}
	for step := 1; step <= steps; step++ {
		next, err := predict(ctx, x, step, ahead)
		if err != nil {
			return fmt.Errorf("prediction at step %d: %w", step, err)
		}
		if err := each(step, next); err != nil {
			return err
		}
		if protocol != results.ProtocolPowers {
			x = next
		}
	}
	return nil
}
