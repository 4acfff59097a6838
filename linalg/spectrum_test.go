package linalg

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

func random(seed uint64, n, d int) *mat.Dense {
	source := rand.New(rand.NewPCG(seed, 1))
	x := mat.NewDense(n, d, nil)
	for i := range n {
		for j := range d {
			x.Set(i, j, source.NormFloat64())
		}
	}
	return x
}

// operator returns the model with M = G = g.
func operator(g *mat.Dense) *Model {
	d, _ := g.Dims()
	return newModel(solution{basis: identity(d), image: mat.DenseCopyOf(g)}, d, 1)
}

// triplets returns the coefficients of the eigenfunctions, by their values at the unit vectors.
func triplets(t *testing.T, m *Model) (values []complex128, left, right *mat.CDense) {
	t.Helper()
	left, err := m.LeftEigenfunctions(identity(m.dim))
	require.NoError(t, err)
	right, err = m.RightEigenfunctions(identity(m.dim))
	require.NoError(t, err)
	return m.Eigenvalues(), left, right
}

// checkTriplets checks that they are eigenvectors of the d×d matrix g, scaled and ordered as
// core.SpectralOperator says. Columns of left that are zero are counted, not checked.
func checkTriplets(t *testing.T, g mat.Matrix, values []complex128, left, right *mat.CDense,
	tolerance float64) (unscalable int) {
	t.Helper()
	d, r := right.Dims()
	require.Len(t, values, r)
	dot := func(a *mat.CDense, j int, b *mat.CDense, k int) (sum complex128) {
		for i := range d {
			sum += a.At(i, j) * b.At(i, k)
		}
		return sum
	}
	for j, value := range values {
		if j > 0 {
			require.GreaterOrEqual(t, cmplx.Abs(values[j-1]), cmplx.Abs(value), "descending modulus")
		}
		if imag(value) > 0 {
			require.Equal(t, cmplx.Conj(value), values[j+1], "conjugates side by side")
		}
		var length float64
		isZero := true
		for i := range d {
			length += real(right.At(i, j) * cmplx.Conj(right.At(i, j)))
			isZero = isZero && left.At(i, j) == 0
		}
		require.InDelta(t, 1, length, 1e-12, "‖w‖₂ of %v", value)
		if isZero {
			unscalable++
			continue
		}
		require.InDelta(t, 0, cmplx.Abs(dot(left, j, right, j)-1), tolerance, "Σ l w of %v", value)
		for k := range r {
			if k != j {
				require.InDelta(t, 0, cmplx.Abs(dot(left, j, right, k)), tolerance, "left of %v with right of %v", value, values[k])
			}
		}
		for i := range d {
			var gw, lg complex128
			for k := range d {
				gw += complex(g.At(i, k), 0) * right.At(k, j)
				lg += left.At(k, j) * complex(g.At(k, i), 0)
			}
			require.InDelta(t, 0, cmplx.Abs(gw-value*right.At(i, j)), tolerance, "G w = λ w for %v", value)
			require.InDelta(t, 0, cmplx.Abs(lg-value*left.At(i, j)), tolerance, "lᵀ G = λ lᵀ for %v", value)
		}
	}
	return unscalable
}

func TestTripletsOfFits(t *testing.T) {
	x := random(2, 300, 9)
	for i := 1; i < 300; i++ {
		for j := range 9 {
			x.Set(i, j, 0.4*x.At(i, j)+0.8*x.At(i-1, (j+1)%9)*float64(9-j)/9)
		}
	}
	for _, variant := range []Variant{ReducedRank, PrincipalComponents, Full} {
		for rank := range 10 {
			if variant == Full && rank > 0 {
				continue
			}
			m, err := FitRidge(t.Context(), x, nil, 1, &RidgeOptions{Rank: rank, Variant: variant})
			require.NoError(t, err)
			values, left, right := triplets(t, m)
			g, err := m.Predict(identity(9), 1)
			require.NoError(t, err)
			assert.Zero(t, checkTriplets(t, g, values, left, right, 1e-9))
		}
	}
}

