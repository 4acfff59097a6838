package linalg

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// FitCovariances is [FitRidge] for given covariances: C_X (d×d) of the features, and C_XY (d×d) of
// the features now with those one lag later. They may be exact expectations. The model has no
// observable. Lengths are not used.
//
// The error is [core.ErrShape] for covariances of different sizes, and [core.ErrNonFinite] for
// values that are not finite and for an operator that overflows. It is [core.ErrOption] for options
// out of range, and for Centre: centre the covariances instead.
func FitCovariances(
	ctx context.Context, cx mat.Symmetric, cxy mat.Matrix, o *RidgeOptions,
) (_ *Model, err error) {
	defer core.Recover(&err)
	if o == nil {
		o = &RidgeOptions{}
	}
	x, err := checked("covariances C_X", cx)
	if err != nil {
		return nil, err
	}
	xy, err := checked("covariances C_XY", cxy)
	if err != nil {
		return nil, err
	}
	d := cx.SymmetricDim()
	if r, c := xy.Dims(); r != d || c != d {
		return nil, fmt.Errorf("%w: C_XY is %d×%d and C_X is %d×%d; give covariances of the same features", core.ErrShape,
			r, c, d, d)
	}
	problem, err := o.problem(d)
	if err != nil {
		return nil, err
	}
	if problem.centre {
		return nil, fmt.Errorf("%w: centre=true with given covariances; centre the covariances instead", core.ErrOption)
	}
	own := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			own.SetSym(i, j, x.At(i, j))
		}
	}
	s, err := problem.solve(ctx, own, mat.DenseCopyOf(xy))
	if err != nil {
		return nil, err
	}
	m := newModel(s, d, 1)
	if err := m.checkFinite(); err != nil {
		return nil, err
	}
	return m, nil
}
