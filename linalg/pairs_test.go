package linalg

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// readOnly is a matrix that is no *mat.Dense.
type readOnly struct{ mat.Matrix }

// TestFitByBlocks: a trajectory that is read by blocks gives the model of one that is in memory.
func TestFitByBlocks(t *testing.T) {
	const n, d, p = 3000, 20, 800
	features, observable := random(1, n, d), random(2, n, p)
	for _, lag := range []int{1, 7, 2000} { // 2000 is more than a block of 1<<20 values
		for _, center := range []bool{false, true} {
			o := &RidgeOptions{Rank: 4, Center: center}
			want, err := FitRidge(t.Context(), features, observable, lag, o)
			require.NoError(t, err)
			for _, x := range [][2]mat.Matrix{{readOnly{features}, readOnly{observable}}, {features, readOnly{observable}}, {readOnly{features}, observable}} {
				got, err := FitRidge(t.Context(), x[0], x[1], lag, o)
				require.NoError(t, err)
				assert.True(t, mat.EqualApprox(want.observable, got.observable, 1e-12))
				assert.True(t, mat.EqualApprox(want.features, got.features, 1e-12))
				assert.True(t, mat.EqualApprox(want.step, got.step, 1e-12))
			}
		}
	}
}

func TestBlocksCoverAllPairs(t *testing.T) {
	const n, p = 5000, 1000
	for _, lag := range []int{1, 3, 1500} {
		data, err := newPairs(random(1, n, 2), readOnly{random(2, n, p)}, lag)
		require.NoError(t, err)
		seen := 0
		require.NoError(t, data.each(t.Context(), func(now, next, f *mat.Dense) error {
			m, _ := now.Dims()
			require.LessOrEqual(t, m, max(blockValues/p, lag))
			require.True(t, mat.Equal(now, rows(data.features.dense, seen, seen+m)))
			require.True(t, mat.Equal(next, rows(data.features.dense, seen+lag, seen+lag+m)))
			require.Equal(t, data.observable.matrix.At(seen+lag, 1), f.At(0, 1))
			require.Equal(t, data.observable.matrix.At(seen+m-1+lag, p-1), f.At(m-1, p-1))
			seen += m
			return nil
		}))
		assert.Equal(t, n-lag, seen)
	}
}

func TestBlocksNameTheRowOfANonFiniteValue(t *testing.T) {
	const n, p = 3000, 1000
	observable := random(2, n, p)
	observable.Set(2500, 7, math.Inf(1))
	_, err := FitRidge(t.Context(), random(1, n, 2), readOnly{observable}, 1, nil)
	assert.ErrorIs(t, err, core.ErrNonFinite)
	assert.ErrorContains(t, err, "row 2500, column 7 of the observables is +Inf")
}

func TestBlocksEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	data, err := newPairs(readOnly{random(1, 3000, 1000)}, nil, 1)
	require.NoError(t, err)
	calls := 0
	err = data.each(ctx, func(_, _, _ *mat.Dense) error { calls++; cancel(); return nil })
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, calls)
}
