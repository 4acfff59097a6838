package core_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

func TestCheckScores(t *testing.T) {
	m := core.Measure{Name: "nmse", Summary: "an error", Least: 0, Most: math.Inf(1), Chance: 1}
	require.NoError(t, m.Validate())
	require.NoError(t, core.CheckScores(m, []float64{0, 1e300}, 2))
	require.NoError(t, core.CheckScores(m, nil, 0))
	for says, scores := range map[string][]float64{
		"1 scores for 2 starts":          {1},
		"start 1: contract broken: a sc": {1, math.NaN()},
		"a score of +Inf":                {math.Inf(1), 0},
		"a score of -1; the measure \"nmse\" takes finite numbers in 0 … +Inf": {-1, 0},
	} {
		err := core.CheckScores(m, scores, 2)
		require.ErrorIs(t, err, core.ErrContract)
		assert.ErrorContains(t, err, says)
	}
	assert.ErrorIs(t, core.CheckScores(m, nil, 2), core.ErrShape)
}

// TestProblemTexts: what a problem says for people, and its eigenvalues, are checked as the rest
// is.
func TestProblemTexts(t *testing.T) {
	x, err := core.NewSnapshots(ramp(8), 2)
	require.NoError(t, err)
	long, nan := strings.Repeat("a", core.MaxSentence+1), complex(0, math.NaN())
	for says, change := range map[string]func(*core.Problem){
		"": func(*core.Problem) {},
		"true eigenvalue 1 is": func(p *core.Problem) {
			p.Truth = &core.Truth{Eigenvalues: []complex128{1, nan}}
		},
		"the source of the data has 8193":     func(p *core.Problem) { p.Source = long },
		"the source of the data is \"\\xff\"": func(p *core.Problem) { p.Source = "\xff" },
		"the word for a state has 8193":       func(p *core.Problem) { p.States.Word = long },
	} {
		labels := make([]int, 4)
		one := core.OneTrajectory(x)
		p := &core.Problem{
			Train: one, Validation: one, Test: one, Lag: 1, Steps: 1, Rank: 1, Picture: core.CurvePicture,
			States: &core.States{Count: 1, Train: labels, Validation: labels, Test: labels, Expected: [][]int{labels}},
		}
		change(p)
		err := p.Validate()
		if says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, core.ErrContract)
		assert.ErrorContains(t, err, says)
	}
}

func TestTogether(t *testing.T) {
	t.Parallel()
	square := core.Measure{RootMeanSquare: true}
	assert.InDelta(t, math.Sqrt(12.5), square.Together([]float64{3, 4}), 1e-15)
	assert.InDelta(t, 3.5, core.Measure{}.Together([]float64{3, 4}), 1e-15)
	assert.InDelta(t, 1e300, square.Together([]float64{1e300, 1e300}), 1e286, "squares that are no numbers")
	assert.Zero(t, square.Together([]float64{0, 0}))
	assert.True(t, math.IsNaN(square.Together(nil)))
}
