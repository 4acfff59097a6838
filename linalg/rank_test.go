package linalg_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

const float32Precision = 0x1p-23

// planted returns a trajectory of d features that span independent+faint directions: so many
// independent ones, faint ones a thousand times smaller, and then zeros, copies and sums of the
// former in turn.
func planted(n, d, independent, faint int) *mat.Dense {
	base := noisy(5, n, independent+faint)
	random := rand.New(rand.NewPCG(7, 7))
	x := mat.NewDense(n, d, nil)
	mix := gaussian(random, independent, d)
	for i := range n {
		for j := range d {
			switch {
			case j < independent:
				x.Set(i, j, base.At(i, j))
			case j < independent+faint:
				x.Set(i, j, 1e-3*base.At(i, j))
			case j%3 == 0:
			case j%3 == 1:
				x.Set(i, j, x.At(i, j%independent))
			default:
				x.Set(i, j, mat.Dot(mix.ColView(j), x.Slice(i, i+1, 0, independent).(*mat.Dense).RowView(0))/float64(independent))
			}
		}
	}
	return x
}

func TestPlantedRankIsFound(t *testing.T) {
	for _, c := range []struct{ d, independent, faint int }{{6, 3, 0}, {12, 5, 2}, {30, 10, 4}, {90, 6, 3}} {
		x := planted(600, c.d, c.independent, c.faint)
		single := mat.DenseCopyOf(x) // as if computed in float32
		single.Apply(func(_, _ int, v float64) float64 { return float64(float32(v)) }, x)
		for _, p := range []struct {
			precision float64
			x         *mat.Dense
			rank      int
		}{
			{0, x, c.independent + c.faint},
			{0x1p-52, x, c.independent + c.faint},
			{float32Precision, single, c.independent},
		} {
			for variant, alpha := range map[linalg.Variant]float64{linalg.ReducedRank: linalg.DefaultAlpha,
				linalg.PrincipalComponents: 0} {
				name := fmt.Sprintf("%s of %+v at %g", variant, c, p.precision)
				m := fit(t, p.x, nil, &linalg.RidgeOptions{Alpha: &alpha, Variant: variant, Precision: p.precision})
				require.Equal(t, p.rank, m.Rank(), name)
				report := m.Report()
				require.Equal(t, p.rank, report.Rank)
				require.Len(t, report.Warnings, 1, name)
				assert.Contains(t, report.Warnings[0], fmt.Sprintf("%d of the %d directions asked for were dropped",
					c.d-p.rank, c.d), name)
				assert.Contains(t, report.Warnings[0], fmt.Sprintf("the operator has rank %d", p.rank), name)
				assert.Empty(t, report.Untrained)

				asked := fit(t, p.x, nil, &linalg.RidgeOptions{Alpha: &alpha, Variant: variant, Precision: p.precision,
					Rank: p.rank})
				require.Equal(t, p.rank, asked.Rank(), name)
				assert.Empty(t, asked.Report().Warnings, "no direction asked for is missing: %s", name)
				// Rounding decides within directions that are close to the threshold and to each other.
				requireClose(t, predict(t, asked, p.x, 1), predict(t, m, p.x, 1), 1e-6, name)
			}
		}
	}
}

