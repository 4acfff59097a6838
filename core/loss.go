package core

import (
	"context"

	"gonum.org/v1/gonum/mat"
)

// A Loss scores two views of a batch of lagged pairs; an encoder is trained by going down its
// gradients. Losses are stated so that less is better.
type Loss interface {
	// Describe returns the same description at every call.
	Describe() Description
	// Evaluate returns the loss of the n×d views x and y, whose row i holds the features of a snapshot
	// and of its successor, and its gradients. It changes neither view. The error is [ErrShape] if the
	// views differ in shape or have too few rows, [ErrNonFinite], and that of ctx soon after it ends.
	// Views on which the loss is degenerate, of deficient rank for instance, give a finite value and
	// finite gradients, and a warning. Evaluate may be called concurrently.
	Evaluate(ctx context.Context, x, y mat.Matrix, options Options) (LossValue, error)
}

// LossValue is a loss and its gradients at one pair of views.
type LossValue struct {
	Value        float64
	GradX, GradY *mat.Dense // n×d, the derivatives of Value by each entry of the views
	Warnings     []string
}
