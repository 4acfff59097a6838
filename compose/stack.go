package compose

import (
	"sort"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// stacked returns the views of trajectories, one below the other, without a copy of them.
func stacked(t core.Trajectories, view func(core.Snapshots) (mat.Matrix, error)) (mat.Matrix, error) {
	var s stack
	n := 0
	for _, x := range t.All() {
		part, err := view(x)
		if err != nil {
			return nil, err
		}
		if x.Len() > 0 {
			n += x.Len()
			s.parts, s.ends = append(s.parts, part), append(s.ends, n)
		}
	}
	if len(s.parts) == 1 {
		return s.parts[0], nil
	}
	return s, nil
}

// valuesOf is the view of the values of snapshots.
func valuesOf(x core.Snapshots) (mat.Matrix, error) { return x.View(), nil }

// stack is two or more matrices of equally many columns, one below the other.
type stack struct {
	parts []mat.Matrix
	ends  []int // ends[k] is the number of rows of the parts 0 … k
}

var _ core.RowReader = stack{}

// find returns the part of row i, and the place of the row in it.
func (s stack) find(i int) (part mat.Matrix, at int) {
	k := sort.SearchInts(s.ends, i+1)
	n, _ := s.parts[k].Dims()
	return s.parts[k], i - s.ends[k] + n
}

func (s stack) Dims() (rows, columns int) {
	_, columns = s.parts[0].Dims()
	return s.ends[len(s.ends)-1], columns
}

func (s stack) At(i, j int) float64 {
	part, at := s.find(i)
	return part.At(at, j)
}

func (s stack) T() mat.Matrix { return mat.Transpose{Matrix: s} }

// ReadRows implements [core.RowReader].
func (s stack) ReadRows(dst *mat.Dense, from int) {
	n, d := dst.Dims()
	for done := 0; done < n; {
		part, at := s.find(from + done)
		left, _ := part.Dims()
		rows := min(n-done, left-at)
		core.ReadRows(dst.Slice(done, done+rows, 0, d).(*mat.Dense), part, at)
		done += rows
	}
}
