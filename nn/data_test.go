package nn_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// TestPairsLieInOneTrajectory, and labels are numbered through.
func TestPairsLieInOneTrajectory(t *testing.T) {
	values := make([]float32, 10)
	for i := range values {
		values[i] = float32(i)
	}
	x, err := core.NewSnapshots(values, 1)
	require.NoError(t, err)
	three, err := core.CutTrajectories(x, []int{4, 1, 5})
	require.NoError(t, err)
	batch := func(d nn.Data, indices ...int) (a, b []float32) {
		both := d.Batch(indices)
		require.Len(t, both, 2)
		a = tensors.MustCopyFlatData[float32](both[0])
		if both[1].DType() == both[0].DType() {
			return a, tensors.MustCopyFlatData[float32](both[1])
		}
		for _, label := range tensors.MustCopyFlatData[int32](both[1]) {
			b = append(b, float32(label))
		}
		return a, b
	}
	pairs := nn.Pairs(three, 2)
	assert.Equal(t, 5, pairs.Len())
	now, later := batch(pairs, 4, 0, 1, 2, 3)
	assert.Equal(t, []float32{7, 0, 1, 5, 6}, now)
	assert.Equal(t, []float32{9, 2, 3, 7, 8}, later)
	pairs = nn.Pairs(core.OneTrajectory(x), 2)
	assert.Equal(t, 8, pairs.Len())
	now, later = batch(pairs, 7, 2)
	assert.Equal(t, []float32{7, 2}, now)
	assert.Equal(t, []float32{9, 4}, later)
	assert.Zero(t, nn.Pairs(three, 5).Len())

	triples := nn.Triples(three, 2)
	require.Equal(t, 1, triples.Len())
	for k, snapshots := range triples.Batch([]int{0, 0}) {
		assert.Equal(t, []float32{float32(5 + 2*k), float32(5 + 2*k)}, tensors.MustCopyFlatData[float32](snapshots))
	}
	assert.Equal(t, 3+3, nn.Triples(core.OneTrajectory(x), 2).Len())
	assert.Zero(t, nn.Triples(three, 3).Len())

	labelled := nn.Labelled(three, []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0})
	assert.Equal(t, 10, labelled.Len())
	now, labels := batch(labelled, 4, 9)
	assert.Equal(t, []float32{4, 9}, now)
	assert.Equal(t, []float32{5, 0}, labels)
}
