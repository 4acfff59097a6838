package core

import (
	"context"

	"gonum.org/v1/gonum/mat"
)

// An EvolutionOperator learns how features evolve: the Koopman operator of the process, projected on the features.
type EvolutionOperator interface {
	// Describe returns the same description at every call.
	Describe() Description
	// Fit learns from a trajectory of features. It does not change or keep what t refers to. It returns [ErrTooShort] for a
	// trajectory without a lagged pair, [ErrShape] and [ErrNonFinite]. Fit may be called concurrently.
	Fit(ctx context.Context, t *OperatorTraining) (Operator, error)
}

// OperatorTraining is what the fit of an evolution operator may see.
type OperatorTraining struct {
	// Features is the N×d trajectory φ(x_0) … φ(x_{N-1}), one row a snapshot in the order of time.
	Features mat.Matrix
	// Observable is the N×p trajectory of the quantity to predict beside the features, row for row at the same times; nil
	// where there is none.
	Observable mat.Matrix
	// Lag is how many rows one step spans, at least 1.
	Lag int
	// Precision is the unit roundoff of the numbers in Features, 2⁻²³ for features computed in float32; 0 stands for
	// float64's 2⁻⁵².
	Precision float64
	// Options holds a value for every option that the description declares.
	Options Options
}

// An Operator is a fitted evolution operator. It may have the abilities [SpectralOperator] and [Reporter]. It is immutable
// and may be used by several goroutines at a time.
type Operator interface {
	// Predict returns the n×d features expected steps lags after each row of the n×d matrix z. steps is at least 1. It
	// returns the context's error soon after ctx ends.
	Predict(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error)
	// PredictObservable is the same for the observable: n×p. The error is [ErrUnavailable] if the fit had none.
	PredictObservable(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error)
	// Rank is the rank of the operator, at most d.
	Rank() int
}
