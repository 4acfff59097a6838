package kernel

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// features are the r features φ(x) = Aᵀ k(Z, x) of a kernel k with m centres Z. A·Aᵀ is the inverse of k(Z, Z), or
// its pseudo-inverse. So φ(x)·φ(y) is the kernel projected on the centres. It is the kernel itself if x or y is a
// centre.
type features struct {
	function
	centres *mat.Dense // Z, m×d
	whiten  *mat.Dense // A, m×r
}

// negligible is the share of the largest eigenvalue of k(Z, Z) below which another is taken for zero.
const negligible = 1e-13

// newFeatures returns the features with those centres, m×d. The error is [core.ErrOption] if the kernel is too
// large or too small there to compute with.
func newFeatures(f function, centres *mat.Dense) (*features, error) {
	const least, most = 1e-100, 1e100
	m, _ := centres.Dims()
	values := f.values(centres, centres)
	if largest := mat.Max(values); !(largest >= least && largest <= most) {
		return nil, fmt.Errorf("%w: the largest value of the kernel %s at the centres is %.3g, outside %v … %v; "+
			"choose another scale, degree or coef0", core.ErrOption, f.Kernel, largest, least, most)
	}
	whiten, err := inverseRoot(mat.NewSymDense(m, values.RawMatrix().Data))
	return &features{f, centres, whiten}, err
}

// inverseRoot returns an A with A·Aᵀ = k⁻¹, R⁻¹ for k = RᵀR. Where eigenvalues of k are negligible, A·Aᵀ is the
// inverse on the eigenvectors of the others. The error is [core.ErrUnavailable].
func inverseRoot(k *mat.SymDense) (*mat.Dense, error) {
	m := k.SymmetricDim()
	var cholesky mat.Cholesky
	if cholesky.Factorize(k) && cholesky.Cond() < 1/negligible {
		var r mat.TriDense
		cholesky.UTo(&r)
		inverse := mat.NewDense(m, m, nil)
		for i := range m {
			inverse.Set(i, i, 1)
		}
		blas64.Trsm(blas.Left, blas.NoTrans, 1, r.RawTriangular(), inverse.RawMatrix())
		return inverse, nil
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(k, true) {
		return nil, fmt.Errorf("%w: the eigenvalues of the kernel at %d centres did not converge; choose other centres",
			core.ErrUnavailable, m)
	}
	values, vectors := eigen.Values(nil), eigen.RawQ() // ascending
	dropped := 0
	for values[dropped] <= negligible*values[m-1] {
		dropped++
	}
	root := mat.NewDense(m, m-dropped, nil)
	root.Apply(func(i, j int, _ float64) float64 {
		return vectors.At(i, dropped+j) / math.Sqrt(values[dropped+j])
	}, root)
	return root, nil
}

// number is r.
func (f *features) number() int { _, r := f.whiten.Dims(); return r }

// at returns the n×r features of the rows of the n×d matrix x. Its rows are independent.
func (f *features) at(x *mat.Dense) *mat.Dense {
	var z mat.Dense
	z.Mul(f.values(x, f.centres), f.whiten)
	return &z
}
