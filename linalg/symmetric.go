package linalg

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	lapack "gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// leadingEigen returns all n eigenvalues of the symmetric matrix a in descending order and, as the columns of an n×k
// matrix, orthonormal eigenvectors of the k largest.
func leadingEigen(a *mat.SymDense, k int) ([]float64, *mat.Dense, error) {
	a, unit := scaledToOne(a)
	values, vectors, err := solveSymmetric(a, k)
	for i := range values {
		values[i] *= unit
	}
	return values, vectors, err
}

// scaledToOne returns a matrix of entries of the order of 1 and the power of two by which it is less than a. gonum's Dsterf
// panics on matrices so large or small that it wants to scale them.
func scaledToOne(a *mat.SymDense) (*mat.SymDense, float64) {
	n := a.SymmetricDim()
	var largest float64
	for i := range n {
		for j := i; j < n; j++ {
			largest = max(largest, math.Abs(a.At(i, j)))
		}
	}
	_, exponent := math.Frexp(largest)
	if exponent >= -300 && exponent <= 300 {
		return a, 1
	}
	exponent = max(exponent, -1022) // 2¹⁰²² is the largest power whose inverse is a normal number
	scaled := mat.NewSymDense(n, nil)
	scaled.ScaleSym(math.Ldexp(1, -exponent), a)
	return scaled, math.Ldexp(1, exponent)
}

func solveSymmetric(a *mat.SymDense, k int) ([]float64, *mat.Dense, error) {
	n := a.SymmetricDim()
	// Where few vectors are wanted, most of the full solver's time goes into vectors that are not.
	if n >= 64 && k <= n/8 {
		if values, vectors, ok := inverseIteration(a, k); ok {
			return values, vectors, nil
		}
	}
	return fullEigen(a, k)
}

// fullEigen solves by the QR algorithm for all vectors.
func fullEigen(a *mat.SymDense, k int) ([]float64, *mat.Dense, error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(a, true) {
		return nil, nil, fmt.Errorf("%w: the eigenvalues of a symmetric %d×%d matrix did not converge; scale the features to the order of 1", core.ErrUnavailable, a.SymmetricDim(), a.SymmetricDim())
	}
	values := eigen.Values(nil)
	slices.Reverse(values)
	n := len(values)
	q := eigen.RawQ()
	vectors := mat.NewDense(n, k, nil)
	for i := range n {
		for j := range k {
			vectors.Set(i, j, q.At(i, n-1-j))
		}
	}
	return values, vectors, nil
}

// inverseIteration solves by reduction to tridiagonal form, eigenvalues by the QR algorithm without vectors, and
// inverse iteration for each of the k vectors, orthogonalised against those before it (Golub and Van Loan, Matrix
// Computations, 4th ed., §8.2 and §8.3). ok is false if what it found is not orthonormal or does not solve the problem to
// rounding.
func inverseIteration(a *mat.SymDense, k int) (values []float64, vectors *mat.Dense, ok bool) {
	n := a.SymmetricDim()
	q := mat.DenseCopyOf(a).RawMatrix()
	d, e, tau := make([]float64, n), make([]float64, n-1), make([]float64, n-1)
	work := []float64{0}
	lapack.Implementation{}.Dsytrd(blas.Lower, n, q.Data, q.Stride, d, e, tau, work, -1)
	work = make([]float64, int(work[0]))
	lapack.Implementation{}.Dsytrd(blas.Lower, n, q.Data, q.Stride, d, e, tau, work, len(work))

	values = slices.Clone(d)
	if !(lapack.Implementation{}.Dsterf(n, values, slices.Clone(e))) {
		return nil, nil, false
	}
	slices.Reverse(values)
	norm := math.Max(math.Abs(values[0]), math.Abs(values[n-1]))

	found := make([][]float64, 0, k)
	random := rand.New(rand.NewPCG(0, 0))
	for _, value := range values[:k] {
		v, ok := tridiagonalVector(d, e, value, norm, found, random)
		if !ok {
			return nil, nil, false
		}
		found = append(found, v)
	}

	vectors = mat.NewDense(n, k, nil)
	for j, v := range found {
		vectors.SetCol(j, v)
	}
	// The reflectors of Q lie below the subdiagonal of q and leave the first coordinate alone.
	reflectors := blas64.General{Rows: n - 1, Cols: n - 1, Data: q.Data[q.Stride:], Stride: q.Stride}
	below := rows(vectors, 1, n).RawMatrix()
	lapack64.Ormqr(blas.Left, blas.NoTrans, reflectors, tau, below, work[:1], -1)
	work = make([]float64, int(work[0]))
	lapack64.Ormqr(blas.Left, blas.NoTrans, reflectors, tau, below, work, len(work))
	return values, vectors, solves(a, values[:k], vectors, norm)
}

