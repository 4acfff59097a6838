package core

import (
	"context"

	"gonum.org/v1/gonum/mat"
)

// A Loss scores two views of a batch of lagged pairs. An encoder is trained by descending along its
// gradients. Lower losses are better.
type Loss interface {
	// Describe returns the same description at every call.
	Describe() Description
	// Evaluate returns the loss of the n×d views x and y, and its gradients. Row i of the views has
	// the features of a snapshot and of its successor. Evaluate does not change the views. The error
	// is [ErrShape] if the views differ in shape or have too few rows, [ErrNonFinite], and that of ctx
	// soon after it ends. If the loss is degenerate on the views, for instance because their rank is
	// deficient, value and gradients are finite and there is a warning. Evaluate may be called
	// concurrently.
	Evaluate(ctx context.Context, x, y mat.Matrix, options Options) (LossValue, error)
}

// LossValue is the value of a loss and its gradients at one pair of views.
type LossValue struct {
	Value        float64
	GradX, GradY *mat.Dense // n×d, the derivatives of Value by each entry of the views
	Warnings     []string
}
