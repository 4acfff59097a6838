package linalg

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// leadingEigen returns the k largest eigenvalues of the symmetric n×n matrix a in descending order
// and, as the columns of an n×k matrix, orthonormal eigenvectors for them.
func leadingEigen(a *mat.SymDense, k int) ([]float64, *mat.Dense, error) {
	a, exponent := scaledToOne(a)
	values, vectors, err := solveSymmetric(a, k)
	for i, v := range values {
		values[i] = math.Ldexp(v, exponent)
	}
	return values, vectors, err
}

// scaledToOne returns a matrix of entries of the order of 1, and the e with which it is a·2⁻ᵉ. gonum's Dsterf panics on
// matrices so large or small that it wants to scale them.
func scaledToOne(a *mat.SymDense) (*mat.SymDense, int) {
	n := a.SymmetricDim()
	var largest float64
	for i := range n {
		for j := i; j < n; j++ {
			largest = max(largest, math.Abs(a.At(i, j)))
		}
	}
	exponent := unitExponent(largest)
	if exponent == 0 {
		return a, 0
	}
	scaled := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			scaled.SetSym(i, j, math.Ldexp(a.At(i, j), -exponent))
		}
	}
	return scaled, exponent
}

func solveSymmetric(a *mat.SymDense, k int) ([]float64, *mat.Dense, error) {
	// Where few vectors are wanted, most of the full solver's time goes into vectors that are not.
	if n := a.SymmetricDim(); n >= 64 && k <= n/8 {
		if values, vectors, ok := krylovEigen(a, k); ok {
			return values, vectors, nil
		}
	}
	values, vectors, err := fullEigen(a, k)
	return values[:min(k, len(values))], vectors, err
}

