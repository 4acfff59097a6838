package process

import (
	"cmp"
	"math"
	"math/cmplx"
)

// near is how close moduli are, relatively, that count as equal: they differ by rounding.
const near = 1e-9

// Descending compares eigenvalues by modulus, the largest first. Those of equal modulus are
// compared by real part and then by imaginary part, the largest first, so conjugates are side by
// side.
func Descending(v, w complex128) int {
	scale := near * math.Max(cmplx.Abs(v), cmplx.Abs(w))
	for _, d := range []float64{cmplx.Abs(w) - cmplx.Abs(v), real(w) - real(v)} {
		if math.Abs(d) > scale {
			return cmp.Compare(d, 0)
		}
	}
	return cmp.Compare(imag(w), imag(v))
}

// Whole returns the number of eigenvalues, from the first in the order of [Descending], that n of
// them are if conjugates stay together: n, or n+1 if the last one would be separated from its
// conjugate, and all if there are fewer than n.
func Whole(values []complex128, n int) int {
	if n >= len(values) {
		return len(values)
	}
	last := values[n-1]
	if scale := near * cmplx.Abs(last); imag(last) > scale && cmplx.Abs(values[n]-cmplx.Conj(last)) <= scale {
		return n + 1
	}
	return n
}
