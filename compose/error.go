package compose

import (
	"context"
	"fmt"
	"math"

	"github.com/koopbench/koopbench/core"
)

// FutureError returns the score of a [core.Problem] whose true futures are known. futures[k] has
// the true snapshot k+1 steps after each start, in the order of the starts. variance is that of the
// test snapshots, by [Variance]. FutureError keeps futures.
//
// Its measure is [core.NRMSE].
//
// Its Fit returns [core.ErrContract] if there is no future, if futures differ in length or shape,
// or if the variance is not a positive number.
func FutureError(futures []core.Snapshots, variance float64) core.Score {
	return futureError{futures, variance}
}

// Variance is the variance of each coordinate over the snapshots, averaged over the coordinates; 0
// if there is no snapshot.
func Variance(x core.Trajectories) float64 {
	m := x.Snapshots().Matrix()
	n, d := m.Dims()
	sum := 0.0
	for j := range d {
		mean := 0.0
		for i := range n {
			mean += m.At(i, j) / float64(n)
		}
		for i := range n {
			sum += (m.At(i, j) - mean) * (m.At(i, j) - mean)
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n) / float64(d)
}

type futureError struct {
	futures  []core.Snapshots
	variance float64
}

var (
	_ core.Score  = futureError{}
	_ core.Scorer = futureError{}
)

// Measure implements [core.Score].
func (futureError) Measure() core.Measure { return core.NRMSE() }

// Fit implements [core.Score].
func (s futureError) Fit(context.Context, *core.Training) (core.Scorer, error) {
	switch {
	case len(s.futures) == 0:
		return nil, fmt.Errorf("%w: the true futures are empty; give those of at least one step", core.ErrContract)
	case !(s.variance > 0) || math.IsInf(s.variance, 0):
		return nil, fmt.Errorf("%w: the test snapshots have the variance %v; it must be positive, because errors are "+
			"divided by it",
			core.ErrContract, s.variance)
	}
	for k, x := range s.futures {
		if first := s.futures[0]; x.Len() != first.Len() || !x.SameShape(first) {
			return nil, fmt.Errorf("%w: %w: the true futures at step %d are %d snapshots of shape %v, and at step 1 %d of "+
				"shape %v", core.ErrContract, core.ErrShape, k+1, x.Len(), x.Shape(), first.Len(), first.Shape())
		}
	}
	return s, nil
}

// Score implements [core.Scorer].
func (s futureError) Score(ctx context.Context, step int, predicted core.Snapshots) ([]float64, error) {
	if step < 1 || step > len(s.futures) {
		return nil, fmt.Errorf("%w: step %d; there are true futures of steps 1 to %d", core.ErrOption, step,
			len(s.futures))
	}
	truth := s.futures[step-1]
	if predicted.Len() != truth.Len() || !predicted.SameShape(truth) {
		return nil, fmt.Errorf("%w: %d predicted snapshots of shape %v; there are %d true ones of shape %v", core.ErrShape,
			predicted.Len(), predicted.Shape(), truth.Len(), truth.Shape())
	}
	d := truth.Size()
	scores, x, y := make([]float64, truth.Len()), make([]float32, d), make([]float32, d)
	for i := range scores {
		truth.Read(x, i)
		predicted.Read(y, i)
		for j := range d {
			scores[i] += (float64(y[j]) - float64(x[j])) * (float64(y[j]) - float64(x[j]))
		}
		scores[i] = math.Sqrt(scores[i] / (float64(d) * s.variance))
	}
	return scores, ctx.Err()
}
