package vamp

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// Loss is the negative VAMP-r score of a batch (Wu and Noé, Variational approach for learning
// Markov processes from time series data, Journal of Nonlinear Science 30, 2020): with the
// covariances C_X, C_Y and C_XY of the two views, divided by n,
//
//	VAMP-r = Σ_i σ_i(C_X^{−½} C_XY C_Y^{−½})^r
//
// which is at most d for d features. A ridge ρ replaces C_X and C_Y by C_X + ρI and C_Y + ρI.
//
// U and V are orthonormal bases of the columns of the two views, x = U R. The matrix of the score is K = UᵀV, and its
// gradient by x is (V − U K) Sᵀ R^{−T}. S is the derivative of the score by K: 2K for VAMP-2, and the polar factor of K
// for VAMP-1. No covariance is formed or inverted: the error grows with the condition number of the features, and
// covariances would square it.
//
// A feature is left out if it is zero (constant, if the views are centred), or if it depends linearly on those before
// it to within the rounding of float32 numbers. The score is then that of the other features, and this feature has the
// gradient zero. Such a batch is degenerate. So are batches too small to distinguish features and, for VAMP-1, batches
// with a canonical correlation of zero. Warnings say so.
//
// The zero value is ready to use.
type Loss struct{}

var _ nn.GraphLoss = Loss{}

// correlated is the singular value of K up to which VAMP-1 takes it for 0, where the score has a kink.
const correlated = 1e-8

// Describe implements [core.Loss].
func (Loss) Describe() core.Description {
	return core.Description{
		Name:    "vamp",
		Summary: "negative VAMP score: how well features span what is predictable",
		Doc: "The negative sum of the canonical correlations between a batch and its successors (VAMP-1) or of their " +
			"squares (VAMP-2); Wu and Noé, 2020. An invertible linear map of the features does not change it. Its least value " +
			"is minus the number of features. It has this value if the features span functions that the dynamics maps to " +
			"one another.",
		Options: []core.Option{
			core.IntOption("schatten", 2, 1, 2, "1 for VAMP-1, the nuclear norm; 2 for VAMP-2, the squared Frobenius norm"),
			core.BoolOption("centre", false, "subtract the batch's means"),
			core.FloatOption("ridge", 0, 0, 1e6, "added to the diagonals of the covariances of both views"),
		},
	}
}

// Evaluate implements [core.Loss].
func (Loss) Evaluate(ctx context.Context, x, y mat.Matrix, options core.Options) (_ core.LossValue, err error) {
	defer core.Recover(&err)
	if err := ctx.Err(); err != nil {
		return core.LossValue{}, err
	}
	if err := nn.CheckViews(x, y); err != nil {
		return core.LossValue{}, fmt.Errorf("vamp: %w", err)
	}
	n, d := x.Dims()
	centre, ridge := options.Bool("centre"), options.Float("ridge")
	u, v := nn.NewBasis(x, centre, ridge), nn.NewBasis(y, centre, ridge)

	loss := core.LossValue{GradX: mat.NewDense(n, d, nil), GradY: mat.NewDense(n, d, nil)}
	for _, left := range []string{u.LeftOut("view"), v.LeftOut("lagged view")} {
		if left != "" {
			loss.Warnings = append(loss.Warnings,
				left+": they are left out of the score and get no gradient; use a ridge to avoid this")
		}
	}
	if nn.Saturated(n, d, centre, ridge) {
		loss.Warnings = append(loss.Warnings, fmt.Sprintf("in a batch of %[2]d rows, any %[1]d features reach the highest "+
			"score, "+
			"so the gradient is zero; use larger batches or a ridge", d, n))
	}
	if len(u.Kept) == 0 || len(v.Kept) == 0 {
		return loss, nil
	}
	var k mat.Dense
	k.Mul(u.Q.T(), v.Q)
	slope := &mat.Dense{} // the derivative of the score by K
	if options.Int("schatten") == 2 {
		norm := mat.Norm(&k, 2)
		loss.Value -= norm * norm
		slope.Scale(2, &k)
	} else {
		nuclear, rank := polar(slope, &k)
		loss.Value -= nuclear
		if pairs := min(len(u.Kept), len(v.Kept)); rank < pairs {
			loss.Warnings = append(
				loss.Warnings,
				fmt.Sprintf("%d of %d canonical correlations are zero, where VAMP-1 has a kink: "+
					"the gradient leaves them out", pairs-rank, pairs),
			)
		}
	}
	u.Gradient(loss.GradX, v.Q, &k, slope)
	v.Gradient(loss.GradY, u.Q, k.T(), slope.T())
	return loss, nil
}

// polar sets w to the polar factor of k, and returns k's nuclear norm and how many singular values are not zero.
func polar(w, k *mat.Dense) (nuclear float64, rank int) {
	var svd mat.SVD
	if !svd.Factorize(k, mat.SVDThin) {
		panic("the singular value decomposition did not converge")
	}
	values := svd.Values(nil)
	for rank < len(values) && values[rank] > correlated {
		nuclear += values[rank]
		rank++
	}
	var left, right mat.Dense
	svd.UTo(&left)
	svd.VTo(&right)
	if rank == 0 {
		w.ReuseAs(k.Dims())
		return 0, 0
	}
	rows, columns := k.Dims()
	w.Mul(left.Slice(0, rows, 0, rank), right.Slice(0, columns, 0, rank).T())
	return nuclear, rank
}
