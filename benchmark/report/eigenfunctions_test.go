package report

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/benchmark"
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
	assert.InDeltaSlice(t, []float64{0, math.Sqrt2, 0, math.Sqrt2}, realPart([]complex128{0, -3, 0, -3}, 1, labels, 2), 1e-12,
		"where the mean over state 0 is nothing, state 1 decides")
	assert.InDeltaSlice(t, []float64{math.Sqrt2, 0, -math.Sqrt2, 0}, realPart([]complex128{-2, 0, 2, 0}, 1, labels, 2), 1e-12,
		"where all means are, the first value of largest modulus does")
	assert.Equal(t, []float64{0, 0}, realPart([]complex128{0, 0}, 1, labels, 2))
	assert.Empty(t, realPart(nil, 1, nil, 5))
}

func TestLeadingModes(t *testing.T) {
	values := func(v ...complex128) (all []benchmark.Complex) {
		for _, z := range v {
			all = append(all, benchmark.Complex(z))
		}
		return all
	}
	for name, c := range map[string]struct {
		values []benchmark.Complex
		want   []complex128
	}{
		"a pair, then another":      {values(0.6+0.8i, 0.6-0.8i, -0.5+0.5i, -0.5-0.5i), []complex128{0.6 + 0.8i, -0.5 + 0.5i}},
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
					left.Set(i, j, complex(float64(1+j), 0))
				}
			}
			var got []complex128
			for _, m := range leadingModes(c.values, left, []int{0, 1, 0, 1}, 2) {
				got = append(got, m.value)
				require.Len(t, m.real, 4)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestEigenfunctionsNameWhoHasNone(t *testing.T) {
	made := makeUp(t, situations()["several seeds"])
	delete(made.arrays, "linear-0")
	_, vector, err := materialOf(t, made).render("eigenfunctions")
	require.NoError(t, err)
	texts := svgTexts(t, vector)
	joined := ""
	for _, s := range texts {
		joined += s + " "
	}
	assert.Contains(t, joined, "Without eigenfunctions: linear (arrays not kept), mean (no spectrum), kernel (failed).")
	for _, want := range []string{"digit", "0", "1", "2", "3", "4", "dmd", "Re ψ₁,  λ₁ = 0.306 + 0.942i", "Re ψ₂,  λ₂ = −0.785 + 0.570i"} {
		assert.Contains(t, texts, want)
	}
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
		assert.Equal(t, want, complexText(v))
	}
}
