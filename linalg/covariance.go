package linalg

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Covariances returns the covariances C_X (d×d) and C_Y (e×e) and the cross-covariance C_XY (d×e)
// of the n×d matrix x and the n×e matrix y, whose rows i belong together: C_XY = xᵀ·y/n. With
// centre, the mean of each column is subtracted first. The division is by n in both cases, as in
// kooplearn.
//
// The error is [core.ErrShape] for matrices without rows or with different numbers of rows. It is
// [core.ErrNonFinite] for values that are not finite, and for a covariance that is too large for a
// float64. It is [core.ErrUnavailable] if the variance of a column is not zero but too small for a
// float64.
func Covariances(x, y mat.Matrix, centre bool) (cx, cy *mat.SymDense, cxy *mat.Dense, err error) {
	defer core.Recover(&err)
	a, err := checked("rows x", x)
	if err != nil {
		return nil, nil, nil, err
	}
	b, err := checked("rows y", y)
	if err != nil {
		return nil, nil, nil, err
	}
	n, _ := a.Dims()
	if m, _ := b.Dims(); m != n {
		return nil, nil, nil, fmt.Errorf("%w: x has %d rows but y has %d; they must have equal numbers",
			core.ErrShape, n, m)
	}
	if centre {
		a, b = shifted(a, means(a)), shifted(b, means(b))
	}
	cx, cy, cxy = covariance(a), covariance(b), crossCovariance(a, b)
	for _, err := range []error{checkCovariances(cxy, cx, cy), checkUnderflow("x", a, cx), checkUnderflow("y", b, cy)} {
		if err != nil {
			return nil, nil, nil, err
		}
	}
	return cx, cy, cxy, nil
}

// checkUnderflow returns ErrUnavailable if the variance c_jj of a column j of m lost digits to
// underflow.
func checkUnderflow(name string, m *mat.Dense, c *mat.SymDense) error {
	_, d := m.Dims()
	for j := range d {
		if c.At(j, j) >= leastCovariance {
			continue
		}
		if largest := largestEntry(columns(m, j, j+1)); largest > 0 {
			return fmt.Errorf("%w: the variance of column %d of the rows %s, at most %.2g in size, "+
				"is below the least float64; scale the column to the order of 1", core.ErrUnavailable, j, name, largest)
		}
	}
	return nil
}

// covariance returns xᵀx/n.
func covariance(x *mat.Dense) *mat.SymDense {
	n, d := x.Dims()
	c := mat.NewSymDense(d, nil)
	addCovariance(c, x, n)
	return c
}

// addCovariance adds xᵀx/n to c.
func addCovariance(c *mat.SymDense, x *mat.Dense, n int) {
	blas64.Syrk(blas.Trans, 1/float64(n), x.RawMatrix(), 1, c.RawSymmetric())
}

// crossCovariance returns xᵀy/n.
func crossCovariance(x, y *mat.Dense) *mat.Dense {
	n, d := x.Dims()
	_, e := y.Dims()
	c := mat.NewDense(d, e, nil)
	addCrossCovariance(c, x, y, n)
	return c
}

// addCrossCovariance adds xᵀy/n to c.
func addCrossCovariance(c, x, y *mat.Dense, n int) {
	blas64.Gemm(blas.Trans, blas.NoTrans, 1/float64(n), x.RawMatrix(), y.RawMatrix(), 1, c.RawMatrix())
}

// checkCovariances returns ErrNonFinite if an entry overflowed.
func checkCovariances(cross *mat.Dense, symmetric ...*mat.SymDense) error {
	_, _, overflow := indexOfNonFinite(cross)
	for _, s := range symmetric {
		for i := range s.SymmetricDim() {
			v := s.At(i, i) // the largest entries of a covariance are on its diagonal
			overflow = overflow || v-v != 0
		}
	}
	if overflow {
		return fmt.Errorf("%w: the covariances exceed the largest float64; scale the features to the order of 1",
			core.ErrNonFinite)
	}
	return nil
}

// largestDiagonal returns the largest entry of the diagonal of c, which is not negative.
func largestDiagonal(c *mat.SymDense) float64 {
	var largest float64
	for i := range c.SymmetricDim() {
		largest = max(largest, c.At(i, i))
	}
	return largest
}
