package analysis

import (
	"math"

	"github.com/koopbench/koopbench/benchmark/results"

	"gonum.org/v1/gonum/stat"
)

// Beyond is the modulus from which on a value is treated like one that is not a number: no axis reaches so far.
const Beyond = 1e100

// Drawable reports whether an axis can reach a value.
func Drawable(v float64) bool { return math.Abs(v) < Beyond }

// mean is not a number without values.
func mean(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return stat.Mean(values, nil)
}

// finite is nil for what JSON has no number for.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Average is NaN without values.
func Average(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// RunMean is the mean over runs; NaN without any.
func RunMean(runs []*results.Run, of func(*results.Run) float64) float64 {
	if len(runs) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, r := range runs {
		sum += of(r) / float64(len(runs))
	}
	return sum
}

// Sampled returns at most n of the numbers from 1 to last, including both ends.
func Sampled(last, n int) []int {
	n = min(n, last)
	steps := make([]int, 0, n)
	for i := range n {
		at := last
		if n > 1 {
			at = 1 + int(math.Round(float64(i)*float64(last-1)/float64(n-1)))
		}
		steps = append(steps, at)
	}
	return steps
}
