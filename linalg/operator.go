package linalg

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Operator is a [Model] as a [core.Operator].
type Operator struct{ *Model }

var (
	_ core.Operator         = Operator{}
	_ core.SpectralOperator = Operator{}
	_ core.Reporter         = Operator{}
)

// Predict implements [core.Operator] by [Model.Predict].
func (o Operator) Predict(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return o.Model.Predict(z, steps)
}

// PredictObservable implements [core.Operator] by [Model.PredictObservable].
func (o Operator) PredictObservable(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return o.Model.PredictObservable(z, steps)
}

// LeftEigenfunctions implements [core.SpectralOperator] by [Model.LeftEigenfunctions].
func (o Operator) LeftEigenfunctions(ctx context.Context, z mat.Matrix) (*mat.CDense, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return o.Model.LeftEigenfunctions(z)
}

// RightEigenfunctions implements [core.SpectralOperator] by [Model.RightEigenfunctions].
func (o Operator) RightEigenfunctions(ctx context.Context, z mat.Matrix) (*mat.CDense, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return o.Model.RightEigenfunctions(z)
}
