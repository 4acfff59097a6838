package core_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

func trajectories(t *testing.T, lengths ...int) core.Trajectories {
	sum := 0
	for _, n := range lengths {
		sum += n
	}
	all, err := core.NewSnapshots(ramp(2*sum), 2)
	require.NoError(t, err)
	x, err := core.CutTrajectories(all, lengths)
	require.NoError(t, err)
	return x
}

func TestTrajectoriesAreNumberedThrough(t *testing.T) {
	for _, lengths := range [][]int{{7}, {3, 4}, {2, 0, 1, 4}, {0, 7, 0}} {
		x := trajectories(t, lengths...)
		assert.Equal(t, 7, x.Len())
		assert.Equal(t, len(lengths), x.Count())
		assert.Equal(t, lengths, x.Lengths())
		assert.Equal(t, []int{2}, x.Shape())
		assert.Equal(t, 2, x.Size())
		for k, part := range x.All() {
			assert.Equal(t, lengths[k], part.Len())
			assert.Equal(t, part, x.At(k))
		}
		for from := range 7 {
			for n := range 8 - from {
				dst := make([]float32, 2*n)
				x.Read(dst, from)
				assert.Equal(t, ramp(14)[2*from:2*(from+n)], dst, "%v: %d snapshots from %d", lengths, n, from)
				slice := x.Slice(from, from+n)
				assert.Equal(t, n, slice.Len())
				assert.Equal(t, []int{2}, slice.Shape())
				assert.Equal(t, dst, append([]float32{}, slice.Floats()...), "%v: %d snapshots from %d", lengths, n, from)
			}
		}
		dst := make([]float32, 8)
		x.Gather(dst, []int{6, 0, 3, 3})
		assert.Equal(t, []float32{12, 13, 0, 1, 6, 7, 6, 7}, dst)
		assert.Panics(t, func() { x.Read(make([]float32, 2), 7) })
		assert.Panics(t, func() { x.Read(make([]float32, 4), 6) })
		assert.Panics(t, func() { x.Slice(6, 8) })
		assert.Panics(t, func() { x.Slice(-1, 2) })
		assert.Equal(t, ramp(14), x.Snapshots().Floats())
		assert.True(t, mat.Equal(x.Matrix(), x.View()), lengths)
		assert.True(t, mat.Equal(x.Matrix().T(), x.View().T()), lengths)
		assert.Panics(t, func() { x.View().At(7, 0) })
		assert.Panics(t, func() { x.View().At(-1, 0) })
		assert.Equal(t, 7., x.Matrix().At(3, 1))
	}
	assert.Zero(t, core.Trajectories{}.Len())
	assert.Zero(t, core.Trajectories{}.Pairs(1))
	assert.True(t, core.Trajectories{}.Matrix().IsEmpty())
	assert.Zero(t, core.Trajectories{}.Slice(0, 0).Len())
	rows, columns := core.Trajectories{}.View().Dims()
	assert.Zero(t, rows+columns)
	assert.Panics(t, func() { core.StackRows(mat.NewDense(1, 2, nil), mat.NewDense(1, 3, nil)) })
	x, err := core.NewSnapshots(ramp(4), 2)
	require.NoError(t, err)
	assert.Equal(t, core.OneTrajectory(x), trajectories(t, 2), "they share memory and hold nothing else")
}

func TestTrajectoriesOfPixels(t *testing.T) {
	pixels, err := core.NewPixelSnapshots([]uint8{0, 51, 102, 255}, 1)
	require.NoError(t, err)
	floats, err := core.NewSnapshots([]float32{0.5}, 1)
	require.NoError(t, err)
	x, err := core.NewTrajectories(pixels.Slice(1, 3), pixels.Slice(0, 1))
	require.NoError(t, err)
	of8bits, ok := x.Snapshots().Pixels()
	assert.True(t, ok)
	assert.Equal(t, []uint8{51, 102, 0}, of8bits)
	x, err = core.NewTrajectories(pixels, floats)
	require.NoError(t, err)
	assert.Equal(t, []float32{0, 0.2, 0.4, 1, 0.5}, x.Snapshots().Floats())
}

func TestTrajectoriesAreOfOneShape(t *testing.T) {
	a, err := core.NewSnapshots(ramp(8), 4)
	require.NoError(t, err)
	b, err := core.NewSnapshots(ramp(8), 2, 2)
	require.NoError(t, err)
	_, err = core.NewTrajectories(a, b)
	assert.ErrorIs(t, err, core.ErrShape)
	_, err = core.NewTrajectories()
	assert.ErrorIs(t, err, core.ErrShape)
	assert.False(t, core.OneTrajectory(a).SameShape(core.OneTrajectory(b)))
	c, err := core.NewSnapshots([]float32{1, 2, 3, float32(math.NaN())}, 4)
	require.NoError(t, err)
	x, err := core.NewTrajectories(a, c)
	require.NoError(t, err)
	assert.ErrorIs(t, x.CheckFinite(), core.ErrNonFinite)
	assert.ErrorContains(t, x.CheckFinite(), "trajectory 1: ")
}