// TestThresholdIsAbsolute moves 10·d·ε just below and just above the least value of each variant.
func TestThresholdIsAbsolute(t *testing.T) {
	const d, alpha = 4, 1e-3
	x := noisy(3, 100, d)
	cx, _, cxy, err := linalg.Covariances(x.Slice(0, 99, 0, d), x.Slice(1, 100, 0, d), false)
	require.NoError(t, err)
	for i := range d {
		cx.SetSym(i, i, cx.At(i, i)+alpha)
	}
	least := func(a mat.Symmetric) float64 {
		var e mat.EigenSym
		require.True(t, e.Factorize(a, false))
		return e.Values(nil)[0]
	}
	var cholesky mat.Cholesky
	require.True(t, cholesky.Factorize(cx))
	var lower mat.TriDense
	cholesky.LTo(&lower)
	var b mat.Dense
	require.NoError(t, b.Solve(&lower, cxy))
	gram := mat.NewSymDense(d, nil)
	gram.SymOuterK(1, &b)

	for variant, value := range map[linalg.Variant]float64{linalg.ReducedRank: least(gram),
		linalg.PrincipalComponents: least(cx)} {
		for rank, precision := range map[int]float64{
			d:     value / (10 * d) * (1 - 1e-9),
			d - 1: value / (10 * d) * (1 + 1e-9),
		} {
			m := fit(t, x, nil, &linalg.RidgeOptions{Alpha: new(alpha), Variant: variant, Precision: precision})
			assert.Equal(t, rank, m.Rank(), variant)
		}
	}
}

func TestDroppedWarningIsForUsers(t *testing.T) {
	x := planted(300, 12, 3, 0)
	m := fit(t, x, nil, &linalg.RidgeOptions{Rank: 5, Precision: float32Precision})
	require.Len(t, m.Report().Warnings, 1)
	warning := m.Report().Warnings[0]
	for _, part := range []string{"2 of the 5 directions", "σ² is", "10·d·ε = 1.4e-05", "the operator has rank 3",
		"ask for a rank of at most 3"} {
		assert.Contains(t, warning, part)
	}
	m.Report().Warnings[0] = ""
	assert.Equal(t, warning, m.Report().Warnings[0], "a report is a copy")
}

func TestNothingLeftIsRankZero(t *testing.T) {
	zero := mat.NewDense(30, 3, nil)
	constant := mat.NewDense(30, 3, nil)
	constant.Apply(func(_, j int, _ float64) float64 { return float64(j + 1) }, constant)
	tiny := mat.DenseCopyOf(noisy(1, 30, 3))
	tiny.Scale(1e-160, tiny)
	f := noisy(2, 30, 2)
	z := noisy(3, 10, 3)
	for name, c := range map[string]struct {
		x      *mat.Dense
		centre bool
	}{"zeros": {zero, false}, "tiny": {tiny, false}, "centred zeros": {zero, true},
		"centred constants": {constant, true}} {
		for _, alpha := range []float64{0, 1e-300, 1e-30} {
			for _, variant := range []linalg.Variant{linalg.ReducedRank, linalg.PrincipalComponents} {
				m := fit(t, c.x, f, &linalg.RidgeOptions{Alpha: &alpha, Variant: variant, Centre: c.centre})
				require.Zero(t, m.Rank(), "%s %s alpha=%g", name, variant, alpha)
				report := m.Report()
				assert.NotEmpty(t, report.Untrained)
				require.NotEmpty(t, report.Warnings)
				assert.Contains(t, report.Warnings[len(report.Warnings)-1], "3 of the 3 directions", name)

				wantFeatures, wantObservable := mat.NewDense(10, 3, nil), mat.NewDense(10, 2, nil)
				if c.centre {
					for i := range 10 {
						wantFeatures.SetRow(i, c.x.RawRowView(29))
						for j := range 2 {
							wantObservable.Set(i, j, mat.Sum(f.Slice(1, 30, j, j+1))/29)
						}
					}
				}
				for _, steps := range []int{1, 4} {
					assert.True(t, mat.EqualApprox(wantFeatures, predict(t, m, z, steps), 1e-14), name)
					observable, err := m.PredictObservable(z, steps)
					require.NoError(t, err)
					assert.True(t, mat.EqualApprox(wantObservable, observable, 1e-14), name)
				}
				checkRankZeroSpectrum(t, m, z)
			}
		}
	}
}

