package main

import (
	"cmp"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// spectrum has the eigenvalues of an operator Q B in the order of [core.SpectralOperator], and its
// left eigenvectors, scaled as told there.
type spectrum struct {
	values []complex128
	modes  [][]complex128 // r vectors of d coefficients
}

// newSpectrum returns the spectrum of Q B, for Q (d×r) with orthonormal columns and B (r×d), by
// that of the r×r matrix B Q: where B Q v = λ v and uᵀ B Q = λ uᵀ, the operator has the right
// eigenvector Q v and the left one Bᵀ u, the exact DMD mode (Tu et al. 2014, definition 1). It
// returns nil if the QR algorithm does not converge.
func newSpectrum(q, b *mat.Dense) *spectrum {
	var reduced mat.Dense
	reduced.Mul(b, q)
	var eigen mat.Eigen
	if !eigen.Factorize(&reduced, mat.EigenBoth) {
		return nil
	}
	values := eigen.Values(nil)
	var left, right mat.CDense
	eigen.LeftVectorsTo(&left)
	eigen.VectorsTo(&right)
	order := make([]int, len(values))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(i, j int) int { // conjugates have equal moduli, and stay side by side
		return cmp.Compare(cmplx.Abs(values[j]), cmplx.Abs(values[i]))
	})
	s := &spectrum{}
	for _, k := range order {
		s.values = append(s.values, values[k])
		s.modes = append(s.modes, mode(b, values[k], &left, &right, k))
	}
	return s
}

// mode returns Bᵀ u of the kth eigenvector, scaled so that its product with the right eigenvector
// of norm 1 is 1. Where the two are orthogonal, for an eigenvalue of 0 for instance, it is zero.
func mode(b *mat.Dense, value complex128, left, right *mat.CDense, k int) []complex128 {
	r, d := b.Dims()
	product, squares := complex(0, 0), 0.0 // uᵀ v and ‖v‖²
	u := make([]complex128, r)
	for i := range r {
		u[i] = cmplx.Conj(left.At(i, k)) // gonum's are of uᴴ
		v := right.At(i, k)
		product += u[i] * v
		squares += real(v)*real(v) + imag(v)*imag(v)
	}
	scale := 1 / (value * product) * complex(math.Sqrt(squares), 0) // since (Bᵀ u)·(Q v) = λ uᵀ v
	if cmplx.Abs(value*product) < 0x1p-40 {
		scale = 0
	}
	l := make([]complex128, d)
	for i := range r {
		for j, v := range b.RawRowView(i) {
			l[j] += scale * u[i] * complex(v, 0)
		}
	}
	return l
}
