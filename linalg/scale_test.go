package linalg_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

// scaled returns m·2ᵉ.
func scaled(m mat.Matrix, e int) *mat.Dense {
	var s mat.Dense
	s.Apply(func(_, _ int, v float64) float64 { return math.Ldexp(v, e) }, m)
	return &s
}

// everyResult returns what a model says of a trajectory and an observable of scale 2ᵉ, in numbers
// that do not depend on e.
func everyResult(t *testing.T, m *linalg.Model, x, f *mat.Dense, e int) map[string]mat.Matrix {
	t.Helper()
	results := map[string]mat.Matrix{}
	add := func(name string, exponent int) func(*mat.Dense, error) {
		return func(r *mat.Dense, err error) {
			t.Helper()
			require.NoError(t, err, name)
			results[name] = scaled(r, -exponent)
		}
	}
	number := func(v float64, err error) (*mat.Dense, error) { return mat.NewDense(1, 1, []float64{v}), err }
	parts := func(c *mat.CDense, err error) (*mat.Dense, error) {
		p, err := realParts(c, err)
		if err != nil {
			return nil, err
		}
		return p.(*mat.Dense), nil
	}
	for _, steps := range []int{1, 4} {
		add(fmt.Sprint("features ", steps), e)(m.Predict(x, steps))
		add(fmt.Sprint("observable ", steps), e)(m.PredictObservable(x, steps))
	}
	add("left", e)(parts(m.LeftEigenfunctions(x)))
	add("right", e)(parts(m.RightEigenfunctions(x)))
	singular, err := m.SingularValues()
	add("singular values", 0)(mat.NewDense(1, len(singular), singular), err)
	eigenvalues := mat.NewDense(m.Rank(), 2, nil)
	for i, v := range m.Eigenvalues() {
		eigenvalues.SetRow(i, []float64{real(v), imag(v)})
	}
	add("eigenvalues", 0)(eigenvalues, nil)
	modes, err := m.Modes(x)
	require.NoError(t, err)
	for i := range modes.Len() {
		add(fmt.Sprint("mode ", i), e)(modes.Contribution(i, 3))
	}
	add("risk", 2*e)(number(m.Risk(x)))
	add("score", 0)(number(m.Score(x, nil)))
	add("score of the observable", 0)(number(m.Score(x, &linalg.ScoreOptions{Steps: 2, Observable: f})))
	return results
}

// TestEveryResultAtAnyScale scales the features, and alpha and the thresholds by the square, which
// changes units and no more.
func TestEveryResultAtAnyScale(t *testing.T) {
	x, f := noisy(1, 80, 4), noisy(2, 80, 2)
	for _, variant := range variants {
		for _, centre := range []bool{false, true} {
			fitted := func(e int) *linalg.Model {
				return fit(t, scaled(x, e), scaled(f, e), &linalg.RidgeOptions{
					Alpha: new(math.Ldexp(1e-3, 2*e)), Precision: math.Ldexp(0x1p-52, min(2*e, 51)),
					Variant: variant, Centre: centre,
				})
			}
			want := everyResult(t, fitted(0), x, f, 0)
			for _, e := range []int{-493, -333, -66, 66, 333, 498, 508} { // up to 1e153, so that squares are 1e306
				m := fitted(e)
				require.Equal(t, 4, m.Rank())
				for name, got := range everyResult(t, m, scaled(x, e), scaled(f, e), e) {
					requireClose(t, want[name], got, 1e-9, "%s of %s at 2^%d, centre=%v", name, variant, e, centre)
				}
			}
		}
	}
}

// TestFitsThatUnderflowAreErrors has features whose covariances are too small for a float64.
func TestFitsThatUnderflowAreErrors(t *testing.T) {
	x := noisy(1, 80, 3)
	for _, scale := range []float64{1e-300, 1e-170, 1e-160, 1e-158, 1e-155} {
		var tiny mat.Dense
		tiny.Scale(scale, x)
		for _, variant := range []linalg.Variant{linalg.PrincipalComponents, linalg.Full} {
			_, err := linalg.FitRidge(t.Context(), &tiny, nil, 1, &linalg.RidgeOptions{Variant: variant})
			assert.ErrorIs(t, err, core.ErrUnavailable, "%s at %g", variant, scale)
			assert.ErrorContains(t, err, "scale the features")
		}
		m := fit(t, &tiny, nil, nil)
		assert.Zero(t, m.Rank(), "directions of reduced rank are below the threshold")
		assert.NotEmpty(t, m.Report().Untrained)
	}
	_, err := linalg.FitRidge(t.Context(), x, nil, 1, &linalg.RidgeOptions{Alpha: new(1e308), Variant: linalg.Full})
	require.NoError(t, err, "an operator of 1e-308 has all digits")
	small := scaled(x, -300)
	_, err = linalg.FitRidge(t.Context(), small, nil, 1, &linalg.RidgeOptions{Alpha: new(1e308), Variant: linalg.Full})
	require.ErrorIs(t, err, core.ErrUnavailable, "one of 1e-489 has none")
	zero := mat.NewDense(80, 3, nil)
	m := fit(t, zero, nil, &linalg.RidgeOptions{Variant: linalg.Full})
	assert.True(t, mat.Equal(zero, predict(t, m, zero, 1)), "zeros underflow nothing")
}