func TestBasisIsOrthonormalInTheRegularisedCovariance(t *testing.T) {
	x := random(2, 200, 80)
	for _, o := range []RidgeOptions{{}, {Rank: 5}, {Variant: PrincipalComponents}, {Variant: PrincipalComponents,
		Rank: 7}, {Variant: Full}, {Centre: true, Rank: 3}} {
		m, err := FitRidge(t.Context(), x, nil, 1, &o)
		require.NoError(t, err)
		c, _, _, err := Covariances(rows(x, 0, 199), rows(x, 1, 200), o.Centre)
		require.NoError(t, err)
		for i := range 80 {
			c.SetSym(i, i, c.At(i, i)+DefaultAlpha)
		}
		var cu, gram mat.Dense
		cu.Mul(c, m.basis)
		gram.Mul(m.basis.T(), &cu)
		assert.True(t, mat.EqualApprox(identity(m.rank), &gram, 1e-11), "%+v", o)
	}
}

func TestTripletsOfAwkwardOperators(t *testing.T) {
	cosine, sine := math.Cos(2*math.Pi/5), math.Sin(2*math.Pi/5)
	skew := mat.NewDense(3, 3, []float64{0.9, 0, 0, 0, 0.9, 0, 0.3, 0.2, 0.5})
	for name, c := range map[string]struct {
		g          *mat.Dense
		values     []complex128
		unscalable int
		tolerance  float64
	}{
		"identity": {identity(4), []complex128{1, 1, 1, 1}, 0, 1e-13},
		"rotation": {mat.NewDense(2, 2, []float64{cosine, sine, -sine, cosine}), []complex128{complex(cosine, sine),
			complex(cosine, -sine)}, 0, 1e-13},
		"semi-simple":    {skew, []complex128{0.9, 0.9, 0.5}, 0, 1e-13},
		"opposite signs": {mat.NewDense(2, 2, []float64{-0.5, 0, 0, 0.5}), []complex128{0.5, -0.5}, 0, 1e-13},
		"singular":       {mat.NewDense(2, 2, []float64{0.5, 0.5, 0.5, 0.5}), []complex128{1, 0}, 1, 1e-13},
		"zero":           {mat.NewDense(3, 3, nil), []complex128{0, 0, 0}, 3, 1e-13},
		"defective":      {mat.NewDense(2, 2, []float64{0.5, 1, 0, 0.5}), []complex128{0.5, 0.5}, 2, 1e-13},
		"nilpotent":      {mat.NewDense(3, 3, []float64{0, 1, 0, 0, 0, 1, 0, 0, 0}), []complex128{0, 0, 0}, 3, 1e-13},
		"defective in part": {mat.NewDense(3, 3, []float64{0.5, 1, 0, 0, 0.5, 0, 0, 0, -0.75}), []complex128{-0.75, 0.5, 0.5},
			2, 1e-13},
		"tiny": {diagonalBlocks(jordan(1, 1e-300, 0), jordan(1, 1e-310, 0)), []complex128{1e-300, 1e-310}, 0,
			1e-13},
		"nearly defective": {mat.NewDense(3, 3, []float64{0.5, 1, 0.1, 0, 0.5 + 1e-11, 0.1, 0, 0, -0.75}),
			[]complex128{-0.75, 0.5 + 1e-11, 0.5}, 0, 1e-4},
	} {
		t.Run(name, func(t *testing.T) {
			values, left, right := triplets(t, operator(c.g))
			for i, v := range c.values {
				assert.InDelta(t, 0, cmplx.Abs(values[i]-v), 1e-13, "eigenvalue %d", i)
			}
			if len(c.values) == 3 && c.unscalable == 2 { // the healthy one is not spoilt
				assert.InDelta(t, 1, cmplx.Abs(left.At(2, 0)*right.At(2, 0)), 1e-13)
			}
			assert.Equal(t, c.unscalable, checkTriplets(t, c.g, values, left, right, c.tolerance))
		})
	}
}

