package results

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// TestEigenfunctionsOfOlderVersions: they kept the left ones of all eigenvalues at all test
// snapshots, and such folders are still shown. What no version wrote is refused.
func TestEigenfunctionsOfOlderVersions(t *testing.T) {
	run := &Run{Eigenvalues: make([]Complex, MaxEigenfunctions+10)}
	info := TaskInfo{Steps: 1, Test: functionsPoints + 1, Starts: 1, Shape: []int{1}}
	for _, of := range []struct {
		rows, columns int
		right         bool
		read          bool
	}{
		{functionsPoints, MaxEigenfunctions, false, true},
		{functionsPoints + 1, MaxEigenfunctions + 10, false, true},
		{functionsPoints + 1, MaxEigenfunctions + 10, true, false},
		{functionsPoints + 1, MaxEigenfunctions, false, false},
		{functionsPoints, MaxEigenfunctions + 10, false, false},
		{functionsPoints, 3, false, false},
		{functionsPoints, 3, true, true},
	} {
		r, m := &RunArrays{}, mat.NewCDense(of.rows, of.columns, nil)
		if r.LeftEigenfunctions = m; of.right {
			r.LeftEigenfunctions, r.RightEigenfunctions = nil, m
		}
		if err := r.check(info, run); of.read {
			require.NoError(t, err, "%+v", of)
		} else {
			require.ErrorIs(t, err, ErrResults, "%+v", of)
		}
	}
}
