package dpnets

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// Loss is the negative score of deep projection networks (Kostic, Novelli, Grazzi, Lounici and Pontil,
// Learning invariant representations of time-homogeneous stochastic dynamical systems, ICLR 2024).
// With the covariances C_X, C_Y and C_XY of the two views, divided by n, the score is
//
//	‖C_X^{−½} C_XY C_Y^{−½}‖²_F − (γ/2)(R(C_X) + R(C_Y))
//
// or, if it is relaxed,
//
//	‖C_XY‖²_F / (‖C_X‖₂ ‖C_Y‖₂) − (γ/2)(R(C_X) + R(C_Y))
//
// with the metric distortion R(C) = tr(C² − C − ln C)/d, which is least at C = I.
//
// The first score without its distortion is VAMP-2. It is computed as that is, from orthonormal bases
// ([nn.Basis]). These give ln det C = tr ln C too. A feature is left out of both if it is zero
// (constant, if the views are centred), or if it depends linearly on those before it to within the
// rounding of float32 numbers. Its part of ln det C is 2 ln [nn.LeastDistance](d), with no gradient.
//
// The relaxed score has a kink where the two largest eigenvalues of a covariance meet. Its gradient
// there is the mean over all directions of the largest eigenvalue, which depends on no basis. The mean
// weighs each eigenvector by the eigenvalue to the power 2²⁴. So eigenvalues count as one if their
// relative difference is much smaller than 2⁻²⁴, the rounding of float32 numbers.
//
// Batches with features that are left out are degenerate, and warnings say so. If the score is not
// relaxed, so are batches too small to distinguish features.
//
// The zero value is ready to use.
type Loss struct {
	Relaxed bool // the second score
}

var _ nn.GraphLoss = Loss{}

// power is log₂ of the power of an eigenvalue that weighs its eigenvector.
const power = 24

func (l Loss) name() string {
	if l.Relaxed {
		return "dpnets-relaxed"
	}
	return "dpnets"
}

// Describe implements [core.Loss].
func (l Loss) Describe() core.Description {
	d := core.Description{
		Name:    l.name(),
		Summary: "negative score of deep projection networks",
		Doc: "The negative sum of the squared canonical correlations between a batch and its successors, plus a metric " +
			"distortion, which keeps the covariances of the features near the identity; Kostic et al., 2024.",
		Options: []core.Option{
			core.FloatOption("gamma", 0.5, 0, 1e6, "weight of the metric distortion"),
			core.BoolOption("centre", false, "subtract the batch's means"),
		},
	}
	if l.Relaxed {
		d.Summary = "negative relaxed score of deep projection networks, which does not invert covariances"
		d.Doc = "The negative squared norm of the covariance between a batch and its successors, divided by the largest " +
			"eigenvalues of the covariances of both. A metric distortion, which keeps these covariances near the identity, " +
			"is added; Kostic et al., 2024."
	}
	return d
}

// Evaluate implements [core.Loss]. Views so large that the loss overflows are [core.ErrNonFinite] too.
func (l Loss) Evaluate(ctx context.Context, x, y mat.Matrix, options core.Options) (_ core.LossValue, err error) {
	defer core.Recover(&err)
	if err := ctx.Err(); err != nil {
		return core.LossValue{}, err
	}
	if err := nn.CheckViews(x, y); err != nil {
		return core.LossValue{}, fmt.Errorf("%s: %w", l.name(), err)
	}
	centre, gamma := options.Bool("centre"), options.Float("gamma")
	u, v := newView(x, centre), newView(y, centre)
	loss := core.LossValue{GradX: u.gradient, GradY: v.gradient, Warnings: l.warnings(u, v, centre, gamma)}
	if l.Relaxed {
		loss.Value -= addRelaxed(u, v)
	} else {
		loss.Value -= addCorrelations(u, v)
	}
	if gamma > 0 {
		loss.Value += gamma / 2 * (u.addDistortion(gamma/2) + v.addDistortion(gamma/2))
	}
	if err := nn.CheckLoss(loss, x, y); err != nil {
		return core.LossValue{}, fmt.Errorf("%s: %w", l.name(), err)
	}
	return loss, nil
}

// warnings says why a batch is degenerate.
func (l Loss) warnings(u, v *view, centre bool, gamma float64) (warnings []string) {
	for i, view := range []*view{u, v} {
		left := view.LeftOut([]string{"view", "lagged view"}[i])
		if left != "" && (l.inverts(gamma) || len(view.Kept) == 0) {
			warnings = append(warnings, left+": terms that invert covariances leave them out, so they get no gradient from "+
				"these terms")
		}
	}
	if n, d := u.gradient.Dims(); !l.Relaxed && nn.Saturated(n, d, centre, 0) {
		warnings = append(warnings, fmt.Sprintf("in a batch of %[2]d rows, any %[1]d features reach the highest "+
			"correlations, "+
			"so there is no gradient; use larger batches", d, n))
	}
	return warnings
}

// inverts reports whether the score, or the gradient of ln det C, inverts a covariance.
func (l Loss) inverts(gamma float64) bool { return !l.Relaxed || gamma > 0 }
