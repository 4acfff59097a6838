package linalg

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// epsilon is the distance from 1 to the next float64.
const epsilon = 0x1p-52

// dense returns m itself where it is a *mat.Dense, and a copy otherwise.
func dense(m mat.Matrix) *mat.Dense {
	if d, ok := m.(*mat.Dense); ok {
		return d
	}
	return mat.DenseCopyOf(m)
}

// rows returns rows from to end-1 of m, sharing memory.
func rows(m *mat.Dense, from, end int) *mat.Dense {
	_, c := m.Dims()
	return m.Slice(from, end, 0, c).(*mat.Dense)
}

// Product returns the n×c matrix a·b of the n×k matrix a and the k×c matrix b, computed like the
// models of this package: a row of the result depends only on b and on that row of a, to the bit.
// It panics if the two do not fit.
func Product(a, b *mat.Dense) *mat.Dense { return product(a, b) }

// product returns a·b. Entry (i, j) is summed over k in ascending order, whatever the number of
// rows, so that a row of the result depends on that row of a alone. An installed BLAS need not give
// that, and gonum's own gives it for untransposed matrices only.
func product(a, b *mat.Dense) *mat.Dense {
	m, k := a.Dims()
	_, n := b.Dims()
	c := mat.NewDense(m, n, nil)
	ra, rb, rc := a.RawMatrix(), b.RawMatrix(), c.RawMatrix()
	gonum.Implementation{}.Dgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1, ra.Data, ra.Stride, rb.Data, rb.Stride, 0,
		rc.Data, rc.Stride)
	return c
}

// means returns the mean of each column.
func means(m *mat.Dense) []float64 {
	n, d := m.Dims()
	mean := make([]float64, d)
	addMeans(mean, m, n)
	return mean
}

// addMeans adds the sums over the rows of m, divided by n, to mean.
func addMeans(mean []float64, m *mat.Dense, n int) {
	sum := make([]float64, len(mean))
	rows, _ := m.Dims()
	for i := range rows {
		for j, v := range m.RawRowView(i) {
			sum[j] += v
		}
	}
	for j, v := range sum {
		mean[j] += v / float64(n)
	}
}

// shifted returns a copy of m with shift subtracted from each row.
func shifted(m *mat.Dense, shift []float64) *mat.Dense {
	n, d := m.Dims()
	c := mat.NewDense(n, d, nil)
	for i := range n {
		row := c.RawRowView(i)
		for j, v := range m.RawRowView(i) {
			row[j] = v - shift[j]
		}
	}
	return c
}

// indexOfNonFinite returns where the first value is that is infinite or not a number, and whether there is one.
func indexOfNonFinite(m *mat.Dense) (row, column int, found bool) {
	n, _ := m.Dims()
	for i := range n {
		for j, v := range m.RawRowView(i) {
			if v-v != 0 {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// checked returns m as a dense matrix of finite values, or the error that names what is wrong with it.
func checked(name string, m mat.Matrix) (*mat.Dense, error) {
	if m == nil {
		return nil, fmt.Errorf("%w: the %s are nil", core.ErrShape, name)
	}
	if r, c := m.Dims(); r == 0 || c == 0 {
		return nil, errEmpty(name, r, c)
	}
	d := dense(m)
	if i, j, found := indexOfNonFinite(d); found {
		return nil, errNonFinite(name, i, j, d.At(i, j))
	}
	return d, nil
}

func errEmpty(name string, rows, columns int) error {
	return fmt.Errorf("%w: the %s are %d×%d; give at least one row and one column", core.ErrShape, name, rows, columns)
}

func errNonFinite(name string, row, column int, value float64) error {
	return fmt.Errorf("%w: row %d, column %d of the %s is %v", core.ErrNonFinite, row, column, name, value)
}

// checkedWidth is checked for a matrix that must have that number of columns.
func checkedWidth(name string, m mat.Matrix, width int) (*mat.Dense, error) {
	d, err := checked(name, m)
	if err != nil {
		return nil, err
	}
	if _, c := d.Dims(); c != width {
		return nil, fmt.Errorf("%w: the %s have %d columns where the fit had %d", core.ErrShape, name, c, width)
	}
	return d, nil
}
