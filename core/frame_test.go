package core_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

// TestFrame: rows come back from the snapshots that are made of them.
func TestFrame(t *testing.T) {
	rows, err := core.NewSnapshots([]float32{1, 10, 2, 20, 3, 30, 4, 40, 5, 50}, 2)
	require.NoError(t, err)
	f := &core.Frame{Shift: []float64{3, 30}, Scale: []float64{2, 10}, Rows: 2, Stride: 3, Names: []string{"x", "y"}}
	require.NoError(t, f.Validate([]int{4}))
	x, err := f.Snapshots(rows)
	require.NoError(t, err)
	assert.Equal(t, []float32{-1, -2, .5, 1, -.5, -1, 1, 2}, x.Floats())
	assert.Equal(t, rows.Len()-f.Past(), x.Len())
	back, err := f.Newest(x)
	require.NoError(t, err)
	assert.Equal(t, []float32{4, 40, 5, 50}, back.Floats())
	assert.Equal(t, []int{2}, back.Shape())

	_, err = f.Snapshots(rows.Slice(0, 3))
	require.ErrorIs(t, err, core.ErrTooShort)
	_, err = f.Newest(rows)
	require.ErrorIs(t, err, core.ErrShape, "rows are no snapshots")

	images, err := core.NewSnapshots(make([]float32, 3*2*5), 2, 5)
	require.NoError(t, err)
	f = &core.Frame{Rows: 2, Stride: 1}
	x, err = f.Snapshots(images)
	require.NoError(t, err)
	assert.Equal(t, []int{4, 5}, x.Shape())
	back, err = f.Newest(x)
	require.NoError(t, err)
	assert.Equal(t, []int{2, 5}, back.Shape())

	large, err := core.NewSnapshots([]float32{3e38}, 1)
	require.NoError(t, err)
	_, err = (&core.Frame{Shift: []float64{0}, Scale: []float64{10}, Rows: 1, Stride: 1}).Newest(large)
	require.ErrorIs(t, err, core.ErrNonFinite)
}

func TestFrameRules(t *testing.T) {
	for says, f := range map[string]core.Frame{
		"both must be from 1":             {Rows: 1},
		"the first axis must be a":        {Rows: 3, Stride: 1},
		"1 names for the 2":               {Rows: 2, Stride: 1, Names: []string{"x"}},
		"0 shifts and 2 scales":           {Rows: 2, Stride: 1, Scale: []float64{1, 1}},
		"scale 0 for value 1":             {Rows: 2, Stride: 1, Shift: []float64{0, 0}, Scale: []float64{1, 0}},
		"shift NaN and the scale 1 for v": {Rows: 2, Stride: 1, Shift: []float64{math.NaN(), 0}, Scale: []float64{1, 1}},
	} {
		err := f.Validate([]int{4})
		require.ErrorIs(t, err, core.ErrContract, says)
		assert.ErrorContains(t, err, says)
	}
}
