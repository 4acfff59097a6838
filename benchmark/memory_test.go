package benchmark_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// remembering is a method that keeps the snapshots that it is shown to predict, and forecasts better when it has some.
type remembering struct{ *method }

func (m remembering) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	fitted, err := m.method.Fit(ctx, t)
	return &rememberer{model: fitted.(model)}, err
}

type rememberer struct {
	model
	shown int
}

func (m *rememberer) Predict(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
	m.shown = max(m.shown, x.Len())
	return m.model.Predict(ctx, x)
}

func (m *rememberer) Forecast(ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error) {
	if m.shown > 1 {
		return moved(steps)(ctx, x) // right
	}
	return moved(steps+1)(ctx, x)
}

// TestOneProtocolTeachesTheOtherNothing: a model that has seen all starts in the roll-out by one
// protocol, and answers by what it saw in the other, differs from what it answered alone before any
// roll-out.
func TestOneProtocolTeachesTheOtherNothing(t *testing.T) {
	m := remembering{&method{name: "remembers", predict: moved(1)}}
	p := powers(t, t.TempDir(), m)
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, results.StatusInvalid, got.Runs[0].Status)
	assert.Contains(t, got.Runs[0].Reason, "row-independence: test snapshot ")
	assert.Equal(t, results.StatusOK, got.Runs[0].Evaluation(results.ProtocolReencode).Status)
}