// tridiagonalVector returns a unit eigenvector, orthogonal to those found, of the symmetric tridiagonal matrix with diagonal
// d and off-diagonal e for a computed eigenvalue. norm is the matrix's 2-norm.
func tridiagonalVector(d, e []float64, value, norm float64, found [][]float64, random *rand.Rand) ([]float64, bool) {
	n := len(d)
	v := make([]float64, n)
	for i := range v {
		v[i] = random.Float64() - 0.5
	}
	lower, diagonal, upper := make([]float64, n-1), make([]float64, n), make([]float64, n-1)
	shift := value
	const attempts = 8 // two or three do, but for an unlucky start
	for attempt := range attempts {
		if !orthonormalise(v, found) {
			return nil, false
		}
		if attempt >= 2 && tridiagonalResidual(d, e, value, v) <= 10*float64(n)*epsilon*norm {
			return v, true
		}
		copy(lower, e)
		copy(upper, e)
		for i := range d {
			diagonal[i] = d[i] - shift
		}
		previous := slices.Clone(v)
		solved := lapack64.Gtsv(blas.NoTrans, lapack64.Tridiagonal{N: n, DL: lower, D: diagonal, DU: upper},
			blas64.General{Rows: n, Cols: 1, Data: v, Stride: 1})
		if length := blas64.Nrm2(blas64.Vector{N: n, Data: v, Inc: 1}); !solved || length == 0 || length-length != 0 {
			copy(v, previous)
			shift += epsilon * norm // the shift is an eigenvalue to the last bit
		}
	}
	return nil, false
}

// orthonormalise subtracts from v its components along the orthonormal vectors found and scales it to length 1. It reports
// false if nothing is left.
func orthonormalise(v []float64, found [][]float64) bool {
	x := blas64.Vector{N: len(v), Data: v, Inc: 1}
	length := blas64.Nrm2(x)
	if length == 0 {
		return false
	}
	blas64.Scal(1/length, x)
	for range 2 { // once leaves rounding of the size of what it removed
		for _, f := range found {
			y := blas64.Vector{N: len(f), Data: f, Inc: 1}
			blas64.Axpy(-blas64.Dot(x, y), y, x)
		}
	}
	length = blas64.Nrm2(x)
	if length == 0 {
		return false
	}
	blas64.Scal(1/length, x)
	return true
}

// tridiagonalResidual is ‖Tv − value·v‖₂.
func tridiagonalResidual(d, e []float64, value float64, v []float64) float64 {
	var sum float64
	for i := range d {
		r := (d[i] - value) * v[i]
		if i > 0 {
			r += e[i-1] * v[i-1]
		}
		if i < len(e) {
			r += e[i] * v[i+1]
		}
		sum += r * r
	}
	return math.Sqrt(sum)
}

// solves reports whether the columns of v are orthonormal eigenvectors of a for values, to rounding.
func solves(a *mat.SymDense, values []float64, v *mat.Dense, norm float64) bool {
	n, k := v.Dims()
	tolerance := 50 * float64(n) * epsilon
	var residual, gram mat.Dense
	residual.Mul(a, v)
	for i := range n {
		row := residual.RawRowView(i)
		for j := range row {
			row[j] -= values[j] * v.At(i, j)
		}
	}
	for j := range k {
		if !(mat.Norm(residual.ColView(j), 2) <= tolerance*norm) {
			return false
		}
	}
	gram.Mul(v.T(), v)
	for j := range k {
		gram.Set(j, j, gram.At(j, j)-1)
	}
	return mat.Norm(&gram, 2) <= tolerance
}
