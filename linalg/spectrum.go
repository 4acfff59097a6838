package linalg

import (
	"cmp"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// spectrum holds the eigen-triplets of G = U·P, found from those of the r×r matrix M = P·U: if M q
// = λq and pᵀM = λpᵀ with pᵀq = 1, then w = Uq and l = Pᵀp are right and left eigenvectors of G
// (Kostic et al. 2022).
type spectrum struct {
	values []complex128 // in the order that core.SpectralOperator gives
	// right and left (d×r) hold w and l in their columns, ‖w‖₂ = 1, lᵀw = 1. A column of left is
	// zero if no scaling makes it so.
	right, left *mat.CDense
}

// illConditioned is the condition number of the eigenvectors of M from which its left eigenvectors
// are no longer found as the inverse of the right ones.
const illConditioned = 1e8

// Eigenvalues returns the r eigenvalues in the order and scale of [core.SpectralOperator]. The
// first call computes them, with the eigenvectors. It returns nil if the QR algorithm does not
// converge. Methods that return an error then report this.
func (m *Model) Eigenvalues() []complex128 {
	s, err := m.spectrum()
	if err != nil {
		return nil
	}
	return slices.Clone(s.values)
}

// RightEigenfunctions returns what [core.SpectralOperator] says: the n×r values z·w, or (z −
// mean)·w in a centred model, and an empty matrix for rank 0. The phase of w makes its largest
// entry real and positive. The error is [core.ErrShape], [core.ErrNonFinite], and
// [core.ErrUnavailable] if the eigenvalues did not converge.
func (m *Model) RightEigenfunctions(z mat.Matrix) (_ *mat.CDense, err error) {
	defer core.Recover(&err)
	s, err := m.spectrum()
	if err != nil {
		return nil, err
	}
	return m.evaluate(z, s.right)
}

// LeftEigenfunctions returns what [core.SpectralOperator] says, like [Model.RightEigenfunctions]. A
// left vector l = C_XYᵀ U p may be orthogonal to w to rounding, because the eigenvalue is 0 or
// lacks an eigenvector. It cannot be scaled to Σ_j l_j w_j = 1, so its column is zero.
func (m *Model) LeftEigenfunctions(z mat.Matrix) (_ *mat.CDense, err error) {
	defer core.Recover(&err)
	s, err := m.spectrum()
	if err != nil {
		return nil, err
	}
	return m.evaluate(z, s.left)
}

// evaluate returns z·vectors, row by row.
func (m *Model) evaluate(z mat.Matrix, vectors *mat.CDense) (*mat.CDense, error) {
	x, err := checkedWidth("features", z, m.dim)
	if err != nil {
		return nil, err
	}
	if m.rank == 0 {
		return &mat.CDense{}, nil
	}
	parts := mat.NewDense(m.dim, 2*m.rank, nil)
	for i := range m.dim {
		for j := range m.rank {
			v := vectors.At(i, j)
			parts.Set(i, 2*j, real(v))
			parts.Set(i, 2*j+1, imag(v))
		}
	}
	y := product(m.centred(x), parts)
	if i, j, found := indexOfNonFinite(y); found {
		return nil, fmt.Errorf("%w: eigenfunction %d at row %d exceeds the largest float64; "+
			"scale the features to the order of 1", core.ErrNonFinite, j/2, i)
	}
	n, _ := y.Dims()
	values := mat.NewCDense(n, m.rank, nil)
	for i := range n {
		row := y.RawRowView(i)
		for j := range m.rank {
			values.Set(i, j, complex(row[2*j], row[2*j+1]))
		}
	}
	return values, nil
}

// decompose computes the spectrum.
func (m *Model) decompose() (_ *spectrum, err error) {
	defer core.Recover(&err)
	if m.rank == 0 {
		return &spectrum{}, nil
	}
	step := m.step.Slice(0, m.rank, 0, m.rank)
	var eigen mat.Eigen
	if !eigen.Factorize(step, mat.EigenBoth) {
		return nil, m.errUnconverged()
	}
	values := eigen.Values(nil)
	// Real arithmetic throughout: columns j and j+1 of a conjugate pair hold the real and the imaginary part of the first.
	q := rightVectors(&eigen, values)
	p := dualVectors(&eigen, values, q)
	var w, l mat.Dense
	w.Mul(m.basis, q)
	l.Mul(m.image().T(), p)
	s := &spectrum{
		values: make([]complex128, 0, m.rank),
		right:  mat.NewCDense(m.dim, m.rank, nil),
		left:   mat.NewCDense(m.dim, m.rank, nil),
	}
	for _, j := range order(values) {
		paired := imag(values[j]) != 0
		s.add(values[j], column(&w, j, paired), column(&l, j, paired))
	}
	return s, nil
}

func (m *Model) errUnconverged() error {
	return fmt.Errorf("%w: the eigenvalues of the %d×%d operator did not converge; ask for a lower rank",
		core.ErrUnavailable, m.rank, m.rank)
}

// add scales a triplet and appends it, and its conjugate if the eigenvalue is not real.
func (s *spectrum) add(value complex128, w, l []complex128) {
	phase := phaseOfLargest(w)
	scale(w, cmplx.Conj(phase)/complex(norm(w), 0))
	scaleToDual(l, w)
	for range 2 {
		j := len(s.values)
		s.values = append(s.values, value)
		setColumn(s.right, j, w)
		setColumn(s.left, j, l)
		if imag(value) == 0 {
			return
		}
		value = cmplx.Conj(value)
		conjugate(w)
		conjugate(l)
	}
}

// rightVectors returns the right eigenvectors of M as real columns.
func rightVectors(eigen *mat.Eigen, values []complex128) *mat.Dense {
	var vectors mat.CDense
	eigen.VectorsTo(&vectors)
	return realColumns(&vectors, values, 1)
}

// dualVectors returns vectors p with pᵀM = λpᵀ as real columns, given the right eigenvectors q.
func dualVectors(eigen *mat.Eigen, values []complex128, q *mat.Dense) *mat.Dense {
	// The rows of Q⁻¹ are orthogonal to every other right vector even where eigenvalues coincide.
	var lu mat.LU
	lu.Factorize(q)
	if lu.Cond() < illConditioned {
		var inverse mat.Dense
		if err := lu.SolveTo(&inverse, true, identity(len(values))); err == nil {
			for j := 1; j < len(values); j++ {
				if imag(values[j]) < 0 {
					column := inverse.ColView(j).(*mat.VecDense)
					column.ScaleVec(-1, column)
				}
			}
			return &inverse
		}
	}
	// Close to defective: each left eigenvector for itself, so that one bad pair does not spoil the others. gonum's left
	// vectors u satisfy uᴴM = λuᴴ.
	var vectors mat.CDense
	eigen.LeftVectorsTo(&vectors)
	return realColumns(&vectors, values, -1)
}

func identity(n int) *mat.Dense {
	m := mat.NewDense(n, n, nil)
	for i := range n {
		m.Set(i, i, 1)
	}
	return m
}

// order returns the indices of the eigenvalues in descending order of modulus, equal ones by
// descending real part, without those of negative imaginary part, each of which follows its
// conjugate in values.
func order(values []complex128) []int {
	var indices []int
	for j, v := range values {
		if imag(v) >= 0 {
			indices = append(indices, j)
		}
	}
	slices.SortStableFunc(indices, func(a, b int) int {
		return cmp.Or(
			cmp.Compare(cmplx.Abs(values[b]), cmplx.Abs(values[a])),
			cmp.Compare(real(values[b]), real(values[a])),
		)
	})
	return indices
}

// realColumns returns the vectors with the imaginary part of each pair's first, times sign, in place of the second.
func realColumns(vectors *mat.CDense, values []complex128, sign float64) *mat.Dense {
	n, _ := vectors.Dims()
	m := mat.NewDense(n, n, nil)
	for i := range n {
		for j, v := range values {
			if imag(v) < 0 {
				m.Set(i, j, sign*imag(vectors.At(i, j-1)))
			} else {
				m.Set(i, j, real(vectors.At(i, j)))
			}
		}
	}
	return m
}

// column returns column j of m, with column j+1 as imaginary part if paired.
func column(m *mat.Dense, j int, paired bool) []complex128 {
	n, _ := m.Dims()
	v := make([]complex128, n)
	for i := range v {
		if paired {
			v[i] = complex(m.At(i, j), m.At(i, j+1))
		} else {
			v[i] = complex(m.At(i, j), 0)
		}
	}
	return v
}

func setColumn(m *mat.CDense, j int, v []complex128) {
	for i, x := range v {
		m.Set(i, j, x)
	}
}

func scale(v []complex128, c complex128) {
	for i := range v {
		v[i] *= c
	}
}

func conjugate(v []complex128) {
	for i, x := range v {
		v[i] = cmplx.Conj(x)
	}
}

// norm is the Euclidean norm.
func norm(v []complex128) float64 {
	var length float64
	for _, x := range v {
		length = math.Hypot(length, cmplx.Abs(x))
	}
	return length
}

// phaseOfLargest returns x/|x| for the first x of largest modulus in v, which is not zero.
func phaseOfLargest(v []complex128) complex128 {
	var largest complex128
	for _, x := range v {
		if cmplx.Abs(x) > cmplx.Abs(largest) {
			largest = x
		}
	}
	return largest / complex(cmplx.Abs(largest), 0)
}

// scaleToDual scales v to Σ_j v_j w_j = 1. If the two are orthogonal to rounding, it makes v zero.
func scaleToDual(v, w []complex128) {
	if e := unitExponent(norm(v)); e != 0 { // the inverse of a small sum would overflow
		for i, x := range v {
			v[i] = complex(math.Ldexp(real(x), -e), math.Ldexp(imag(x), -e))
		}
	}
	var sum complex128
	for i := range v {
		sum += v[i] * w[i]
	}
	if !(cmplx.Abs(sum) > float64(len(v))*epsilon*norm(v)*norm(w)) {
		clear(v)
		return
	}
	scale(v, 1/sum)
}
