package core

import "gonum.org/v1/gonum/mat"

// View returns the flattened snapshots as the rows of a Len×Size matrix that shares the memory of s: an entry is converted
// when it is read. It may be read concurrently. It is an empty matrix for an empty sequence.
func (s Snapshots) View() mat.Matrix { return view{s} }

type view struct{ s Snapshots }

var _ mat.Matrix = view{}

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

func (v view) T() mat.Matrix { return mat.Transpose{Matrix: v} }
