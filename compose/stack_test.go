package compose

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// TestStacked: views of trajectories are the rows of all of them, read by blocks or by entries, empty ones too.
func TestStacked(t *testing.T) {
	values := make([]float32, 22)
	for i := range values {
		values[i] = float32(i)
	}
	x, err := core.NewSnapshots(values, 2)
	require.NoError(t, err)
	for _, lengths := range [][]int{{11}, {3, 0, 7, 1}, {0, 11}} {
		trajectories, err := core.CutTrajectories(x, lengths)
		require.NoError(t, err)
		m, err := stacked(trajectories, valuesOf)
		require.NoError(t, err)
		assert.True(t, mat.Equal(x.Matrix(), m), lengths)
		for from := range 11 {
			for end := from + 1; end <= 11; end++ {
				block := mat.NewDense(end-from, 2, nil)
				core.ReadRows(block, m, from)
				assert.True(t, mat.Equal(x.Matrix().Slice(from, end, 0, 2), block), "%v, rows %d to %d", lengths, from, end)
			}
		}
	}
}