func TestCovariancesAtAnyScale(t *testing.T) {
	x, y := noisy(1, 50, 3), noisy(2, 50, 2)
	for _, centre := range []bool{false, true} {
		cx, cy, cxy, err := linalg.Covariances(x, y, centre)
		require.NoError(t, err)
		for _, e := range []int{-498, -66, 66, 498} {
			gotX, gotY, gotXY, err := linalg.Covariances(scaled(x, e), scaled(y, e), centre)
			require.NoError(t, err)
			assert.Equal(t, scaled(cx, 2*e), mat.DenseCopyOf(gotX), "2^%d", e)
			assert.Equal(t, scaled(cy, 2*e), mat.DenseCopyOf(gotY), "2^%d", e)
			assert.Equal(t, scaled(cxy, 2*e), gotXY, "2^%d", e)
		}
		for _, e := range []int{-700, -565, -531} { // 1e-160
			_, _, _, err = linalg.Covariances(scaled(x, e), y, centre)
			assert.ErrorIs(t, err, core.ErrUnavailable, "2^%d", e)
			_, _, _, err = linalg.Covariances(x, scaled(y, e), centre)
			assert.ErrorIs(t, err, core.ErrUnavailable, "2^%d", e)
		}
		_, _, _, err = linalg.Covariances(scaled(x, 520), y, centre)
		assert.ErrorIs(t, err, core.ErrNonFinite)
		_, _, _, err = linalg.Covariances(mat.NewDense(50, 1, nil), y, centre)
		assert.NoError(t, err, "zeros underflow nothing")
	}
}

// TestScoreAndRiskOfNothing have the score and the risk of predicting zeros by hand, at any scale.
func TestScoreAndRiskOfNothing(t *testing.T) {
	zeros := fit(t, mat.NewDense(10, 1, nil), nil, nil)
	x := mat.NewDense(4, 1, []float64{9, 1, 2, 3}) // Σv² = 14 and Σ(v − 2)² = 2
	for _, scale := range []float64{
		5e-324, 1e-310, 1e-300, 1e-170, 1e-160, 1e-20, 1, 1e20, 1e150, 1e152, 1e154, 1e200, 1e307,
	} {
		var scaled mat.Dense
		scaled.Scale(scale, x)
		score, err := zeros.Score(&scaled, nil)
		require.NoError(t, err, "%g", scale)
		assert.InDelta(t, -6, score, 1e-12, "%g", scale)
		risk, err := zeros.Risk(&scaled)
		switch {
		case scale < 1e-153:
			assert.ErrorIs(t, err, core.ErrUnavailable, "%g", scale)
		case scale > 1e153:
			assert.ErrorIs(t, err, core.ErrNonFinite, "%g", scale)
		default:
			require.NoError(t, err)
			assert.InEpsilon(t, 14.0/3, risk/scale/scale, 1e-12, "%g", scale)
		}
	}
	_, err := zeros.Score(mat.NewDense(4, 1, []float64{0, 1e-300, 1e-300, 1e-300}), nil)
	assert.ErrorIs(t, err, core.ErrUnavailable, "a constant column")
	large := fit(t, linear(mat.NewDense(1, 1, []float64{0.5}), 20), nil, nil)
	_, err = large.Score(mat.NewDense(3, 1, []float64{1e300, 1e-300, 2e-300}), nil)
	assert.ErrorIs(t, err, core.ErrNonFinite, "R² of −1e1200")
}

// TestScoreKeepsItsBits multiplies single columns by powers of two.
func TestScoreKeepsItsBits(t *testing.T) {
	x, f := noisy(1, 80, 3), noisy(2, 80, 2)
	want, err := fit(t, x, f, nil).Score(x, &linalg.ScoreOptions{Observable: f})
	require.NoError(t, err)
	for _, e := range []int{-1000, -600, -66, 1, 66, 600, 1000} {
		g := mat.DenseCopyOf(f)
		g.Slice(0, 80, 1, 2).(*mat.Dense).Copy(scaled(f.Slice(0, 80, 1, 2), e))
		got, err := fit(t, x, g, nil).Score(x, &linalg.ScoreOptions{Observable: g})
		require.NoError(t, err)
		assert.Equal(t, want, got, "2^%d", e)
	}
}

func TestEigenfunctionsThatOverflowAreErrors(t *testing.T) {
	m := fit(t, linear(mat.NewDense(2, 2, []float64{0.9, 0.5, 0, 0.8}), 30), nil, nil)
	far := mat.NewDense(2, 2, []float64{1.7e308, -1.7e308, 1.7e308, 1.7e308})
	_, err := m.LeftEigenfunctions(far)
	assert.ErrorIs(t, err, core.ErrNonFinite)
	_, err = m.RightEigenfunctions(far)
	assert.ErrorIs(t, err, core.ErrNonFinite)
}
