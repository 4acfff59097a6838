package core

import "math"

// RowIndependence names this rule: what a fitted thing computes for a snapshot depends on that
// snapshot alone. It must not depend on the other snapshots of the call, on their number or order,
// on earlier calls, or on chance. Conformance checks and the harness enforce the rule with
// [RowDistance] and [RowTolerance].
const RowIndependence = "row-independence"

// RowTolerance is the largest [RowDistance] at which two results for one snapshot count as equal.
// Libraries that compute in float32 may add in another order if the batch has another size, which
// changes the last bits of a result. 1e-4 is about a thousand times the value of the last bit.
const RowTolerance = 1e-4

// RowDistance returns the distance between two results of equal length for one snapshot: the
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
