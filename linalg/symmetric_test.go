package linalg

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// withSpectrum returns a symmetric matrix with these eigenvalues and random eigenvectors.
func withSpectrum(values []float64) *mat.SymDense {
	n := len(values)
	random := rand.New(rand.NewPCG(3, 4))
	x := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			x.Set(i, j, random.NormFloat64())
		}
	}
	var qr mat.QR
	qr.Factorize(x)
	var q, scaled, product mat.Dense
	qr.QTo(&q)
	scaled.Mul(&q, mat.NewDiagDense(n, values))
	product.Mul(&scaled, q.T())
	a := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			a.SetSym(i, j, (product.At(i, j)+product.At(j, i))/2)
		}
	}
	return a
}

func spectrumOf(n int, value func(i int) float64) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = value(i)
	}
	return values
}

// wilkinson is the tridiagonal matrix of Wilkinson, whose large eigenvalues come in pairs that agree to rounding.
func wilkinson(n int) *mat.SymDense {
	a := mat.NewSymDense(n, nil)
	for i := range n {
		a.SetSym(i, i, math.Abs(float64(i)-float64(n-1)/2))
		if i > 0 {
			a.SetSym(i-1, i, 1)
		}
	}
	return a
}

func TestLeadingEigenSolvesHardProblems(t *testing.T) {
	const n = 101
	block := mat.NewSymDense(n, nil) // splits into blocks of one and two
	for i := range n {
		block.SetSym(i, i, float64(i%7))
		if i%3 == 1 {
			block.SetSym(i-1, i, 0.5)
		}
	}
	for name, c := range map[string]struct {
		a      *mat.SymDense
		krylov bool // whether few vectors take no full solution
	}{
		"spread":         {withSpectrum(spectrumOf(n, func(i int) float64 { return float64(i) })), false},
		"multiple":       {withSpectrum(spectrumOf(n, func(i int) float64 { return float64(i / 10) })), false},
		"one direction":  {withSpectrum(spectrumOf(n, func(i int) float64 { return float64(i / (n - 1)) })), true},
		"rank three":     {withSpectrum(spectrumOf(n, func(i int) float64 { return float64(max(0, i-n+4)) })), true},
		"graded":         {withSpectrum(spectrumOf(n, func(i int) float64 { return math.Pow(10, float64(-i)/4) })), true},
		"close cluster":  {withSpectrum(spectrumOf(n, func(i int) float64 { return 1 - 1e-13*float64(i) })), false},
		"loose cluster":  {withSpectrum(spectrumOf(n, func(i int) float64 { return 1 - 1e-9*float64(i) })), false},
		"indefinite":     {withSpectrum(spectrumOf(n, func(i int) float64 { return float64(i - 70) })), false},
		"negative":       {withSpectrum(spectrumOf(n, func(i int) float64 { return -math.Pow(2, float64(i)) })), false},
		"identity":       {withSpectrum(spectrumOf(n, func(int) float64 { return 1 })), true},
		"exact identity": {exactIdentity(n), true},
		"wilkinson":      {wilkinson(n), false},
		"blocks":         {block, false},
	} {
		t.Run(name, func(t *testing.T) {
			const k = 12
			original := mat.NewSymDense(n, nil)
			original.CopySym(c.a)
			want, _, err := fullEigen(c.a, k)
			require.NoError(t, err)
			_, _, ok := krylovEigen(c.a, 5)
			assert.Equal(t, c.krylov, ok)
			for _, k := range []int{1, 5, k} {
				got, vectors, err := leadingEigen(c.a, k)
				require.NoError(t, err)
				assert.True(t, mat.Equal(original, c.a), "the matrix is not changed")

				scale := math.Max(math.Abs(want[0]), math.Abs(want[n-1]))
				assert.InDeltaSlice(t, want[:k], got, 1e-13*scale)
				assertEigenvectors(t, c.a, got, vectors, scale)
			}
		})
	}
}

func TestNoneLarger(t *testing.T) {
	a := withSpectrum(spectrumOf(70, func(i int) float64 { return float64(i) }))
	values, vectors, err := fullEigen(a, 5)
	require.NoError(t, err)
	assert.True(t, noneLarger(a, values[:5], vectors, 69))
	assert.False(t, noneLarger(a, values[1:5], columns(vectors, 1, 5), 69), "the first is left out")
	few := mat.NewDense(70, 2, nil)
	few.SetCol(0, mat.Col(nil, 0, vectors))
	few.SetCol(1, mat.Col(nil, 2, vectors))
	assert.False(t, noneLarger(a, []float64{values[0], values[2]}, few, 69), "the second is left out")
	one := exactIdentity(70)
	assert.True(t, noneLarger(one, []float64{1}, columns(vectors, 0, 1), 1), "others are as large")
}

