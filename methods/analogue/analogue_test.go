package analogue_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/analogue"
)

// training has three trajectories of snapshots of 3 values far from 0, many of which are there several times.
func training(t *testing.T, lag, neighbours int) *core.Training {
	random := core.NewStream(1, "points")
	values := make([]float32, 1300*3)
	for i := range values {
		values[i] = float32(1000 + random.IntN(9))
	}
	x, err := core.NewSnapshots(values, 3)
	require.NoError(t, err)
	past, err := core.CutTrajectories(x, []int{1100, 1, 199})
	require.NoError(t, err)
	d := analogue.New().Describe()
	options, err := d.Resolve(map[string]any{"neighbours": neighbours})
	require.NoError(t, err)
	return &core.Training{
		Train: past, Validation: past, Lag: lag, States: 3, Options: options, Seed: 1, Name: d.Name,
		Progress: core.NoProgress,
	}
}

// expected is what followed the nearest of all starts, in the order of distance and time.
func expected(tr *core.Training, x []float32, neighbours int) []float64 {
	type start struct{ at, square int }
	var starts []start
	row := make([]float32, 3)
	for from, end := range tr.Train.PairStarts(tr.Lag).Runs() {
		for at := from; at < end; at++ {
			tr.Train.Read(row, at)
			square := 0
			for j := range row {
				square += int((row[j] - x[j]) * (row[j] - x[j]))
			}
			starts = append(starts, start{at, square})
		}
	}
	slices.SortStableFunc(starts, func(a, b start) int { return a.square - b.square })
	mean := make([]float64, 3)
	for _, s := range starts[:neighbours] {
		tr.Train.Read(row, s.at+tr.Lag)
		for j, v := range row {
			mean[j] += float64(v) / float64(neighbours)
		}
	}
	return mean
}

// TestNeighbours: predictions are the means of what followed the nearest starts in one trajectory, the earliest of
// equal ones, whatever other snapshots are asked for, and those of a model that was saved too.
func TestNeighbours(t *testing.T) {
	for _, lag := range []int{1, 7} {
		for _, neighbours := range []int{1, 2, 30} {
			tr := training(t, lag, neighbours)
			model, err := analogue.New().Fit(t.Context(), tr)
			require.NoError(t, err)
			x := tr.Train.At(0)
			next, err := model.Predict(t.Context(), x)
			require.NoError(t, err)
			for i := range 200 {
				want := expected(tr, x.Floats()[3*i:3*i+3], neighbours)
				for j, v := range next.Floats()[3*i : 3*i+3] {
					assert.InDelta(t, want[j], v, 1e-3, "%d neighbours of %d at a lag of %d", neighbours, i, lag)
				}
				alone, err := model.Predict(t.Context(), x.Slice(i, i+1))
				require.NoError(t, err)
				assert.Equal(t, next.Slice(i, i+1).Floats(), alone.Floats())
			}

			saver, ok := core.As[core.Saver](model)
			require.True(t, ok)
			state, err := saver.Save(t.Context())
			require.NoError(t, err)
			loaded, err := analogue.New().(core.ModelLoader).Load(t.Context(), &core.Saved{State: *state})
			require.NoError(t, err)
			again, err := loaded.Predict(t.Context(), x)
			require.NoError(t, err)
			assert.Equal(t, next.Floats(), again.Floats())
		}
	}
}

// TestRefused: more neighbours than pairs are refused, in options and in a state.
func TestRefused(t *testing.T) {
	_, err := analogue.New().Fit(t.Context(), training(t, 7, 1286))
	require.ErrorIs(t, err, core.ErrOption)
	require.ErrorContains(t, err, "neighbours=1286 for 1285 lagged pairs of training snapshots; give at most 1285")
	model, err := analogue.New().Fit(t.Context(), training(t, 7, 1285))
	require.NoError(t, err)
	saver, ok := core.As[core.Saver](model)
	require.True(t, ok)
	state, err := saver.Save(t.Context())
	require.NoError(t, err)
	for _, spoiled := range []string{
		`{"shape":[3],"lengths":[1100,1,199],"lag":7,"neighbours":1286}`,
		`{"shape":[3],"lengths":[1100,1,199],"lag":0,"neighbours":1}`,
		`{"shape":[3],"lengths":[1100,1,198],"lag":7,"neighbours":1}`,
		`{"shape":[2],"lengths":null,"lag":7,"neighbours":1}`, `{}`, `7`,
	} {
		_, err := analogue.New().(core.ModelLoader).Load(t.Context(), &core.Saved{
			State: core.State{Facts: []byte(spoiled), Arrays: state.Arrays},
		})
		assert.ErrorIs(t, err, core.ErrShape, spoiled)
	}
}

func ExampleNew() {
	fmt.Println(analogue.New().Describe().Summary)
	// Output: what followed the most similar training snapshots
}
