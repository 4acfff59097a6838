package check

import (
	"context"
	"fmt"
	"slices"

	"github.com/koopbench/koopbench/core"
)

// forecasts returns the long fit and what its model forecasts.
func (s *trainee) forecasts(ctx context.Context) (*longFit, func(x core.Snapshots, steps int) (table, error), error) {
	l, err := s.fitLong(ctx)
	if err != nil {
		return nil, nil, err
	}
	forecaster, ok := core.As[core.Forecaster](l.fitted)
	if !ok {
		return nil, nil, undeclared("model", "Forecaster")
	}
	return l, func(x core.Snapshots, steps int) (table, error) {
		next, err := forecaster.Forecast(ctx, x, steps)
		switch {
		case err != nil:
			return table{}, failed("Forecast", err)
		case next.Len() != x.Len() || x.Len() > 0 && !next.SameShape(x):
			return table{}, wrong("return a snapshot for each, in the same order and shape",
				"Forecast returned %d snapshots of shape %v for %d of shape %v",
				next.Len(), next.Shape(), x.Len(), x.Shape())
		}
		return snapshotTable(next), nil
	}, nil
}

// aheads are numbers of steps that forecasts are checked at.
func (s *trainee) aheads() []int { return []int{2, 3, s.o.States + 1} }

func (s *trainee) checkForecaster(ctx context.Context, _ *notes) error {
	l, forecast, err := s.forecasts(ctx)
	if err != nil {
		return err
	}
	x, memory, err := floats(l.training.Validation.At(0))
	if err != nil {
		return err
	}
	before := slices.Clone(memory)
	want, err := s.apply(ctx, l.fitted, x)
	if err != nil {
		return failed("Predict", err)
	}
	steps := append(s.aheads(), 1)
	ahead := make([]table, len(steps))
	for i, n := range steps {
		if ahead[i], err = forecast(x, n); err != nil {
			return err
		}
		if where := ahead[i].nonFinite(); where != "" {
			return wrong("return an error that wraps core.ErrNonFinite where an operator grows without bound",
				"%d steps ahead %s", n, where)
		}
	}
	if d := want.difference(ahead[len(steps)-1]); d != "" {
		return wrong("count one lag as one step, and go the same way in both", "Predict and Forecast one step ahead: %s", d)
	}
	if !slices.Equal(memory, before) {
		return wrong("work on a copy", "Forecast changed the snapshots that it was given")
	}
	for i, n := range steps {
		again, err := forecast(x, n)
		if err != nil {
			return err
		}
		if d := ahead[i].difference(again); d != "" {
			return wrong("keep nothing of a call", "Forecast %d steps ahead, twice with other numbers of steps in between: %s",
				n, d)
		}
	}
	if err := rowsIndependent(l.data.x, func(x core.Snapshots) (table, error) { return forecast(x, 2) },
		"Forecast 2 steps ahead"); err != nil {
		return err
	}
	if _, err := forecast(x.Slice(0, 0), 2); err != nil {
		return wrong("return an empty result for an empty sequence", "Forecast of no snapshots failed: %v", err)
	}
	forecaster, _ := core.As[core.Forecaster](l.fitted)
	if err := (refusal{call: "Forecast of 0 steps", kind: core.ErrOption, do: func() error {
		_, err := forecaster.Forecast(ctx, x, 0)
		return err
	}}).check(); err != nil {
		return err
	}
	return interruption{name: "Forecast", grace: s.o.Grace, strict: true, call: func(ctx context.Context, _ func()) error {
		_, err := forecaster.Forecast(ctx, x, 2)
		return err
	}}.check(ctx)
}

func (s *trainee) checkForecastSteps(ctx context.Context, n *notes) error {
	l, forecast, err := s.forecasts(ctx)
	if err != nil {
		return err
	}
	for _, steps := range s.aheads() {
		out, err := forecast(l.training.Validation.At(0), steps)
		if err != nil {
			return err
		}
		if err := s.checkForecast(l.fitted, l.data, out, steps, n); err != nil {
			return inCase(fmt.Sprintf("%d steps ahead", steps), err)
		}
	}
	return nil
}