func starts(p core.PairStarts) []int {
	all := []int{}
	for k := range p.Len() {
		all = append(all, p.At(k))
	}
	return all
}

func TestPairStarts(t *testing.T) {
	for _, lengths := range [][]int{{9}, {4, 5}, {1, 3, 0, 3, 2}, {1, 1, 7}} {
		x := trajectories(t, lengths...)
		for lag := range 12 {
			want := []int{}
			end := 0
			for _, n := range lengths {
				end += n
				for i := end - n; lag > 0 && i+lag < end; i++ {
					want = append(want, i)
				}
			}
			p := x.PairStarts(lag)
			assert.Equal(t, want, starts(p), "%v at a lag of %d", lengths, lag)
			assert.Equal(t, len(want), x.Pairs(lag))
			runs := []int{}
			for from, end := range p.Runs() {
				for i := from; i < end; i++ {
					runs = append(runs, i)
				}
			}
			assert.Equal(t, want, runs)
			assert.Panics(t, func() { p.At(len(want)) })
			assert.Panics(t, func() { p.At(-1) })
			if q, err := core.NewPairStarts(x.Len(), lag, lengths); len(want) > 0 {
				require.NoError(t, err)
				assert.Equal(t, p, q)
			} else {
				assert.Error(t, err)
			}
		}
	}
	p, err := core.NewPairStarts(5, 2, nil)
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2}, starts(p))
	for from, end := range p.Runs() {
		assert.Equal(t, []int{0, 3}, []int{from, end})
		break
	}
}

func TestPairStartsRefuse(t *testing.T) {
	for _, c := range []struct {
		rows, lag int
		lengths   []int
		want      error
		says      string
	}{
		{5, 0, nil, core.ErrOption, "a lag of 0 rows"},
		{5, 5, nil, core.ErrTooShort, "5 rows have no pair at a lag of 5; give at least 6"},
		{5, 3, []int{2, 3}, core.ErrTooShort, "5 rows in 2 trajectories have no pair at a lag of 3; give a " +
			"trajectory of at least 4"},
		{5, 1, []int{2, 2}, core.ErrShape, "add up to 4, and there are 5 rows"},
		{5, 1, []int{2, 4}, core.ErrShape, "trajectory 1 has a length of 4, and 3 of the 5 rows are left"},
		{5, 1, []int{7, -2}, core.ErrShape, "trajectory 0 has a length of 7"},
		{5, 1, []int{-2, 7}, core.ErrShape, "trajectory 0 has a length of -2"},
		{5, 1, []int{5, math.MaxInt}, core.ErrShape, "trajectory 1"},
		{5, 1, []int{}, core.ErrShape, "0 trajectories"},
		{0, 1, nil, core.ErrTooShort, "0 rows"},
	} {
		_, err := core.NewPairStarts(c.rows, c.lag, c.lengths)
		assert.ErrorIs(t, err, c.want)
		assert.ErrorContains(t, err, c.says)
	}
	_, err := core.CutTrajectories(training(t).Train.Snapshots(), []int{2, 3})
	assert.ErrorIs(t, err, core.ErrShape)
	assert.ErrorContains(t, err, "add up to 5, and there are 6 snapshots")
	x := training(t)
	x.Train, x.Lag = cut(x.Train, 2), 2
	assert.ErrorContains(t, x.Validate(), "6 training snapshots in 3 trajectories have no pair at a lag of 2; "+
		"give a trajectory of at least 3")
	x = training(t)
	x.Validation, x.Lag = cut(x.Validation, 3), 3
	assert.ErrorContains(t, x.Validate(), "4 validation snapshots in 2 trajectories have no pair")
}

// TestPairsOfManyTrajectories: what they take grows with the trajectories, not with the pairs.
func TestPairsOfManyTrajectories(t *testing.T) {
	one, many := trajectories(t, 100_000), trajectories(t, slices.Repeat([]int{10}, 100)...)
	assert.LessOrEqual(t, testing.AllocsPerRun(10, func() { one.PairStarts(1) }), 2.)
	starts := many.PairStarts(3)
	assert.Zero(t, testing.AllocsPerRun(10, func() { starts.At(500) }))
}
