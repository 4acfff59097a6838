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

func TestRiskIsTheFormulaOnCovariances(t *testing.T) {
	x, validation := noisy(1, 300, 6), noisy(2, 100, 6)
	for _, o := range []linalg.RidgeOptions{{}, {Rank: 3}, {Rank: 2, Variant: linalg.PrincipalComponents},
		{Alpha: new(0.5), Variant: linalg.Full}} {
		m, err := linalg.FitRidge(t.Context(), x, nil, 3, &o)
		require.NoError(t, err)
		unit := mat.NewDense(6, 6, nil)
		for i := range 6 {
			unit.Set(i, i, 1)
		}
		g := predict(t, m, unit, 1)
		cx, cy, cxy, err := linalg.Covariances(validation.Slice(0, 97, 0, 6), validation.Slice(3, 100, 0, 6), false)
		require.NoError(t, err)
		var cross, quadratic, half mat.Dense
		cross.Mul(g.T(), cxy)
		half.Mul(cx, g)
		quadratic.Mul(g.T(), &half)
		got, err := m.Risk(validation)
		require.NoError(t, err)
		assert.InEpsilon(t, mat.Trace(cy)-2*mat.Trace(&cross)+mat.Trace(&quadratic), got, 1e-12, "%+v", o)
	}
}

func TestScoreComparesWithThePredictedTime(t *testing.T) {
	const lag, n = 3, 80
	x, f := noisy(1, 200, 4), noisy(2, 200, 2)
	test, testF := noisy(3, n, 4), noisy(4, n, 2)
	m, err := linalg.FitRidge(t.Context(), x, f, lag, nil)
	require.NoError(t, err)
	for _, c := range []struct {
		o     linalg.ScoreOptions
		steps int
		shift int
	}{
		{linalg.ScoreOptions{}, 1, 3},
		{linalg.ScoreOptions{Steps: 1}, 1, 3},
		{linalg.ScoreOptions{Steps: 4}, 4, 12},
		{linalg.ScoreOptions{Steps: 4, KooplearnPairing: true}, 4, 6},
		{linalg.ScoreOptions{Steps: 2, Observable: testF}, 2, 6},
	} {
		target, call := test, m.Predict
		if c.o.Observable != nil {
			target, call = testF, m.PredictObservable
		}
		prediction, err := call(test, c.steps)
		require.NoError(t, err)
		_, p := target.Dims()
		var want float64
		for j := range p {
			var mean, residual, total float64
			for i := c.shift; i < n; i++ {
				mean += target.At(i, j) / float64(n-c.shift)
			}
			for i := c.shift; i < n; i++ {
				residual += math.Pow(target.At(i, j)-prediction.At(i-c.shift, j), 2)
				total += math.Pow(target.At(i, j)-mean, 2)
			}
			want += (1 - residual/total) / float64(p)
		}
		got, err := m.Score(test, &c.o)
		require.NoError(t, err)
		assert.InDelta(t, want, got, 1e-12, "%+v", c.o)
	}
	byDefault, err := m.Score(test, nil)
	require.NoError(t, err)
	one, err := m.Score(test, &linalg.ScoreOptions{KooplearnPairing: true})
	require.NoError(t, err)
	assert.Equal(t, byDefault, one, "both pairings agree at one step")
}

func TestScoreOfKnownPredictions(t *testing.T) {
	rotation := linear(mat.NewDense(2, 2, []float64{0.6, 0.8, -0.8, 0.6}), 60)
	withZero := mat.NewDense(60, 3, nil)
	withZero.Slice(0, 60, 0, 2).(*mat.Dense).Copy(rotation)
	exact := fit(t, withZero, nil, &linalg.RidgeOptions{Rank: 2})
	score, err := exact.Score(withZero, &linalg.ScoreOptions{Steps: 3})
	require.NoError(t, err)
	assert.InDelta(t, 1, score, 1e-8, "an exact system, and a constant column")

	shifted := mat.DenseCopyOf(withZero)
	for i := range 60 {
		shifted.Set(i, 2, 0.1) // whose mean over 59 rows is another number
	}
	score, err = exact.Score(shifted, nil)
	require.NoError(t, err)
	assert.InDelta(t, 1, score, 1e-8, "a constant column that is missed adds nothing")
	shifted.Set(30, 2, math.Nextafter(0.1, 1))
	score, err = exact.Score(shifted, nil)
	require.NoError(t, err)
	assert.InDelta(t, 1, score, 1e-8, "a column that is constant to rounding adds nothing")
	shifted.Set(30, 2, 0.1+1e-9)
	score, err = exact.Score(shifted, nil)
	require.NoError(t, err)
	// Σv² = 59·0.01 and Σ(v − mean)² = 1e-18·58/59, so that R² of the column is about −6e17.
	assert.InEpsilon(t, (2-59*0.01/(1e-18*58/59))/3, score, 1e-6)
	_, err = exact.Score(mat.NewDense(60, 3, nil), nil)
	assert.ErrorIs(t, err, core.ErrUnavailable, "nothing varies")

	zeros := fit(t, mat.NewDense(10, 1, nil), nil, nil)
	score, err = zeros.Score(mat.NewDense(5, 1, []float64{9, 1, -1, 1, -1}), nil)
	require.NoError(t, err)
	assert.InDelta(t, 0, score, 1e-15, "as good as the mean")
}

func TestScoreAndRiskRefuseBadInput(t *testing.T) {
	x, f := noisy(1, 50, 3), noisy(2, 50, 2)
	m, err := linalg.FitRidge(t.Context(), x, f, 2, nil)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		rows int
		o    linalg.ScoreOptions
		want error
	}{
		"one pair":                  {3, linalg.ScoreOptions{}, core.ErrTooShort},
		"steps too long":            {50, linalg.ScoreOptions{Steps: 25}, core.ErrTooShort},
		"steps far too long":        {50, linalg.ScoreOptions{Steps: math.MaxInt}, core.ErrTooShort},
		"kooplearn, far too long":   {50, linalg.ScoreOptions{Steps: math.MaxInt, KooplearnPairing: true}, core.ErrTooShort},
		"negative steps":            {50, linalg.ScoreOptions{Steps: -1}, core.ErrOption},
		"observable too short":      {50, linalg.ScoreOptions{Observable: mat.NewDense(49, 2, nil)}, core.ErrShape},
		"observable of other width": {50, linalg.ScoreOptions{Observable: mat.NewDense(50, 3, nil)}, core.ErrShape},
	} {
		_, err := m.Score(x.Slice(0, c.rows, 0, 3), &c.o)
		assert.ErrorIs(t, err, c.want, name)
	}
	_, err = m.Risk(x.Slice(0, 2, 0, 3))
	assert.ErrorIs(t, err, core.ErrTooShort)
	without := fit(t, x, nil, nil)
	_, err = without.Score(x, &linalg.ScoreOptions{Observable: f})
	assert.ErrorIs(t, err, core.ErrUnavailable)
}
