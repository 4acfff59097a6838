package core

import (
	"fmt"
	"sort"

	"gonum.org/v1/gonum/mat"
)

// View returns the flattened snapshots as the rows of a Len×Size matrix that shares the memory of
// s. An entry is converted when it is read. The matrix may be read concurrently. It is empty for an
// empty sequence.
func (s Snapshots) View() mat.Matrix { return view{s} }

// RowReader is a matrix whose rows are read faster together than entry by entry.
type RowReader interface {
	mat.Matrix
	// ReadRows fills dst with the rows from, from+1, …: the values that At returns. dst must have as
	// many columns as the matrix. ReadRows may be called concurrently, and does not keep dst.
	ReadRows(dst *mat.Dense, from int)
}

// ReadRows fills dst with the rows from, from+1, … of m. dst must have as many columns as m.
func ReadRows(dst *mat.Dense, m mat.Matrix, from int) {
	n, d := dst.Dims()
	switch m := m.(type) {
	case RowReader:
		m.ReadRows(dst, from)
	case mat.RawRowViewer:
		for i := range n {
			copy(dst.RawRowView(i), m.RawRowView(from+i))
		}
	default:
		for i := range n {
			for j := range d {
				dst.Set(i, j, m.At(from+i, j))
			}
		}
	}
}

type view struct{ s Snapshots }

var _ RowReader = view{}

func (v view) Dims() (rows, columns int) {
	if v.s.Len() == 0 {
		return 0, 0
	}
	return v.s.Len(), v.s.size
}

func (v view) At(i, j int) float64 {
	if j < 0 || j >= v.s.size {
		panic(mat.ErrColAccess)
	}
	return float64(v.s.at(i, j))
}

func (v view) ReadRows(dst *mat.Dense, from int) {
	n, d := dst.Dims()
	values := make([]float32, d)
	for i := range n {
		v.s.Read(values, from+i)
		row := dst.RawRowView(i)
		for j, x := range values {
			row[j] = float64(x)
		}
	}
}

func (v view) T() mat.Matrix { return mat.Transpose{Matrix: v} }

// StackRows stacks the rows of the matrices into one matrix that shares their memory. Matrices
// without rows are left out. The result may be read concurrently if the matrices may be. StackRows
// panics if the numbers of columns differ.
func StackRows(matrices ...mat.Matrix) mat.Matrix {
	var s stack
	for _, m := range matrices {
		r, c := m.Dims()
		if r == 0 {
			continue
		}
		if len(s.parts) > 0 && c != s.columns {
			panic(fmt.Sprintf("core: rows of %d columns below rows of %d", c, s.columns))
		}
		s.rows, s.columns = s.rows+r, c
		s.parts, s.ends = append(s.parts, m), append(s.ends, s.rows)
	}
	if len(s.parts) == 1 {
		return s.parts[0]
	}
	return s
}

// stack is matrices below one another. ends[k] is the number of rows of the matrices 0 … k.
type stack struct {
	parts         []mat.Matrix
	ends          []int
	rows, columns int
}

var _ RowReader = stack{}

func (s stack) Dims() (rows, columns int) { return s.rows, s.columns }

func (s stack) At(i, j int) float64 {
	if i < 0 || i >= s.rows {
		panic(mat.ErrRowAccess)
	}
	k := sort.SearchInts(s.ends, i+1)
	if k > 0 {
		i -= s.ends[k-1]
	}
	return s.parts[k].At(i, j)
}

func (s stack) T() mat.Matrix { return mat.Transpose{Matrix: s} }

// ReadRows implements [RowReader].
func (s stack) ReadRows(dst *mat.Dense, from int) {
	n, d := dst.Dims()
	for done := 0; done < n; {
		k := sort.SearchInts(s.ends, from+done+1)
		part := s.parts[k]
		left, _ := part.Dims()
		at := from + done - s.ends[k] + left
		rows := min(n-done, left-at)
		ReadRows(dst.Slice(done, done+rows, 0, d).(*mat.Dense), part, at)
		done += rows
	}
}
