package process

import (
	"context"
	"fmt"
	"math"

	"github.com/koopbench/koopbench/core"
)

// errorOf is the normalised error of predictions: ‖x̂ − x‖/√d, x being the true future among the test
// snapshots and d its number of values, over the root of the mean variance of the values of test
// snapshots. The one denominator serves all steps; an error of about 1 is that of the mean.
//
// If snapshots hold several rows, only the newest is judged: the others were given.
type errorOf struct {
	test  core.Trajectories
	at    []int // starts
	lag   int
	width int // of a row
	scale float64
}

var (
	_ core.Score  = (*errorOf)(nil)
	_ core.Scorer = (*errorOf)(nil)
)

// newError returns the error of predictions of a problem, from each start of which the whole future must
// be among the test snapshots. width is how many values of a snapshot, the last ones, are judged. The error is
// [core.ErrOption] if none of them changes: no error can be divided by a variance of 0.
func newError(p *core.Problem, width int) (*errorOf, error) {
	n, mean, variance := float64(p.Test.Len()), make([]float64, width), 0.0
	first, changes := make([]float32, p.Test.Size()), false
	p.Test.Read(first, 0)
	first = first[len(first)-width:]
	each := func(do func(j int, v float64)) {
		row := make([]float32, p.Test.Size())
		for i := range p.Test.Len() {
			p.Test.Read(row, i)
			for j, v := range row[len(row)-width:] {
				do(j, float64(v))
			}
		}
	}
	each(func(j int, v float64) { mean[j], changes = mean[j]+v/n, changes || v != float64(first[j]) })
	if !changes {
		return nil, fmt.Errorf("%w: no value of the %d test snapshots changes, so there is nothing to predict, and no "+
			"variance to measure errors by; choose another part to test on", core.ErrOption, p.Test.Len())
	}
	each(func(j int, v float64) { variance += (v - mean[j]) * (v - mean[j]) / n / float64(width) })
	return &errorOf{p.Test, p.Starts, p.Lag, width, math.Sqrt(variance)}, nil
}

// Measure implements [core.Score].
func (e *errorOf) Measure() core.Measure {
	return core.NRMSE()
}

// Fit implements [core.Score]. There is nothing to learn.
func (e *errorOf) Fit(context.Context, *core.Training) (core.Scorer, error) { return e, nil }

// Score implements [core.Scorer].
func (e *errorOf) Score(_ context.Context, step int, predicted core.Snapshots) ([]float64, error) {
	if predicted.Len() != len(e.at) {
		return nil, fmt.Errorf("%w: %d predicted snapshots for %d starts", core.ErrShape, predicted.Len(), len(e.at))
	}
	size := e.test.Size()
	scores, x, y := make([]float64, len(e.at)), make([]float32, size), make([]float32, size)
	for i, start := range e.at {
		e.test.Read(x, start+step*e.lag)
		predicted.Read(y, i)
		sum := 0.0
		for j := size - e.width; j < size; j++ {
			d := float64(y[j]) - float64(x[j])
			sum += d * d
		}
		scores[i] = math.Sqrt(sum/float64(e.width)) / e.scale
	}
	return scores, nil
}
