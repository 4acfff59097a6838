package affine_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/affine"
)

// TestScale: all values are divided by the root of their mean square, and decoded again; zeros stay zeros.
func TestScale(t *testing.T) {
	x, err := core.NewSnapshots([]float32{1, 7, -5, 5}, 2)
	require.NoError(t, err)
	e, err := affine.Scale(t.Context(), core.OneTrajectory(x))
	require.NoError(t, err)
	z, err := e.Embed(t.Context(), x)
	require.NoError(t, err)
	assert.True(t, mat.EqualApprox(mat.NewDense(2, 2, []float64{0.2, 1.4, -1, 1}), z, 1e-15))
	view, err := e.View(x)
	require.NoError(t, err)
	assert.True(t, mat.Equal(z, view))
	back, err := e.Decode(t.Context(), z)
	require.NoError(t, err)
	assert.Equal(t, x.Floats(), back.Floats())

	zeros, err := core.NewSnapshots(make([]float32, 4), 2)
	require.NoError(t, err)
	e, err = affine.Scale(t.Context(), core.OneTrajectory(zeros))
	require.NoError(t, err)
	z, err = e.Embed(t.Context(), zeros)
	require.NoError(t, err)
	assert.Zero(t, mat.Max(z))
	_, err = affine.Load(&core.State{Facts: []byte(`{"shape":[3]}`), Arrays: map[string]core.Array{
		"mean": {Shape: []int{2}, Values: []float64{0, 0}}, "scale": {Shape: []int{2}, Values: []float64{1, 1}},
	}})
	require.ErrorIs(t, err, core.ErrShape)
}
