package diagnostics

import (
	"math"
	"math/cmplx"
)

// Leading returns the first k values, and one more if that completes a conjugate pair. If there are
// fewer, zeros follow. values are in descending order of modulus, with conjugates side by side.
func Leading(values []complex128, k int) []complex128 {
	n := min(k, len(values))
	if n > 0 && n < len(values) && imag(values[n-1]) != 0 && conjugates(values[n-1], values[n]) &&
		(n < 2 || !conjugates(values[n-2], values[n-1])) {
		n++
	}
	leading := append([]complex128{}, values[:n]...)
	for len(leading) < k {
		leading = append(leading, 0)
	}
	return leading
}

func conjugates(v, w complex128) bool { return cmplx.Abs(v-cmplx.Conj(w)) <= 1e-9*cmplx.Abs(v) }

// SpectralError is the distance of estimated eigenvalues from true ones.
type SpectralError struct {
	// Directed is the largest distance of an estimate from the nearest true eigenvalue, which
	// publications print (Kostic et al., "Sharp spectral rates for Koopman operator learning", 2023).
	Directed float64
	// Hausdorff is the larger of Directed and the largest distance of a true eigenvalue from the
	// nearest estimate. So an estimate that misses an eigenvalue cannot hide this by other
	// eigenvalues.
	Hausdorff float64
}

// NewSpectralError compares the k largest estimates with the k largest true eigenvalues, as
// [Leading] returns them. If trivial is set, the eigenvalue 1 of the constant function is put
// before the estimates: every evolution operator has it, but a model of centred features does not
// include it.
func NewSpectralError(estimates, truth []complex128, k int, trivial bool) SpectralError {
	if trivial {
		estimates = inserted(estimates, 1)
	}
	a, b := Leading(estimates, k), Leading(truth, k)
	e := SpectralError{Directed: directed(a, b)}
	e.Hausdorff = math.Max(e.Directed, directed(b, a))
	return e
}

// inserted puts a value where its modulus belongs, before those of equal modulus.
func inserted(values []complex128, v complex128) []complex128 {
	at := 0
	for at < len(values) && cmplx.Abs(values[at]) > cmplx.Abs(v) {
		at++
	}
	all := append([]complex128{}, values[:at]...)
	return append(append(all, v), values[at:]...)
}

// directed is the largest distance of a value of a to the nearest one of b.
func directed(a, b []complex128) float64 {
	largest := 0.0
	for _, v := range a {
		nearest := math.Inf(1)
		for _, w := range b {
			nearest = math.Min(nearest, cmplx.Abs(v-w))
		}
		largest = math.Max(largest, nearest)
	}
	return largest
}

// Timescale is the implied timescale −lag/ln|λ| of an eigenvalue, in the unit of the lag. It is NaN
// for a modulus of 0, and for one of 1 and above, up to rounding: there it does not exist (Prinz et
// al., "Markov models of molecular kinetics", 2011).
func Timescale(eigenvalue complex128, lag float64) float64 {
	modulus := cmplx.Abs(eigenvalue)
	if modulus == 0 || !(modulus < 1-1e-9) {
		return math.NaN()
	}
	return -lag / math.Log(modulus)
}
