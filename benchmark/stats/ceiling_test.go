package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

// rolledOut are the labels [step][row] that an oracle gives to predictions from snapshots of these
// states, each right or not as the function says.
func rolledOut(truth []int, steps, lag, states int, right func(step, row int) bool) [][]int {
	labels := make([][]int, steps)
	for i := range labels {
		for row, state := range truth {
			label := state + (i+1)*lag
			if !right(i+1, row) {
				label++
			}
			labels[i] = append(labels[i], label%states)
		}
	}
	return labels
}

func TestAboveCeilingIsAPairedTest(t *testing.T) {
	// The oracle is wrong about 4 of 10 snapshots. Predictions are right but for one of two steps
	// from snapshot 9, which the oracle sees rightly: d is 1 four times, 0 five times and −½ once.
	// Its mean is 0.35 and its variance (4·1 + ¼ − 10·0.35²)/9 = 0.3361, so that t = 0.35/√0.03361
	// = 1.9091 with 9 degrees of freedom: p = 0.08859.
	truth := []int{0, 1, 2, 3, 4, 0, 1, 2, 3, 4}
	seen := []int{1, 2, 3, 4, 4, 0, 1, 2, 3, 4}
	labels := rolledOut(truth, 2, 3, 5, func(step, row int) bool { return row != 9 || step == 1 })
	c, err := AboveCeiling([][][]int{labels}, seen, truth, 3, 5)
	require.NoError(t, err)
	assert.Equal(t, 1, c.Seeds)
	assert.InDelta(t, 0.35, c.Difference, 1e-12)
	assert.InDelta(t, 0.08859, c.P, 2e-4)
	assert.Equal(t, c.P, c.Adjusted)
	assert.InDelta(t, 0.35-2.262157*math.Sqrt(0.0336111), c.Interval.Low, 1e-5, "the quantile of t is 2.262157")
	assert.False(t, c.Above())

	// Right at both steps: d is 1 four times, 0 six times; t = 0.4/√(0.24/9) = 2.4495, p = 0.03679.
	all := rolledOut(truth, 2, 3, 5, func(int, int) bool { return true })
	c, err = AboveCeiling([][][]int{all}, seen, truth, 3, 5)
	require.NoError(t, err)
	assert.InDelta(t, 0.4, c.Difference, 1e-12)
	assert.InDelta(t, 0.03679, c.P, 1e-4)
	assert.True(t, c.Above())

	same, err := AboveCeiling([][][]int{all, all, all}, seen, truth, 3, 5)
	require.NoError(t, err)
	assert.Equal(t, 3, same.Seeds)
	assert.InDelta(t, c.P, same.P, 1e-12, "the same seed again says nothing new")

	wrong := rolledOut(truth, 2, 3, 5, func(int, int) bool { return false })
	below, err := AboveCeiling([][][]int{wrong}, seen, truth, 3, 5)
	require.NoError(t, err)
	assert.InDelta(t, -0.6, below.Difference, 1e-12)
	assert.Less(t, below.Adjusted, Alpha)
	assert.False(t, below.Above(), "below the ceiling by more than chance is not above it")
}

// Seeds are a sample too: what one of three has does not show that the method has it.
func TestAboveCeilingCountsSeeds(t *testing.T) {
	truth, seen := make([]int, 400), make([]int, 400)
	for i := range truth {
		truth[i] = i % 5
		seen[i] = truth[i]
		if i%8 == 0 {
			seen[i] = (truth[i] + 1) % 5
		}
	}
	atSeed := func(share int) [][]int {
		return rolledOut(truth, 3, 1, 5, func(_, row int) bool { return row%100 >= share })
	}
	alike, err := AboveCeiling([][][]int{atSeed(2), atSeed(3), atSeed(2)}, seen, truth, 1, 5)
	require.NoError(t, err)
	assert.True(t, alike.Above())
	unlike, err := AboveCeiling([][][]int{atSeed(0), atSeed(30), atSeed(5)}, seen, truth, 1, 5)
	require.NoError(t, err)
	assert.Positive(t, unlike.Difference)
	assert.False(t, unlike.Above())
}

// At one seed a method that is as good as its ceiling is above it in 2.5% of studies, and no
// oftener if a roll-out is right at all steps or at none.
func TestAboveCeilingHoldsItsLevel(t *testing.T) {
	const studies, snapshots, steps, states = 2000, 200, 15, 5
	r := rand.New(rand.NewPCG(1, 2))
	truth, seen := make([]int, snapshots), make([]int, snapshots)
	for i := range truth {
		truth[i] = i % states
	}
	above := 0
	for range studies {
		wrong := make([]bool, snapshots)
		for i := range truth {
			wrong[i] = r.Float64() < 0.1
			seen[i] = truth[i]
			if r.Float64() < 0.1 {
				seen[i] = (truth[i] + 1) % states
			}
		}
		labels := rolledOut(truth, steps, 1, states, func(_, row int) bool { return !wrong[row] })
		c, err := AboveCeiling([][][]int{labels}, seen, truth, 1, states)
		require.NoError(t, err)
		if c.Above() {
			above++
		}
	}
	t.Logf("%.1f%% of %d studies", 100*float64(above)/studies, studies)
	assert.InDelta(t, 0.025, float64(above)/studies, 0.0105, "three standard errors")
}

func TestAdjustCeilings(t *testing.T) {
	all := []Comparison{{Seeds: 1, P: 0.02}, {Seeds: 11, P: 0.01}, {Seeds: 2, P: 0.5}}
	AdjustCeilings(all)
	for i, want := range []float64{0.04, 0.03, 0.5} {
		assert.InDelta(t, want, all[i].Adjusted, 1e-12)
	}
	assert.Equal(t, []int{1, 11, 2}, []int{all[0].Seeds, all[1].Seeds, all[2].Seeds})
}

func TestAboveCeilingRefuses(t *testing.T) {
	truth := []int{0, 1, 2}
	labels := [][]int{{1, 2, 0}, {2, 0, 1}}
	for name, c := range map[string]struct {
		labels      [][][]int
		seen        []int
		lag, states int
		want        error
	}{
		"no seed":            {nil, truth, 1, 3, core.ErrShape},
		"no step":            {[][][]int{{}}, truth, 1, 3, core.ErrShape},
		"steps that differ":  {[][][]int{labels, labels[:1]}, truth, 1, 3, core.ErrShape},
		"rows that differ":   {[][][]int{{{1, 2}}}, truth, 1, 3, core.ErrShape},
		"no oracle's labels": {[][][]int{labels}, nil, 1, 3, core.ErrShape},
		"no lag":             {[][][]int{labels}, truth, 0, 3, core.ErrOption},
		"no states":          {[][][]int{labels}, truth, 1, 0, core.ErrOption},
	} {
		_, err := AboveCeiling(c.labels, c.seen, truth, c.lag, c.states)
		assert.ErrorIs(t, err, c.want, name)
	}
	one, err := AboveCeiling([][][]int{{{1}}}, []int{2}, truth[:1], 1, 3)
	require.NoError(t, err)
	assert.Equal(t, 1.0, one.P, "one snapshot tests nothing")
	assert.True(t, slices.Equal(labels[0], []int{1, 2, 0}), "arguments stay as they are")
}
