package linear_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/synthetic"
	"github.com/koopbench/koopbench/methods/linear"
)

func TestPixelsAreStandardised(t *testing.T) {
	x, _ := synthetic.Images(50, 6, 3, 1)
	values := append([]float32{}, x.Floats()...)
	for i := range 50 {
		values[36*i+1] = 0.1 // constant, and not a sum of powers of two
	}
	x, err := core.NewSnapshots(values, 6, 6)
	require.NoError(t, err)
	tr := &core.Training{
		Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x),
		Lag: 1, States: 3, Progress: core.NoProgress,
	}
	embedding, err := linear.Pixels().Fit(t.Context(), tr)
	require.NoError(t, err)
	require.Equal(t, 36, embedding.Dim())
	z, err := embedding.Embed(t.Context(), x)
	require.NoError(t, err)
	for j := range 36 {
		column := mat.Col(nil, j, z)
		mean, square := 0.0, 0.0
		for _, v := range column {
			mean += v / 50
			square += v * v / 50
		}
		assert.InDelta(t, 0, mean, 1e-12)
		if j == 1 {
			assert.Zero(t, square, "a constant value is not divided by its deviation")
		} else {
			assert.InDelta(t, 1, square, 1e-12, "the population deviation")
		}
	}
	decoder, ok := core.As[core.Decoder](embedding)
	require.True(t, ok)
	back, err := decoder.Decode(t.Context(), z)
	require.NoError(t, err)
	assert.Equal(t, x.Shape(), back.Shape())
	assert.InDeltaSlice(t, x.Floats(), back.Floats(), 1e-7)

	_, err = embedding.Embed(t.Context(), core.Snapshots{})
	require.NoError(t, err)
	other, _ := synthetic.Images(3, 8, 3, 1)
	_, err = embedding.Embed(t.Context(), other)
	require.ErrorIs(t, err, core.ErrShape)
	_, err = decoder.Decode(t.Context(), mat.NewDense(2, 35, nil))
	require.ErrorIs(t, err, core.ErrShape)
	tr.Train = core.OneTrajectory(x.Slice(0, 1))
	_, err = linear.Pixels().Fit(t.Context(), tr)
	require.ErrorIs(t, err, core.ErrTooShort)
}

// TestLinearFollowsALinearProcess: snapshots that a matrix carries into one another are predicted
// exactly, and to float64's rounding, outside [0, 1] too.
func TestLinearFollowsALinearProcess(t *testing.T) {
	const n, turn = 400, 2 * math.Pi / 20 // 300 snapshots are whole turns, so their mean is the centre
	values := make([]float32, 0, 2*n)
	for i := range n {
		angle := turn * float64(i)
		values = append(values, float32(3+5*math.Cos(angle)), float32(-2+5*math.Sin(angle)))
	}
	x, err := core.NewSnapshots(values, 2)
	require.NoError(t, err)
	m := linear.New()
	options, err := m.Describe().Resolve(map[string]any{"alpha": 0.0})
	require.NoError(t, err)
	model, err := m.Fit(t.Context(), &core.Training{
		Train: core.OneTrajectory(x.Slice(0, 300)), Validation: core.OneTrajectory(x.Slice(300, 400)),
		Lag: 2, States: 5, Options: options, Name: "linear", Progress: core.NoProgress,
	})
	require.NoError(t, err)
	predicted, err := model.Predict(t.Context(), x.Slice(300, 398))
	require.NoError(t, err)
	assert.InDeltaSlice(t, x.Slice(302, 400).Floats(), predicted.Floats(), 1e-5)
	report := core.ReportOf(model)
	assert.Equal(t, 2, report.Rank, "no more than there are values")
	spectral, _ := core.As[core.Spectral](model)
	for _, value := range spectral.Eigenvalues() {
		assert.InDelta(t, 1, math.Hypot(real(value), imag(value)), 1e-6)
		assert.InDelta(t, 2*turn, math.Abs(math.Atan2(imag(value), real(value))), 1e-6)
	}
}