func TestTripletsOfRandomOperators(t *testing.T) {
	for seed := range uint64(20) {
		n := 1 + int(seed)*2
		g := random(seed, n, n)
		g.Scale(1/math.Sqrt(float64(n)), g)
		values, left, right := triplets(t, operator(g))
		assert.Zero(t, checkTriplets(t, g, values, left, right, 1e-8), "seed %d", seed)
	}
}

func TestPhaseIsDefined(t *testing.T) {
	x := random(2, 100, 6)
	for _, sign := range []float64{1, -1} {
		scaled := mat.DenseCopyOf(x)
		scaled.Scale(sign, x)
		m, err := FitRidge(t.Context(), scaled, nil, 1, &RidgeOptions{Rank: 4})
		require.NoError(t, err)
		_, _, right := triplets(t, m)
		for j := range 4 {
			var largest complex128
			for i := range 6 {
				if cmplx.Abs(right.At(i, j)) > cmplx.Abs(largest)+1e-14 {
					largest = right.At(i, j)
				}
			}
			assert.Positive(t, real(largest))
			assert.InDelta(t, 0, imag(largest), 1e-14)
		}
	}
}

func TestSingularValuesAreThoseOfTheOperator(t *testing.T) {
	x := random(2, 100, 12)
	for _, o := range []RidgeOptions{{}, {Rank: 4}, {Rank: 3, Variant: PrincipalComponents}, {Variant: Full},
		{Rank: 5, Centre: true}} {
		m, err := FitRidge(t.Context(), x, nil, 1, &o)
		require.NoError(t, err)
		got, err := m.SingularValues()
		require.NoError(t, err)
		var g mat.Dense
		g.Mul(m.basis, m.image())
		var svd mat.SVD
		require.True(t, svd.Factorize(&g, mat.SVDNone))
		assert.InDeltaSlice(t, svd.Values(nil), got, 1e-13, "%+v", o)
		for _, v := range got[m.rank:] {
			assert.Zero(t, v, "exactly, beyond the rank")
		}
	}
}

func TestModelIsSafeForConcurrentUse(t *testing.T) {
	x := random(2, 100, 10)
	m, err := FitRidge(t.Context(), x, x, 1, &RidgeOptions{Centre: true})
	require.NoError(t, err)
	results := make([]string, 8)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() {
			p, _ := m.Predict(x, 3)
			q, _ := m.PredictObservable(x, 2)
			s, _ := m.SingularValues()
			l, _ := m.LeftEigenfunctions(x)
			modes, _ := m.Modes(x)
			c, _ := modes.Contribution(0, 2)
			results[i] = fmt.Sprint(p, q, s, l, c, m.Eigenvalues(), m.Report())
		})
	}
	group.Wait()
	for _, r := range results {
		assert.Equal(t, results[0], r)
	}
}

// unusual is a BLAS whose products come out differently, as those of another vendor do.
type unusual struct{ gonum.Implementation }

func (unusual) Dgemm(blas.Transpose, blas.Transpose, int, int, int, float64, []float64, int, []float64, int, float64,
	[]float64, int) {
	panic("the installed BLAS was asked for a product")
}

func TestPredictionsDoNotDependOnTheInstalledBLAS(t *testing.T) {
	x := random(2, 100, 10)
	m, err := FitRidge(t.Context(), x, x, 1, nil)
	require.NoError(t, err)
	want, err := m.Predict(x, 3)
	require.NoError(t, err)
	m.Eigenvalues()

	blas64.Use(unusual{})
	defer blas64.Use(gonum.Implementation{})
	got, err := m.Predict(x, 3)
	require.NoError(t, err)
	assert.True(t, mat.Equal(want, got))
	_, err = m.LeftEigenfunctions(x)
	require.NoError(t, err)
	_, err = FitRidge(t.Context(), x, x, 1, nil)
	assert.ErrorIs(t, err, core.ErrPanic, "a panic of the BLAS stays inside")
}
