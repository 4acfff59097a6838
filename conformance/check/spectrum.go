package check

import (
	"math/cmplx"
	"slices"
)

// checkEigenvalues checks values that again returns too.
func checkEigenvalues(values []complex128, again func() []complex128) error {
	for i, v := range values {
		if cmplx.IsNaN(v) || cmplx.IsInf(v) {
			return wrong("fail in the fit, by core.ErrNonFinite", "eigenvalue %d is %v", i, v)
		}
		if i > 0 && cmplx.Abs(v) > cmplx.Abs(values[i-1]) {
			return wrong("sort by modulus, the largest first", "eigenvalue %d, of modulus %v, comes after one of modulus %v", i,
				cmplx.Abs(v), cmplx.Abs(values[i-1]))
		}
	}
	if second := again(); !slices.Equal(values, second) {
		return wrong("compute them once, and return a copy", "Eigenvalues returned %v, and then %v", values, second)
	}
	return nil
}

// checkPairs checks that complex eigenvalues come in conjugate pairs, side by side, the one with
// positive imaginary part first.
func checkPairs(values []complex128) error {
	for i := 0; i < len(values); i++ {
		v := values[i]
		if imag(v) == 0 {
			continue
		}
		if imag(v) < 0 || i+1 == len(values) || cmplx.Abs(values[i+1]-cmplx.Conj(v)) > 1e-9*cmplx.Abs(v) {
			return wrong("put conjugate pairs side by side, the one with positive imaginary part first",
				"eigenvalue %d of %v is not followed by its conjugate, or follows it", i, values)
		}
		i++
	}
	return nil
}

// checkEigenfunctions checks the values of r eigenfunctions at n places.
func checkEigenfunctions(call string, out table, n, r int) error {
	if out.rows != n || out.columns != 2*r {
		return wrong("return a row for each snapshot and a column for each eigenvalue",
			"%s returned %d×%d values for %d snapshots and %d eigenvalues",
			call, out.rows, out.columns/2, n, r)
	}
	if where := out.nonFinite(); where != "" {
		return wrong("return an error that wraps core.ErrNonFinite instead", "%s: counting real and imaginary parts, %s",
			call, where)
	}
	return nil
}
