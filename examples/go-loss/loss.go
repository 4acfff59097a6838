package main

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// barlow is the loss of Zbontar, Jing, Misra, LeCun and Deny, "Barlow Twins: self-supervised
// learning via redundancy reduction", ICML 2021, equations 1 and 2, with a snapshot and its
// successor in place of two distortions of an image: for the cross-correlation matrix C (d×d)
// of the features of both views over a batch,
//
//	Σ_i (1 − C_ii)² + λ Σ_{i≠j} C_ij²
type barlow struct{}

var _ core.Loss = barlow{}

// smallest is added to the variances, so that the loss is smooth at constant features too. It is
// PyTorch's for batch normalisation, with which the paper standardises.
const smallest = 1e-5

// Describe implements [core.Loss].
func (barlow) Describe() core.Description {
	return core.Description{
		Name:    "barlow-twins",
		Summary: "redundancy reduction: each feature correlates with itself one lag on, and with no other",
		Doc: "The squared distance between the cross-correlation matrix of both views and the identity (Zbontar, Jing, " +
			"Misra, LeCun and " +
			"Deny, Barlow Twins: self-supervised learning via redundancy reduction, ICML 2021, with the successor in the " +
			"place of a second distortion). Its value does not change when features are shifted or scaled, but for the small " +
			"number that keeps it smooth at constant ones.",
		Options: []core.Option{
			core.FloatOption("redundancy", 0.005, 0, 1e6,
				"weight λ of the correlations between different features; the default is the paper's"),
		},
	}
}

// Evaluate implements [core.Loss].
func (barlow) Evaluate(ctx context.Context, x, y mat.Matrix, options core.Options) (_ core.LossValue, err error) {
	defer core.Recover(&err)
	if err := ctx.Err(); err != nil {
		return core.LossValue{}, err
	}
	n, d := x.Dims()
	if rows, columns := y.Dims(); rows != n || columns != d || n < 2 {
		return core.LossValue{}, fmt.Errorf(
			"%w: barlow-twins: views of %d×%d and %d×%d; they must have one shape, and at least 2 rows",
			core.ErrShape, n, d, rows, columns)
	}
	u, v := standardise(x), standardise(y)
	var c mat.Dense
	c.Mul(u.values.T(), v.values)
	c.Scale(1/float64(n), &c)

	loss := core.LossValue{Warnings: append(u.warnings("view"), v.warnings("lagged view")...)}
	slope := mat.NewDense(d, d, nil) // the derivative by C
	for i := range d {
		for j := range d {
			weight, distance := options.Float("redundancy"), c.At(i, j)
			if i == j {
				weight, distance = 1, c.At(i, j)-1
			}
			loss.Value += weight * distance * distance
			slope.Set(i, j, 2*weight*distance)
		}
	}
	if loss.Value-loss.Value != 0 { // no number passes this way unseen: each is in C
		return core.LossValue{}, fmt.Errorf(
			"%w: barlow-twins: the loss is %v: a view has such a value, or one too large to square", core.ErrNonFinite,
			loss.Value)
	}
	loss.GradX = u.gradient(v.values, slope.T())
	loss.GradY = v.gradient(u.values, slope)
	return loss, nil
}

// standardised is a view whose columns have mean 0 and variance 1, except for smallest.
type standardised struct {
	values *mat.Dense // n×d
	scale  []float64  // by which each column was divided
}

func standardise(x mat.Matrix) standardised {
	n, d := x.Dims()
	s := standardised{mat.DenseCopyOf(x), make([]float64, d)}
	for j := range d {
		mean, variance := 0.0, 0.0
		for i := range n {
			mean += x.At(i, j) / float64(n)
		}
		for i := range n {
			variance += (x.At(i, j) - mean) * (x.At(i, j) - mean) / float64(n)
		}
		s.scale[j] = math.Sqrt(variance + smallest)
		for i := range n {
			s.values.Set(i, j, (x.At(i, j)-mean)/s.scale[j])
		}
	}
	return s
}

// gradient returns the derivative of the loss by the view that was standardised, where other is the
// other view and slope the derivative by C or its transpose. By the standardised values û it is ĝ =
// other slope/n; by a column u of the view, of n values, (ĝ − mean(ĝ) − û mean(ĝ û))/scale.
func (s standardised) gradient(other, slope mat.Matrix) *mat.Dense {
	n, d := s.values.Dims()
	g := mat.NewDense(n, d, nil)
	g.Mul(other, slope)
	g.Scale(1/float64(n), g)
	for j := range d {
		mean, product := 0.0, 0.0
		for i := range n {
			mean += g.At(i, j) / float64(n)
			product += g.At(i, j) * s.values.At(i, j) / float64(n)
		}
		for i := range n {
			g.Set(i, j, (g.At(i, j)-mean-s.values.At(i, j)*product)/s.scale[j])
		}
	}
	return g
}

// warnings names the features that are constant, next to smallest.
func (s standardised) warnings(view string) []string {
	var warnings []string
	for j, scale := range s.scale {
		if scale*scale < 2*smallest {
			warnings = append(warnings, fmt.Sprintf("feature %d of the %s is all but constant over the batch", j, view))
		}
	}
	return warnings
}
