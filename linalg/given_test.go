package linalg_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

// TestGivenCovariances: a model of the covariances of pairs is the model of these pairs, to the bit.
func TestGivenCovariances(t *testing.T) {
	const n, d = 300, 5
	x := noisy(1, n, d)
	cx, _, cxy, err := linalg.Covariances(x.Slice(0, n-1, 0, d), x.Slice(1, n, 0, d), false)
	require.NoError(t, err)
	for _, variant := range variants {
		o := &linalg.RidgeOptions{Variant: variant, Alpha: new(0.1)}
		want := fit(t, x, nil, o)
		got, err := linalg.FitCovariances(t.Context(), cx, cxy, o)
		require.NoError(t, err)
		assert.Equal(t, want.Rank(), got.Rank())
		assert.Equal(t, want.Eigenvalues(), got.Eigenvalues())
		assert.Equal(t, predict(t, want, x, 3), predict(t, got, x, 3))
		_, err = got.PredictObservable(x, 1)
		require.ErrorIs(t, err, core.ErrUnavailable)
	}
	_, err = linalg.FitCovariances(t.Context(), cx, mat.NewDense(d, d+1, nil), nil)
	require.ErrorIs(t, err, core.ErrShape)
	_, err = linalg.FitCovariances(t.Context(), nil, cxy, nil)
	require.ErrorIs(t, err, core.ErrShape)
	_, err = linalg.FitCovariances(t.Context(), cx, cxy, &linalg.RidgeOptions{Centre: true})
	require.ErrorIs(t, err, core.ErrOption)
	cxy.Set(0, 0, math.NaN())
	_, err = linalg.FitCovariances(t.Context(), cx, cxy, nil)
	require.ErrorIs(t, err, core.ErrNonFinite)
}
