package linalg

import (
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/mat"
)

// schur is the real Schur form of a balanced n×n matrix: M = D Z T Zᵀ D⁻¹ with orthogonal Z, a
// permuted diagonal D, and T upper triangular except for 2×2 blocks on its diagonal, one for each
// conjugate pair.
type schur struct {
	n         int
	t, z      *mat.Dense
	low, high int       // the rows that balancing scaled
	balance   []float64 // as of Dgebal

	values []complex128 // the eigenvalues as mat.Eigen gives them, to the bit
	origin []int        // origin[i] is the eigenvalue's index in values that row i of T has now
}

// newSchur takes the steps of LAPACK's DGEEV up to the eigenvectors. ok is false if the QR
// algorithm does not converge.
func newSchur(m *mat.Dense) (_ *schur, ok bool) {
	n, _ := m.Dims()
	s := &schur{
		n: n, t: mat.DenseCopyOf(m),
		balance: make([]float64, n), values: make([]complex128, n), origin: make([]int, n),
	}
	var lapacke gonum.Implementation
	t := s.t.RawMatrix()
	s.low, s.high = lapacke.Dgebal(lapack.PermuteScale, n, t.Data, t.Stride, s.balance)
	tau := make([]float64, max(n-1, 0))
	withWork(func(work []float64, size int) { lapacke.Dgehrd(n, s.low, s.high, t.Data, t.Stride, tau, work, size) })
	s.z = mat.DenseCopyOf(s.t)
	z := s.z.RawMatrix()
	withWork(func(work []float64, size int) { lapacke.Dorghr(n, s.low, s.high, z.Data, z.Stride, tau, work, size) })
	re, im := make([]float64, n), make([]float64, n)
	var unconverged int
	withWork(func(work []float64, size int) {
		unconverged = lapacke.Dhseqr(lapack.EigenvaluesAndSchur, lapack.SchurOrig, n, s.low, s.high,
			t.Data, t.Stride, re, im, z.Data, z.Stride, work, size)
	})
	for i := range n {
		s.values[i], s.origin[i] = complex(re[i], im[i]), i
	}
	return s, unconverged == 0
}

// withWork calls a LAPACK routine for the size of its workspace, and then with it.
func withWork(call func(work []float64, size int)) {
	work := make([]float64, 1)
	call(work, -1)
	work = make([]float64, int(work[0]))
	call(work, len(work))
}

// value is the eigenvalue of row i.
func (s *schur) value(i int) complex128 { return s.values[s.origin[i]] }

// width is how many rows an eigenvalue takes that begins at row i: 2 for a conjugate pair.
func (s *schur) width(i int) int {
	if imag(s.value(i)) != 0 {
		return 2
	}
	return 1
}

// widthAt is the size of the diagonal block of T that begins at row i. Rounding may split the block
// of a pair.
func (s *schur) widthAt(i int) int {
	if i+1 < s.n && s.t.At(i+1, i) != 0 {
		return 2
	}
	return 1
}

// widthBefore is the size of the diagonal block of T that ends before row i.
func (s *schur) widthBefore(i int) int {
	if i > 1 && s.t.At(i-1, i-2) != 0 {
		return 2
	}
	return 1
}

// nearest returns the row, from end on, of the eigenvalue that is nearest to one of rows from …
// end−1.
func (s *schur) nearest(from, end int) int {
	best, least := end, math.Inf(1)
	for i := end; i < s.n; i += s.width(i) {
		for j := from; j < end; j += s.width(j) {
			if distance := cmplx.Abs(s.value(i) - s.value(j)); distance < least {
				best, least = i, distance
			}
		}
	}
	return best
}

// move moves the eigenvalue of row i up to row to, and returns the row after it. Where eigenvalues
// are so close that they cannot change places, it stays below them, and the row is one further
// down.
func (s *schur) move(i, to int) int {
	width := s.width(i)
	end := to + width
	for moved := 0; moved < width; {
		size := s.widthAt(i + moved)
		at := s.exchange(i+moved, to+moved)
		end = max(end, at+size)
		moved += size
	}
	pair := [2]int{s.origin[i], s.origin[i+width-1]}
	copy(s.origin[to+width:i+width], s.origin[to:i])
	copy(s.origin[to:to+width], pair[:width])
	return end
}

// exchange moves the diagonal block of row i up to row to, or as far as it goes, and returns its
// row.
func (s *schur) exchange(i, to int) int {
	t, z := s.t.RawMatrix(), s.z.RawMatrix()
	work := make([]float64, s.n)
	_, at, _ := gonum.Implementation{}.Dtrexc(lapack.UpdateSchur, s.n, t.Data, t.Stride, z.Data, z.Stride, i, to, work)
	return at
}

// sylvester solves AX − XB = C for the diagonal blocks A and B of T at the rows i and j, with rows
// of two in c and x.
func (s *schur) sylvester(i, rows, j, columns int, c, x *[4]float64) {
	t := s.t.RawMatrix()
	scale, _, _ := gonum.Implementation{}.Dlasy2(false, false, -1, rows, columns, t.Data[i*t.Stride+i:], t.Stride,
		t.Data[j*t.Stride+j:], t.Stride, c[:], 2, x[:], 2)
	for k := range x {
		x[k] /= scale
	}
}

// unbalance turns D⁻¹·right and D·left into right and left.
func (s *schur) unbalance(right, left *mat.Dense) {
	var lapacke gonum.Implementation
	for side, m := range map[lapack.EVSide]*mat.Dense{lapack.EVRight: right, lapack.EVLeft: left} {
		v := m.RawMatrix()
		lapacke.Dgebak(lapack.PermuteScale, side, s.n, s.low, s.high, s.balance, s.n, v.Data, v.Stride)
	}
}
