package core

import "math"

// RowIndependence names the rule that what a fitted thing computes for a snapshot depends on that
// snapshot alone: not on the other snapshots of the call, their number or order, not on earlier
// calls, and not on chance. Conformance checks and the harness both hold things to it, by
// [RowDistance] and [RowTolerance].
const RowIndependence = "row-independence"

// RowTolerance is the largest [RowDistance] of two results for one snapshot that count as equal.
// Libraries that compute in float32 add up in another order in batches of another size, which
// changes the last bits of a result; a change of 1e-4 is about a thousand of them.
const RowTolerance = 1e-4

// RowDistance returns how far two results for one snapshot, of equal length, are apart: the
// Euclidean norm of their difference, relative to the larger of their norms. It is 0 for equal
// results, at most 2, and NaN if a value is infinite or not a number.
func RowDistance[T float32 | float64](a, b []T) float64 {
	largest := 0.0
	for i := range a {
		largest = math.Max(largest, math.Max(math.Abs(float64(a[i])), math.Abs(float64(b[i]))))
	}
	if largest == 0 {
		return 0
	}
	var difference, first, second float64
	for i := range a {
		v, w := float64(a[i])/largest, float64(b[i])/largest // squares of these are no overflow
		difference += (v - w) * (v - w)
		first += v * v
		second += w * w
	}
	return math.Sqrt(difference / math.Max(first, second))
}
