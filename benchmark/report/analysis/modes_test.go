package analysis

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/koopbench/koopbench/benchmark/results"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// cycle is the eigenfunction of e^(2πik/c) on n snapshots of the cycle through c states, and the labels.
func cycle(n, k, c int) (f []complex128, labels []int) {
	for i := range n {
		f = append(f, cmplx.Rect(1, 2*math.Pi*float64(k*(i%c))/float64(c)))
		labels = append(labels, i%c)
	}
	return f, labels
}

func TestRealPartIgnoresTheFactor(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, value := range []complex128{0.9, -0.8, 0.3 + 0.9i, 0.3 - 0.9i} {
		f, labels := cycle(50, 1, 5)
		for i := range f {
			f[i] += complex(0.1*random.NormFloat64(), 0.1*random.NormFloat64())
		}
		want := realPart(f, value, labels, 5)
		square := 0.0
		for i := range f {
			square += cmplx.Abs(f[i]) * cmplx.Abs(f[i])
			assert.LessOrEqual(t, math.Abs(want[i]), 2.0)
		}
		for range 10 {
			factor := cmplx.Rect(math.Exp(5*random.NormFloat64()), 2*math.Pi*random.Float64())
			turned := make([]complex128, len(f))
			for i := range f {
				turned[i] = factor * f[i]
			}
			assert.InDeltaSlice(t, want, realPart(turned, value, labels, 5), 1e-12)
		}
	}
}

// For every number of states and every eigenfunction that tells all states apart, so do the real parts shown.
func TestRealPartsOfACycleDiffer(t *testing.T) {
	for c := 3; c <= 10; c++ {
		for k := 1; 2*k < c; k++ {
			f, labels := cycle(c, k, c)
			part := realPart(f, cmplx.Rect(1, 2*math.Pi*float64(k)/float64(c)), labels, c)
			assert.InDelta(t, math.Cos(math.Pi/(2*float64(c))), part[0], 1e-12, "the phase of state 0")
			slices.Sort(part)
			part = slices.CompactFunc(part, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
			assert.Len(t, part, c/gcd(c, k), "k = %d of %d", k, c)
		}
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func TestRealPartSign(t *testing.T) {
	labels := []int{0, 1, 0, 1}
	assert.InDeltaSlice(t, []float64{1, -1, 1, -1}, realPart([]complex128{-3, 3, -3, 3}, -1, labels, 2), 1e-12)
	assert.InDeltaSlice(t, []float64{0, math.Sqrt2, 0, math.Sqrt2}, realPart([]complex128{0, -3, 0, -3}, 1, labels, 2),
		1e-12,
		"where the mean over state 0 is nothing, state 1 decides")
	assert.InDeltaSlice(t, []float64{math.Sqrt2, 0, -math.Sqrt2, 0}, realPart([]complex128{-2, 0, 2, 0}, 1, labels, 2),
		1e-12,
		"where all means are, the first value of largest modulus does")
	assert.Equal(t, []float64{0, 0}, realPart([]complex128{0, 0}, 1, labels, 2))
	assert.Empty(t, realPart(nil, 1, nil, 5))
}

func TestLeadingModes(t *testing.T) {
	values := func(v ...complex128) (all []results.Complex) {
		for _, z := range v {
			all = append(all, results.Complex(z))
		}
		return all
	}
	for name, c := range map[string]struct {
		values []results.Complex
		want   []complex128
	}{
		"a pair, then another": {values(0.6+0.8i, 0.6-0.8i, -0.5+0.5i, -0.5-0.5i),
			[]complex128{0.6 + 0.8i, -0.5 + 0.5i}},
		"a pair, then a real":       {values(0.6+0.8i, 0.6-0.8i, 0.9), []complex128{0.6 + 0.8i, 0.9}},
		"a real, then a pair":       {values(1, 0.6+0.8i, 0.6-0.8i), []complex128{1, 0.6 + 0.8i}},
		"equal real ones":           {values(0.5, 0.5, 0.5), []complex128{0.5, 0.5}},
		"opposite real ones":        {values(0.5, -0.5), []complex128{0.5, -0.5}},
		"a pair up to rounding":     {values(0.6+0.8i, 0.6-0.8000000001i, 0.1), []complex128{0.6 + 0.8i, 0.1}},
		"a pair alone":              {values(0.6+0.8i, 0.6-0.8i), []complex128{0.6 + 0.8i}},
		"rank 1":                    {values(0.7), []complex128{0.7}},
		"fewer values than columns": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			left := mat.NewCDense(4, 4, nil)
			for j := range 4 {
				for i := range 4 {
					left.Set(i, j, complex(float64(1+j)*float64(i%2), 0))
				}
			}
			var got []complex128
			modes, constant := leadingModes(c.values, left, []int{0, 1, 0, 1}, 2)
			for _, m := range modes {
				got = append(got, m.value)
				assert.Equal(t, m.value, complex128(c.values[m.place-1]))
				require.Len(t, m.Real, 4)
			}
			assert.Equal(t, c.want, got)
			assert.Empty(t, constant)
		})
	}
}

// A function that hardly varies over the snapshots is left out, wherever its eigenvalue stands, and
// named.
func TestConstantEigenfunctionsAreLeftOut(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	const n, states = 200, 5
	wave, labels := cycle(n, 1, states)
	column := func(j int, left *mat.CDense, mean complex128, spread float64) {
		for i := range n {
			noise := complex(random.NormFloat64(), random.NormFloat64()) / complex(math.Sqrt2, 0)
			left.Set(i, j, mean+complex(spread, 0)*noise)
		}
	}
	values := []results.Complex{0.999, 0.31 + 0.95i, 0.31 - 0.95i, 0.9i, 0.5}
	left := mat.NewCDense(n, len(values), nil)
	column(0, left, -3, 0.45) // 0.15 of its size
	for i, z := range wave {
		left.Set(i, 1, z)
		left.Set(i, 2, cmplx.Conj(z))
	}
	column(3, left, 2i, 0.2)
	column(4, left, 1, 0.5) // 0.45 of its size
	modes, constant := leadingModes(values, left, labels, states)
	require.Len(t, modes, 2)
	assert.Equal(t, "Re ξ₂,  λ₂ = 0.310 + 0.950i", modes[0].Axis())
	assert.Equal(t, "Re ξ₅,  λ₅ = 0.500", modes[1].Axis())
	assert.Equal(t, "left out: λ₁ = 0.999, λ₄ = 0.000 + 0.900i", constantText(constant))
	assert.Equal(t, "₁₀₂₉", subscript(1029))

	modes, constant = leadingModes(values[:1], left, labels, states)
	assert.Empty(t, modes)
	assert.Len(t, constant, 1)
}

func TestComplexText(t *testing.T) {
	for want, v := range map[string]complex128{
		"0.998":              0.998,
		"−1.000":             -1,
		"0.309 + 0.951i":     0.309 + 0.951i,
		"−0.309 − 0.951i":    -0.309 - 0.951i,
		"0.500":              0.5 + 1e-9i,
		"0.000 + 1.000i":     1i,
		"1.2e−05":            1.2e-5,
		"0.000":              0,
		"1.0e+06 + 1.0e+06i": 1e6 + 1e6i,
	} {
		assert.Equal(t, want, ComplexText(v))
	}
}
