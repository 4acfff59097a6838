package duffing

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/tasks/process"
)

// TestTrajectories: all begin in the square, follow the flow and end in one of the wells; no pair and no
// roll-out goes from one on to the next.
func TestTrajectories(t *testing.T) {
	o, err := New().Describe().Resolve(map[string]any{"lag": 2})
	require.NoError(t, err)
	p, err := New().Open(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, []int{200, 50, 50}, []int{p.Train.Count(), p.Validation.Count(), p.Test.Count()})
	assert.Equal(t, 200*(length-2), p.Train.Pairs(2))
	wells := [2]int{}
	for k, x := range p.Train.All() {
		require.Equal(t, length, x.Len(), k)
		values := x.Floats()
		assert.LessOrEqual(t, max(math.Abs(float64(values[0])), math.Abs(float64(values[1]))), 2.)
		end := float64(values[2*length-2])
		assert.InDelta(t, 1, math.Abs(end), .3, k)
		wells[int((1+math.Copysign(1, end))/2)]++
	}
	assert.InDelta(t, 100, wells[0], 25)
	for _, start := range p.Starts {
		assert.LessOrEqual(t, start%length+p.Steps*p.Lag, length-1, start)
	}
}

// TestAccuracy: over the interval between snapshots the error is below 1e-11.
func TestAccuracy(t *testing.T) {
	for x := -2.; x <= 2; x += .5 {
		for v := -2.; v <= 2; v += .5 {
			got, err := process.Follow(t.Context(), Flow, []float64{x, v}, 2, substeps, interval/substeps)
			require.NoError(t, err)
			fine, err := process.Follow(t.Context(), Flow, []float64{x, v}, 2, 4*substeps, interval/(4*substeps))
			require.NoError(t, err)
			for j := range 2 {
				assert.InDelta(t, fine.Row(1)[j], got.Row(1)[j], 1e-12, "from %v, %v", x, v)
			}
		}
	}
}

// TestScore: the true future has no error, and what stands still has some.
func TestScore(t *testing.T) {
	o, err := New().Describe().Resolve(map[string]any{"split": "50,50,100", "steps": 5})
	require.NoError(t, err)
	p, err := New().Open(t.Context(), o)
	require.NoError(t, err)
	scorer, err := p.Score.Fit(t.Context(), nil)
	require.NoError(t, err)
	future, still := make([]int, p.StartCount()), make([]float32, 2*p.StartCount())
	for i, start := range p.Starts {
		future[i] = start + 5
	}
	values := make([]float32, 2*p.StartCount())
	p.Test.Gather(values, future)
	p.Test.Gather(still, p.Starts)
	for what, c := range map[string]struct {
		values []float32
		good   bool
	}{"the future": {values, true}, "persistence": {still, false}} {
		x, err := core.NewSnapshots(c.values, 2)
		require.NoError(t, err)
		scores, err := scorer.Score(t.Context(), 5, x)
		require.NoError(t, err)
		assert.Equal(t, c.good, p.Measure().Together(scores) == 0, what)
	}
	_, err = scorer.Score(t.Context(), 5, p.Test.At(0))
	assert.ErrorIs(t, err, core.ErrShape)
}