// TestLeadingEigenOfAnyScale covers scales at which gonum's eigenvalue routine panics.
func TestLeadingEigenOfAnyScale(t *testing.T) {
	const n = 101
	unit := withSpectrum(spectrumOf(n, func(i int) float64 { return float64(i) / n }))
	for _, exponent := range []int{-1070, -1000, -500, -301, -300, 0, 300, 301, 500, 1000, 1020, 1024} {
		a := mat.NewSymDense(n, nil)
		for i := range n {
			for j := i; j < n; j++ {
				a.SetSym(i, j, math.Ldexp(unit.At(i, j), exponent))
			}
		}
		for _, k := range []int{2, n} {
			values, vectors, err := leadingEigen(a, k)
			require.NoError(t, err)
			require.Len(t, values, k)
			tolerance := 1e-13
			if exponent < -1022 {
				tolerance = math.Ldexp(1, -1074-exponent) * n // what is left of the digits
			}
			for i, v := range values {
				require.InDelta(t, float64(n-1-i)/n, math.Ldexp(v, -exponent), tolerance, "2^%d", exponent)
			}
			var gram mat.Dense
			gram.Mul(vectors.T(), vectors)
			require.True(t, mat.EqualApprox(exactIdentity(k), &gram, 1e-12))
		}
	}
}

func exactIdentity(n int) *mat.SymDense {
	a := mat.NewSymDense(n, nil)
	for i := range n {
		a.SetSym(i, i, 1)
	}
	return a
}

// assertEigenvectors checks residuals and orthonormality without the code under test.
func assertEigenvectors(t *testing.T, a mat.Symmetric, values []float64, v *mat.Dense, scale float64) {
	t.Helper()
	n, k := v.Dims()
	for j := range k {
		for i := range n {
			var sum float64
			for l := range n {
				sum += a.At(i, l) * v.At(l, j)
			}
			require.InDelta(t, values[j]*v.At(i, j), sum, 1e-12*scale, "vector %d", j)
		}
		for other := range j + 1 {
			expected := 0.0
			if other == j {
				expected = 1
			}
			require.InDelta(t, expected, mat.Dot(v.ColView(j), v.ColView(other)), 1e-12, "vectors %d and %d", j, other)
		}
	}
}

func TestLeadingEigenOfZeroAndSmallMatrices(t *testing.T) {
	for _, n := range []int{1, 2, 3, 64, 80} {
		zero := mat.NewSymDense(n, nil)
		values, vectors, err := leadingEigen(zero, 1)
		require.NoError(t, err)
		assert.Equal(t, []float64{0}, values)
		assertEigenvectors(t, zero, values, vectors, 1)

		a := withSpectrum(spectrumOf(n, func(i int) float64 { return float64(i + 1) }))
		values, vectors, err = leadingEigen(a, n)
		require.NoError(t, err)
		assertEigenvectors(t, a, values, vectors, float64(n))
	}
}

func TestSolvesRefusesWrongVectors(t *testing.T) {
	a := withSpectrum(spectrumOf(70, func(i int) float64 { return float64(i) }))
	values, vectors, err := fullEigen(a, 3)
	require.NoError(t, err)
	require.True(t, solves(a, values[:3], vectors, 69))

	bent := mat.DenseCopyOf(vectors)
	bent.Set(0, 0, bent.At(0, 0)+1e-9)
	assert.False(t, solves(a, values[:3], bent, 69), "a residual of 1e-9")

	double := mat.DenseCopyOf(vectors)
	double.SetCol(1, mat.Col(nil, 0, vectors))
	assert.False(t, solves(a, []float64{values[0], values[0], values[2]}, double, 69), "one vector twice")

	bent.Set(0, 0, math.NaN())
	assert.False(t, solves(a, values[:3], bent, 69))
}

func BenchmarkLeadingEigen784(b *testing.B) {
	a := withSpectrum(spectrumOf(784, func(i int) float64 { return 1 / float64(1+i) }))
	b.Run("krylov", func(b *testing.B) {
		for b.Loop() {
			if _, _, ok := krylovEigen(a, 5); !ok {
				b.Fatal("not solved")
			}
		}
	})
	b.Run("full", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := fullEigen(a, 5); err != nil {
				b.Fatal(err)
			}
		}
	})
}
