package linalg_test

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

func TestModesSumToThePrediction(t *testing.T) {
	x, f := noisy(1, 300, 8), noisy(2, 300, 3)
	for i := range 300 {
		x.Set(i, 0, x.At(i, 0)+5+0.01*float64(i))
		f.Set(i, 1, f.At(i, 1)-7)
	}
	z := x.Slice(10, 40, 0, 8)
	for _, variant := range variants {
		for _, centre := range []bool{false, true} {
			for _, rank := range []int{0, 1, 2, 5} {
				if variant == linalg.Full && rank > 0 {
					continue
				}
				m, err := linalg.FitRidge(t.Context(), x, f, 2, &linalg.RidgeOptions{Variant: variant, Centre: centre, Rank: rank})
				require.NoError(t, err)
				features, err := m.Modes(z)
				require.NoError(t, err)
				observable, err := m.ObservableModes(z)
				require.NoError(t, err)
				for _, steps := range []int{1, 2, 7} {
					requireClose(t, predict(t, m, z, steps), sum(t, features, 30, 8, steps), 1e-11, "%s rank=%d centre=%v steps=%d",
						variant, rank, centre, steps)
					want, err := m.PredictObservable(z, steps)
					require.NoError(t, err)
					requireClose(t, want, sum(t, observable, 30, 3, steps), 1e-11, "%s rank=%d centre=%v steps=%d", variant, rank,
						centre, steps)
				}
				checkModeEigenvalues(t, m.Eigenvalues(), features)
				if !centre {
					constant, err := features.Constant(3)
					require.NoError(t, err)
					assert.Equal(t, make([]float64, 8), constant)
				}
			}
		}
	}
}

func sum(t *testing.T, modes *linalg.Modes, n, p, steps int) *mat.Dense {
	t.Helper()
	total := mat.NewDense(n, p, nil)
	constant, err := modes.Constant(steps)
	require.NoError(t, err)
	for i := range n {
		total.SetRow(i, constant)
	}
	for i := range modes.Len() {
		c, err := modes.Contribution(i, steps)
		require.NoError(t, err)
		total.Add(total, c)
	}
	return total
}

// checkModeEigenvalues checks that the modes are the eigenvalues with one of each conjugate pair.
func checkModeEigenvalues(t *testing.T, values []complex128, modes *linalg.Modes) {
	t.Helper()
	var want []complex128
	for _, v := range values {
		if imag(v) >= 0 {
			want = append(want, v)
		}
	}
	assert.Equal(t, want, modes.Eigenvalues)
	assert.Equal(t, len(want), modes.Len())
}

func TestModesSeparateDynamics(t *testing.T) {
	// A rotation and a decay in separate features, seen through a mixture of both.
	x := mat.NewDense(200, 3, nil)
	f := mat.NewDense(200, 1, nil)
	for i := range 200 {
		s := float64(i)
		turn, decay := math.Cos(0.3*s), math.Pow(0.9, s)
		x.SetRow(i, []float64{turn, math.Sin(0.3 * s), decay})
		f.Set(i, 0, 2*turn+5*decay)
	}
	m := fit(t, x, f, &linalg.RidgeOptions{Alpha: new(0.0)})
	modes, err := m.ObservableModes(x)
	require.NoError(t, err)
	require.Equal(t, 2, modes.Len())
	turning, err := modes.Contribution(0, 3)
	require.NoError(t, err)
	decaying, err := modes.Contribution(1, 3)
	require.NoError(t, err)
	for i := range 200 {
		s := float64(i + 3)
		require.InDelta(t, 2*math.Cos(0.3*s), turning.At(i, 0), 1e-10)
		require.InDelta(t, 5*math.Pow(0.9, s), decaying.At(i, 0), 1e-10)
	}
	assert.InDelta(t, 0.3/(2*math.Pi), linalg.Frequency(modes.Eigenvalues[0]), 1e-12)
	assert.InDelta(t, -1/math.Log(0.9), linalg.DecayTime(modes.Eigenvalues[1]), 1e-9)
}

func TestModesRefuse(t *testing.T) {
	x := noisy(1, 60, 3)
	m := fit(t, x, nil, nil)
	_, err := m.ObservableModes(x)
	assert.ErrorIs(t, err, core.ErrUnavailable, "no observable")
	modes, err := m.Modes(x)
	require.NoError(t, err)
	for _, i := range []int{-1, modes.Len()} {
		_, err := modes.Contribution(i, 1)
		assert.ErrorIs(t, err, core.ErrOption)
	}
	_, err = modes.Contribution(0, 0)
	assert.ErrorIs(t, err, core.ErrOption)
	_, err = modes.Constant(0)
	assert.ErrorIs(t, err, core.ErrOption)

	growing := fit(t, linear(mat.NewDense(1, 1, []float64{3}), 20), nil, nil)
	modes, err = growing.Modes(mat.NewDense(1, 1, []float64{1}))
	require.NoError(t, err)
	_, err = modes.Contribution(0, 10_000)
	assert.ErrorIs(t, err, core.ErrNonFinite)

	// x₁ ← 0.5·x₁, x₂ ← x₁ + 0.5·x₂: one eigenvector for the double eigenvalue 0.5.
	jordan := mat.NewDense(4, 2, []float64{1, 0, 0.5, 1, 0.25, 1, 0.125, 0.75})
	defective := fit(t, jordan, nil, &linalg.RidgeOptions{Alpha: new(0.0)})
	modes, err = defective.Modes(jordan)
	require.NoError(t, err)
	for _, steps := range []int{1, 5, 20} {
		requireClose(t, predict(t, defective, jordan, steps), sum(t, modes, 4, 2, steps), 1e-12, "%d steps", steps)
	}
	left, err := defective.LeftEigenfunctions(jordan)
	require.NoError(t, err)
	for i := range 4 {
		for j := range 2 {
			assert.False(t, cmplx.IsNaN(left.At(i, j)) || cmplx.IsInf(left.At(i, j)))
		}
	}
}

func TestFrequencyAndDecayTime(t *testing.T) {
	for _, c := range []struct {
		value            complex128
		frequency, decay float64
	}{
		{1, 0, math.Inf(1)},
		{1i, 0.25, math.Inf(1)},
		{-1i, 0.25, math.Inf(1)},
		{-1, 0.5, math.Inf(1)},
		{2, 0, math.Inf(1)},
		{complex(math.Exp(-0.25), 0), 0, 4},
		{cmplx.Rect(math.Exp(-0.5), 2*math.Pi/10), 0.1, 2},
		{0, 0, 0},
	} {
		assert.InDelta(t, c.frequency, linalg.Frequency(c.value), 1e-15, c.value)
		if math.IsInf(c.decay, 1) {
			assert.True(t, math.IsInf(linalg.DecayTime(c.value), 1), c.value)
		} else {
			assert.InDelta(t, c.decay, linalg.DecayTime(c.value), 1e-12, c.value)
		}
	}
}
