package core

import (
	"fmt"
	"math"
	"math/cmplx"
)

// Clock is a unit of time.
type Clock struct {
	// Interval is the time between consecutive snapshots; 0 stands for 1.
	Interval float64
	// Unit is the unit of Interval, such as "s" or "Lyapunov times"; "" for snapshots.
	Unit string
}

// Time returns how long the given number of snapshots takes.
func (c Clock) Time(snapshots float64) float64 {
	if c.Interval == 0 {
		return snapshots
	}
	return snapshots * c.Interval
}

// Truth is what is known about the true evolution operator at the lag of a [Problem].
type Truth struct {
	// Eigenvalues are the largest, in descending order of modulus.
	Eigenvalues []complex128
	// Leading is the number of them, from the first, that estimates are compared with; 0 for all.
	Leading int
	// Eigenfunctions are those of the first eigenvalues, as far as they are known: [eigenvalue][test
	// snapshot]. Each may be multiplied by any number except zero.
	Eigenfunctions [][]complex128
	// Density is the invariant density at the test snapshots; nil if it is not known.
	Density []float64
}

func (t *Truth) validate(test int) error {
	if t.Leading < 0 || t.Leading > len(t.Eigenvalues) {
		return fmt.Errorf("the leading %d of %d true eigenvalues; give 0 for all", t.Leading, len(t.Eigenvalues))
	}
	if len(t.Eigenfunctions) > len(t.Eigenvalues) {
		return fmt.Errorf("%d true eigenfunctions of %d eigenvalues; there is one for each at most", len(t.Eigenfunctions),
			len(t.Eigenvalues))
	}
	for i, z := range t.Eigenvalues {
		if cmplx.IsNaN(z) || cmplx.IsInf(z) {
			return fmt.Errorf("%w: true eigenvalue %d is %v", ErrNonFinite, i, z)
		}
	}
	if t.Density != nil && len(t.Density) != test {
		return fmt.Errorf("%w: the true density has %d values for %d test snapshots", ErrShape, len(t.Density), test)
	}
	for i, v := range t.Density {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("%w: the true density is %v at test snapshot %d", ErrNonFinite, v, i)
		}
	}
	for j, f := range t.Eigenfunctions {
		if len(f) != test {
			return fmt.Errorf("%w: true eigenfunction %d has %d values for %d test snapshots", ErrShape, j, len(f), test)
		}
		for i, z := range f {
			if cmplx.IsNaN(z) || cmplx.IsInf(z) {
				return fmt.Errorf("%w: true eigenfunction %d is %v at test snapshot %d", ErrNonFinite, j, z, i)
			}
		}
	}
	return nil
}
