package linalg

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// leastCovariance is the largest entry of covariances below which underflow has taken digits from
// them, if they are not zero.
const leastCovariance = 0x1p-1000

// extreme is the largest size of a binary exponent for which numbers are used as they are. The
// squares of such numbers, and sums of them, neither overflow nor underflow.
const extreme = 300

// unitExponent returns the exponent e for which numbers up to largest in size are of the order of 1
// once multiplied by 2⁻ᵉ. It is 0 for numbers of usual size, so that these keep their bits.
func unitExponent(largest float64) int {
	_, exponent := math.Frexp(largest)
	if exponent >= -extreme && exponent <= extreme {
		return 0
	}
	return exponent
}

// timesPowerOfTwo returns m·2ᵉ, and m itself for e = 0.
func timesPowerOfTwo(m *mat.Dense, e int) *mat.Dense {
	if m == nil || e == 0 {
		return m
	}
	var scaled mat.Dense
	scaled.Apply(func(_, _ int, v float64) float64 { return math.Ldexp(v, e) }, m)
	return &scaled
}

// largestEntry returns the largest |entry| of m, which is finite.
func largestEntry(m *mat.Dense) float64 {
	var largest float64
	n, _ := m.Dims()
	for i := range n {
		for _, v := range m.RawRowView(i) {
			largest = max(largest, math.Abs(v))
		}
	}
	return largest
}
