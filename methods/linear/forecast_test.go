package linear_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/dataset"
	"github.com/koopbench/koopbench/methods/linear"
)

// TestProtocolsAgree: what is predicted is linear in the features, and they are the image itself,
// so feeding a prediction back gives what the power of the operator gives, up to the rounding of
// images to float32.
func TestProtocolsAgree(t *testing.T) {
	set, err := dataset.MNIST()
	require.NoError(t, err)
	const digits, train, validation, test, steps = 5, 600, 50, 50, 15
	s, err := set.Ordered(digits, train+validation+test)
	require.NoError(t, err)
	m := linear.New()
	options, err := m.Describe().Resolve(nil)
	require.NoError(t, err)
	model, err := m.Fit(t.Context(), &core.Training{
		Train:      core.OneTrajectory(s.Snapshots.Slice(0, train)),
		Validation: core.OneTrajectory(s.Snapshots.Slice(train, train+validation)),
		Lag:        1, States: digits, Options: options, Seed: 1, Name: "linear", Progress: core.NoProgress,
	})
	require.NoError(t, err)
	forecaster, ok := core.As[core.Forecaster](model)
	require.True(t, ok)
	first := s.Snapshots.Slice(train+validation, train+validation+test)
	x := first
	for n := 1; n <= steps; n++ {
		x, err = model.Predict(t.Context(), x)
		require.NoError(t, err)
		ahead, err := forecaster.Forecast(t.Context(), first, n)
		require.NoError(t, err)
		assert.InDelta(t, 0, apart(x.Floats(), ahead.Floats()), 1e-5, "step %d", n)
	}
}

// apart is the largest difference of two lists of numbers, relative to the largest number.
func apart(x, y []float32) float64 {
	difference, largest := 0.0, 0.0
	for i, v := range x {
		difference = max(difference, math.Abs(float64(v)-float64(y[i])))
		largest = max(largest, math.Abs(float64(v)))
	}
	return difference / largest
}