// fullEigen solves by the QR algorithm. It returns all n eigenvalues, descending, and the vectors of the k largest.
func fullEigen(a *mat.SymDense, k int) ([]float64, *mat.Dense, error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(a, true) {
		return nil, nil, fmt.Errorf(
			"%w: the eigenvalues of a symmetric %d×%d matrix did not converge; scale the features to the order of 1",
			core.ErrUnavailable, a.SymmetricDim(), a.SymmetricDim())
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

// krylovEigen finds the k largest eigenvalues and their vectors in a block Krylov space, by
// Rayleigh and Ritz (Golub and Underwood, The block Lanczos method for computing eigenvalues,
// 1977), which takes some tens of products with a where they stand out. ok is false where it did
// not come to that, and unless the vectors are orthonormal, solve the problem to rounding, and
// leave none out.
func krylovEigen(a *mat.SymDense, k int) (values []float64, vectors *mat.Dense, ok bool) {
	n, width := a.SymmetricDim(), k+4
	dense := mat.DenseCopyOf(a) // products with it are those that run fast
	most := n / 2 / width * width
	if most == 0 {
		return nil, nil, false
	}
	space, image := mat.NewDense(n, most, nil), mat.NewDense(n, most, nil) // V and A·V
	projected := mat.NewDense(most, most, nil)                             // Vᵀ·A·V
	block := mat.NewDense(n, width, nil)
	random := rand.New(rand.NewPCG(0, 0))
	look := 6 * width // how large the space is when eigenvalues are looked for
	for size := width; size <= most; size += width {
		extend(block, space, size-width, random)
		columns(space, size-width, size).Copy(block)
		block.Mul(dense, block)
		columns(image, size-width, size).Copy(block)
		columns(rows(projected, 0, size), size-width, size).Mul(columns(space, 0, size).T(), block)
		if size < look && size+width <= most {
			continue
		}
		look += look / 2
		ritz := mat.NewSymDense(size, nil)
		for i := range size {
			for j := i; j < size; j++ {
				ritz.SetSym(i, j, projected.At(i, j))
			}
		}
		all, coordinates, err := fullEigen(ritz, k)
		if err != nil {
			return nil, nil, false
		}
		values, norm := all[:k], math.Max(math.Abs(all[0]), math.Abs(all[size-1]))
		vectors, product := new(mat.Dense), new(mat.Dense)
		vectors.Mul(columns(space, 0, size), coordinates)
		product.Mul(columns(image, 0, size), coordinates)
		if residual(product, values, vectors) <= float64(n)*epsilon*norm {
			return values, vectors, solves(dense, values, vectors, norm) && noneLarger(a, values, vectors, norm)
		}
	}
	return nil, nil, false
}

// columns returns columns from to end-1 of m, sharing memory.
func columns(m *mat.Dense, from, end int) *mat.Dense {
	r, _ := m.Dims()
	return m.Slice(0, r, from, end).(*mat.Dense)
}

// extend makes the columns of block orthonormal, and orthogonal to the first ones of basis, which
// are so already. Columns that lie in the span of those before them, such as zeros, become random
// ones.
func extend(block, basis *mat.Dense, first int, random *rand.Rand) {
	n, width := block.Dims()
	clean := 0
	for pass := 0; clean < 2 && pass < 8; pass++ { // one leaves rounding of the size of what it removed
		clean++
		scale := mat.Norm(block, 2)
		if first > 0 {
			var components, removed mat.Dense
			components.Mul(columns(basis, 0, first).T(), block)
			removed.Mul(columns(basis, 0, first), &components)
			block.Sub(block, &removed)
		}
		for j, length := range orthonormalise(block) {
			if math.Abs(length) > 1e-12*scale {
				continue
			}
			clean = 0
			for i := range n {
				block.Set(i, j, random.NormFloat64()/math.Sqrt(float64(n*width)))
			}
		}
	}
}

// orthonormalise replaces block, which has fewer columns than rows, by the factor Q of its QR
// decomposition. It returns the diagonal of R.
func orthonormalise(block *mat.Dense) []float64 {
	_, width := block.Dims()
	raw, tau, work := block.RawMatrix(), make([]float64, width), []float64{0}
	lapack64.Geqrf(raw, tau, work, -1)
	work = make([]float64, int(work[0]))
	lapack64.Geqrf(raw, tau, work, len(work))
	diagonal := make([]float64, width)
	for j := range diagonal {
		diagonal[j] = block.At(j, j)
	}
	lapack64.Orgqr(raw, tau, work[:1], -1)
	work = make([]float64, int(work[0]))
	lapack64.Orgqr(raw, tau, work, len(work))
	return diagonal
}

// residual is the largest ‖A·vⱼ − valueⱼ·vⱼ‖₂, where product is A·V. It overwrites product.
func residual(product *mat.Dense, values []float64, v *mat.Dense) float64 {
	n, _ := v.Dims()
	for i := range n {
		row := product.RawRowView(i)
		for j := range row {
			row[j] -= values[j] * v.At(i, j)
		}
	}
	var largest float64
	for j := range values {
		if r := mat.Norm(product.ColView(j), 2); !(r <= largest) {
			largest = r
		}
	}
	return largest
}

// noneLarger reports whether the other eigenvalues of a are not above the last of values,
// descending, whose eigenvectors are the columns of v: whether μI − (A − V·diag(values)·Vᵀ) is
// positive definite for a μ that is larger by rounding. norm is the 2-norm of a.
func noneLarger(a *mat.SymDense, values []float64, v *mat.Dense, norm float64) bool {
	n, k := v.Dims()
	bound := values[k-1] + 50*float64(n)*epsilon*norm
	var scaled, found mat.Dense
	scaled.Mul(v, mat.NewDiagDense(k, values))
	found.Mul(&scaled, v.T())
	rest := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			rest.SetSym(i, j, found.At(i, j)-a.At(i, j))
		}
		rest.SetSym(i, i, rest.At(i, i)+bound)
	}
	_, positive := lapack64.Potrf(rest.RawSymmetric())
	return positive
}

// solves reports whether the columns of v are orthonormal eigenvectors of a for values, to
// rounding. norm is the 2-norm of a.
func solves(a mat.Matrix, values []float64, v *mat.Dense, norm float64) bool {
	n, _ := v.Dims()
	tolerance := 50 * float64(n) * epsilon
	var product, gram mat.Dense
	product.Mul(a, v)
	if !(residual(&product, values, v) <= tolerance*norm) {
		return false
	}
	gram.Mul(v.T(), v)
	for j := range values {
		gram.Set(j, j, gram.At(j, j)-1)
	}
	return mat.Norm(&gram, 2) <= tolerance
}
