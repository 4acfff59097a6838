package autoencoder

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	_ "github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/synthetic"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/nn"
)

func newMethod() core.Method {
	return New(nn.NewRuntime("cpu"), &Options{Network: &nn.CNN{Channels: []int{4, 8}, Kernel: 3}})
}

func fit(t *testing.T, options map[string]any) (core.Model, *core.Training) {
	m := newMethod()
	tr, err := synthetic.Training(m.Describe(), 120, 8, 3, 2, options)
	require.NoError(t, err)
	model, err := m.Fit(t.Context(), tr)
	require.NoError(t, err)
	return model, tr
}

func TestUntrainedAutoencoder(t *testing.T) {
	model, _ := fit(t, map[string]any{"epochs": 1, "lr": 1e-9})
	assert.Contains(t, core.ReportOf(model).Untrained, "not 10% below")

	// A decoder that only the latents' linearity trains reconstructs nothing.
	model, _ = fit(t, map[string]any{"epochs": 5, "reconstruction": 0.0, "prediction": 0.0})
	assert.Contains(t, core.ReportOf(model).Untrained, "mean squared error")

	model, tr := fit(t, map[string]any{"epochs": 30, "batch_size": 16, "lr": 0.01})
	assert.Empty(t, core.ReportOf(model).Untrained)
	now, next := tr.Validation.Snapshots().Slice(0, 20), tr.Validation.Snapshots().Slice(1, 21)
	x, err := model.Predict(t.Context(), now)
	require.NoError(t, err)
	assert.Less(t, squaredError(x, next), 0.5*squaredError(now, next), "it predicts the successor")
}

func squaredError(x, y core.Snapshots) float64 {
	sum, other := 0.0, y.Floats()
	for i, v := range x.Floats() {
		sum += float64(v-other[i]) * float64(v-other[i])
	}
	return sum / float64(len(other))
}

// TestForecastDecodesTheEvolvedLatents: the latents of the snapshot itself are advanced by all steps, and decoded then.
func TestForecastDecodesTheEvolvedLatents(t *testing.T) {
	model, tr := fit(t, map[string]any{"epochs": 5, "batch_size": 16, "lr": 0.01})
	forecaster, ok := core.As[core.Forecaster](model)
	require.True(t, ok)
	e := newEmbedder(nn.NewRuntime("cpu"), &Options{Network: nn.CNN{Channels: []int{4, 8}, Kernel: 3}})
	embedding, err := e.Fit(t.Context(), tr) // the same network from the same seed
	require.NoError(t, err)
	decoder, ok := core.As[core.Decoder](embedding)
	require.True(t, ok)
	latents, err := embedding.Embed(t.Context(), tr.Train.Snapshots())
	require.NoError(t, err)
	operator, err := linalg.FitRidge(t.Context(), latents, nil, tr.Lag,
		&linalg.RidgeOptions{Rank: tr.States, Precision: compose.Float32})
	require.NoError(t, err)

	x := tr.Validation.Snapshots()
	z, err := embedding.Embed(t.Context(), x)
	require.NoError(t, err)
	for n := 1; n <= 15; n++ {
		if z, err = operator.Predict(z, 1); err != nil {
			t.Fatal(err)
		}
		want, err := decoder.Decode(t.Context(), z)
		require.NoError(t, err)
		got, err := forecaster.Forecast(t.Context(), x, n)
		require.NoError(t, err)
		assert.InDelta(t, 0, squaredError(want, got), 1e-10, "%d steps", n)
	}
}
