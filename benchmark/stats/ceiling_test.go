package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

// rolledOut are scores [step][row] of predictions, each right or not as the function says.
func rolledOut(rows, steps int, right func(step, row int) bool) [][]float64 {
	scores := make([][]float64, steps)
	for i := range scores {
		scores[i] = make([]float64, rows)
		for row := range rows {
			if right(i+1, row) {
				scores[i][row] = 1
			}
		}
	}
	return scores
}

func TestAboveCeilingIsAPairedTest(t *testing.T) {
	// The oracle is wrong about 4 of 10 snapshots. Predictions are right but for one of two steps
	// from snapshot 9, which the oracle sees rightly: d is 1 four times, 0 five times and −½ once.
	// Its mean is 0.35 and its variance (4·1 + ¼ − 10·0.35²)/9 = 0.3361, so that t = 0.35/√0.03361
	// = 1.9091 with 9 degrees of freedom: p = 0.08859.
	ceiling := []float64{0, 0, 0, 0, 1, 1, 1, 1, 1, 1}
	labels := rolledOut(10, 2, func(step, row int) bool { return row != 9 || step == 1 })
	c, err := AboveCeiling([][][]float64{labels}, ceiling)
	require.NoError(t, err)
	assert.Equal(t, 1, c.Seeds)
	assert.InDelta(t, 0.35, c.Difference, 1e-12)
	assert.InDelta(t, 0.08859, c.P, 2e-4)
	assert.Equal(t, c.P, c.Adjusted)
	assert.InDelta(t, 0.35-2.262157*math.Sqrt(0.0336111), c.Interval.Low, 1e-5, "the quantile of t is 2.262157")
	assert.False(t, c.Above())

	// Right at both steps: d is 1 four times, 0 six times; t = 0.4/√(0.24/9) = 2.4495, p = 0.03679.
	all := rolledOut(10, 2, func(int, int) bool { return true })
	c, err = AboveCeiling([][][]float64{all}, ceiling)
	require.NoError(t, err)
	assert.InDelta(t, 0.4, c.Difference, 1e-12)
	assert.InDelta(t, 0.03679, c.P, 1e-4)
	assert.True(t, c.Above())

	same, err := AboveCeiling([][][]float64{all, all, all}, ceiling)
	require.NoError(t, err)
	assert.Equal(t, 3, same.Seeds)
	assert.InDelta(t, c.P, same.P, 1e-12, "the same seed again says nothing new")

	wrong := rolledOut(10, 2, func(int, int) bool { return false })
	below, err := AboveCeiling([][][]float64{wrong}, ceiling)
	require.NoError(t, err)
	assert.InDelta(t, -0.6, below.Difference, 1e-12)
	assert.Less(t, below.Adjusted, Alpha)
	assert.False(t, below.Above(), "below the ceiling by more than chance is not above it")
}

// Seeds are a sample too: what one of three has does not show that the method has it.
func TestAboveCeilingCountsSeeds(t *testing.T) {
	ceiling := make([]float64, 400)
	for i := range ceiling {
		if i%8 != 0 {
			ceiling[i] = 1
		}
	}
	atSeed := func(share int) [][]float64 {
		return rolledOut(len(ceiling), 3, func(_, row int) bool { return row%100 >= share })
	}
	alike, err := AboveCeiling([][][]float64{atSeed(2), atSeed(3), atSeed(2)}, ceiling)
	require.NoError(t, err)
	assert.True(t, alike.Above())
	unlike, err := AboveCeiling([][][]float64{atSeed(0), atSeed(30), atSeed(5)}, ceiling)
	require.NoError(t, err)
	assert.Positive(t, unlike.Difference)
	assert.False(t, unlike.Above())
}

// At one seed a method that is as good as its ceiling is above it in 2.5% of studies, and no
// oftener if a roll-out is right at all steps or at none.
func TestAboveCeilingHoldsItsLevel(t *testing.T) {
	const studies, snapshots, steps = 2000, 200, 15
	r := rand.New(rand.NewPCG(1, 2))
	ceiling := make([]float64, snapshots)
	above := 0
	for range studies {
		wrong := make([]bool, snapshots)
		for i := range ceiling {
			wrong[i] = r.Float64() < 0.1
			ceiling[i] = 1
			if r.Float64() < 0.1 {
				ceiling[i] = 0
			}
		}
		labels := rolledOut(snapshots, steps, func(_, row int) bool { return !wrong[row] })
		c, err := AboveCeiling([][][]float64{labels}, ceiling)
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
	ceiling := []float64{1, 1, 0}
	steps := [][]float64{{1, 1, 0}, {0, 1, 1}}
	for name, c := range map[string]struct {
		scores  [][][]float64
		ceiling []float64
		want    error
	}{
		"no seed":            {nil, ceiling, core.ErrShape},
		"no step":            {[][][]float64{{}}, ceiling, core.ErrShape},
		"no start":           {[][][]float64{{{}}}, nil, core.ErrShape},
		"seeds of two steps": {[][][]float64{steps, steps[:1]}, ceiling, core.ErrShape},
		"starts that lack":   {[][][]float64{{{1, 1}}}, ceiling, core.ErrShape},
		"not a number":       {[][][]float64{{{math.NaN(), 0, 0}}}, ceiling, core.ErrNonFinite},
	} {
		_, err := AboveCeiling(c.scores, c.ceiling)
		assert.ErrorIs(t, err, c.want, name)
	}
	one, err := AboveCeiling([][][]float64{{{1}}}, []float64{0})
	require.NoError(t, err)
	assert.Equal(t, 1.0, one.P, "one start tests nothing")
}
