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
		for _, centre := range []bool{false, true} {
			o := &RidgeOptions{Rank: 4, Centre: centre}
			want, err := FitRidge(t.Context(), features, observable, lag, o)
			require.NoError(t, err)
			for _, x := range [][2]mat.Matrix{{readOnly{features}, readOnly{observable}}, {features, readOnly{observable}},
				{readOnly{features}, observable}} {
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
		data, err := newPairs(random(1, n, 2), readOnly{random(2, n, p)}, lag, nil)
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

// TestNoPairCrossesAnEnd: the fit to several trajectories is that of the normal equations over the
// pairs within them, however the matrices are read.
func TestNoPairCrossesAnEnd(t *testing.T) {
	const n, d, p = 60, 3, 2
	features, observable := random(1, n, d), random(2, n, p)
	for _, lengths := range [][]int{{25, 35}, {3, 0, 2, 25, 1, 29}} {
		for _, lag := range []int{1, 2, 3} {
			x, y := pairsOf(features, lengths, lag, 0), pairsOf(features, lengths, lag, lag)
			f := pairsOf(observable, lengths, lag, lag)
			for _, centre := range []bool{false, true} {
				o := &RidgeOptions{Variant: Full, Alpha: new(1e-3), Centre: centre, Lengths: lengths}
				z := random(3, 5, d)
				for _, in := range [][2]mat.Matrix{{features, observable}, {readOnly{features}, readOnly{observable}}} {
					m, err := FitRidge(t.Context(), in[0], in[1], lag, o)
					require.NoError(t, err)
					got, err := m.Predict(z, 1)
					require.NoError(t, err)
					want := regressed(t, x, y, z, 1e-3, centre)
					require.True(t, mat.EqualApprox(want, got, 1e-9), "%v %d %v", lengths, lag, centre)
					got, err = m.PredictObservable(z, 1)
					require.NoError(t, err)
					want = regressed(t, x, f, z, 1e-3, centre)
					require.True(t, mat.EqualApprox(want, got, 1e-9), "%v %d %v", lengths, lag, centre)
				}
			}
		}
	}
}

// pairsOf returns the rows of m so many rows after the starts of pairs.
func pairsOf(m *mat.Dense, lengths []int, lag, after int) *mat.Dense {
	var picked mat.Dense
	start := 0
	for _, n := range lengths {
		for i := start; i+lag < start+n; i++ {
			var next mat.Dense
			if picked.IsEmpty() {
				next.CloneFrom(rows(m, i+after, i+after+1))
			} else {
				next.Stack(&picked, rows(m, i+after, i+after+1))
			}
			picked.CloneFrom(&next)
		}
		start += n
	}
	return &picked
}

// regressed is the ridge regression of y on x at z, by the normal equations.
func regressed(t *testing.T, x, y, z *mat.Dense, alpha float64, centre bool) *mat.Dense {
	_, d := x.Dims()
	_, p := y.Dims()
	meanX, meanY := make([]float64, d), make([]float64, p)
	if centre {
		meanX, meanY = means(x), means(y)
	}
	cx, _, cxy, err := Covariances(shifted(x, meanX), shifted(y, meanY), false)
	require.NoError(t, err)
	for i := range d {
		cx.SetSym(i, i, cx.At(i, i)+alpha)
	}
	var g, out mat.Dense
	require.NoError(t, g.Solve(cx, cxy))
	out.Mul(shifted(z, meanX), &g)
	out.Apply(func(_, j int, v float64) float64 { return v + meanY[j] }, &out)
	return &out
}

func TestLengthsAreChecked(t *testing.T) {
	for _, c := range []struct {
		lengths []int
		want    error
	}{
		{[]int{5, 4}, core.ErrShape}, {[]int{5, 6}, core.ErrShape}, {[]int{11, -1}, core.ErrShape},
		{[]int{}, core.ErrShape}, {[]int{2, 2, 2, 2, 2}, core.ErrTooShort},
	} {
		_, err := FitRidge(t.Context(), random(1, 10, 2), nil, 2, &RidgeOptions{Lengths: c.lengths})
		assert.ErrorIs(t, err, c.want, "%v", c.lengths)
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
	data, err := newPairs(readOnly{random(1, 3000, 1000)}, nil, 1, nil)
	require.NoError(t, err)
	calls := 0
	err = data.each(ctx, func(_, _, _ *mat.Dense) error { calls++; cancel(); return nil })
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, calls)
}
