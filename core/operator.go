package core

import (
	"context"

	"gonum.org/v1/gonum/mat"
)

// An EvolutionOperator learns how features evolve: the Koopman operator of the process, projected on the features.
type EvolutionOperator interface {
	// Describe returns the same description at every call.
	Describe() Description
	// Fit learns from trajectories of features, and never from a pair that crosses the end of one. It
	// does not change or keep what t refers to. It returns [ErrTooShort] if there is no lagged pair,
	// [ErrShape], [ErrNonFinite], and [ErrUnavailable] if it cannot use several trajectories. Fit may
	// be called concurrently.
	Fit(ctx context.Context, t *OperatorTraining) (Operator, error)
}

// OperatorTraining is what the fit of an evolution operator gets.
type OperatorTraining struct {
	// Features is the N×d matrix of φ(x_0) … φ(x_{N-1}), one row per snapshot, in the order of time
	// within a trajectory.
	Features mat.Matrix
	// Observable is the N×p matrix of a quantity to predict in addition to the features. Its rows
	// belong to the same times; nil if there is none.
	Observable mat.Matrix
	// Lengths are the numbers of rows of the trajectories, which follow one another. They add up to N;
	// nil stands for one trajectory.
	Lengths []int
	// Lag is how many rows one step spans, at least 1.
	Lag int
	// Precision is the unit roundoff of the numbers in Features: 2⁻²³ for features computed in
	// float32; 0 stands for float64's 2⁻⁵².
	Precision float64
	// Options holds a value for every option that the description declares.
	Options Options
}

// PairStarts returns the rows at which lagged pairs start. Its errors are those of [NewPairStarts].
func (t *OperatorTraining) PairStarts() (PairStarts, error) {
	rows, _ := t.Features.Dims()
	return NewPairStarts(rows, t.Lag, t.Lengths)
}

// An Operator is a fitted evolution operator. It may have the abilities [SpectralOperator] and
// [Reporter]. It is immutable and may be used by several goroutines at a time.
type Operator interface {
	// Predict returns the n×d features expected steps lags after each row of the n×d matrix z. steps is at least 1. It
	// returns the context's error soon after ctx ends.
	Predict(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error)
	// PredictObservable is the same for the observable: n×p. The error is [ErrUnavailable] if the fit
	// had no observable.
	PredictObservable(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error)
	// Rank is the rank of the operator, at most d.
	Rank() int
}