func checkRankZeroSpectrum(t *testing.T, m *linalg.Model, z *mat.Dense) {
	assert.Empty(t, m.Eigenvalues())
	left, err := m.LeftEigenfunctions(z)
	require.NoError(t, err)
	rows, columns := left.Dims()
	assert.Zero(t, rows+columns)
	singular, err := m.SingularValues()
	require.NoError(t, err)
	assert.Equal(t, []float64{0, 0, 0}, singular)
	modes, err := m.Modes(z)
	require.NoError(t, err)
	assert.Zero(t, modes.Len())
	constant, err := modes.Constant(1)
	require.NoError(t, err)
	assert.InDeltaSlice(t, predict(t, m, z, 1).RawRowView(0), constant, 1e-14)
	_, err = modes.Contribution(0, 1)
	assert.ErrorIs(t, err, core.ErrOption)
	risk, err := m.Risk(z)
	require.NoError(t, err)
	assert.False(t, math.IsNaN(risk))
}

func TestUnregularisedSingularCovariance(t *testing.T) {
	base := noisy(4, 200, 3)
	x := mat.NewDense(200, 5, nil) // a copy and a zero column
	x.Slice(0, 200, 0, 3).(*mat.Dense).Copy(base)
	x.Slice(0, 200, 3, 4).(*mat.Dense).Copy(base.Slice(0, 200, 1, 2))
	want := predict(t, fit(t, base, nil, &linalg.RidgeOptions{Alpha: new(0.0)}), base, 1)
	for _, variant := range variants {
		for _, alpha := range []float64{0, 1e-25} {
			m := fit(t, x, nil, &linalg.RidgeOptions{Alpha: &alpha, Variant: variant})
			assert.Equal(t, 3, m.Rank(), variant)
			got := predict(t, m, x, 1)
			requireClose(t, want, got.Slice(0, 200, 0, 3), 1e-12, "%s alpha=%g", variant, alpha)
			warnings := m.Report().Warnings
			require.NotEmpty(t, warnings, variant)
			if variant != linalg.PrincipalComponents {
				assert.Contains(t, warnings[0], "2 of the 5 eigenvalues of C_X + αI")
			}
		}
	}
}

func TestFewerPairsThanFeatures(t *testing.T) {
	x := gaussian(rand.New(rand.NewPCG(1, 2)), 8, 20)
	for _, variant := range variants {
		m := fit(t, x, nil, &linalg.RidgeOptions{Alpha: new(0.0), Variant: variant})
		assert.Equal(t, 7, m.Rank(), variant)
		requireClose(t, x.Slice(1, 8, 0, 20), predict(t, m, x.Slice(0, 7, 0, 20), 1), 1e-10, "%s interpolates", variant)
	}
	regularised := fit(t, x, nil, nil)
	assert.Equal(t, 7, regularised.Rank())
}

func TestOneFeatureOnePair(t *testing.T) {
	x := mat.NewDense(2, 1, []float64{2, 3})
	for _, variant := range variants {
		m := fit(t, x, nil, &linalg.RidgeOptions{Alpha: new(0.0), Variant: variant})
		require.Equal(t, 1, m.Rank())
		assert.InDelta(t, 1.5, real(m.Eigenvalues()[0]), 1e-15)
		assert.InDelta(t, 4.5, predict(t, m, mat.NewDense(1, 1, []float64{2}), 2).At(0, 0), 1e-14)
		right, err := m.RightEigenfunctions(x)
		require.NoError(t, err)
		assert.Equal(t, []complex128{2, 3}, []complex128{right.At(0, 0), right.At(1, 0)}, "‖w‖₂ = 1, positive")
	}
}

func TestConstantFeatureHasEigenvalueOne(t *testing.T) {
	x := noisy(6, 500, 4)
	for i := range 500 {
		x.Set(i, 2, 1)
	}
	for _, variant := range variants {
		m := fit(t, x, nil, &linalg.RidgeOptions{Alpha: new(0.0), Variant: variant})
		assert.InDelta(t, 1, real(m.Eigenvalues()[0]), 1e-12, variant)
		right, err := m.RightEigenfunctions(x)
		require.NoError(t, err)
		for i := range 500 {
			require.InDelta(t, 1, real(right.At(i, 0)), 1e-10, "%s: its eigenfunction is constant", variant)
		}
	}
}
