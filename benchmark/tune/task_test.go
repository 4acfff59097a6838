package tune_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/tune"
	"github.com/koopbench/koopbench/core"
)

// source gives one value, and fails where its snapshots are read although they must not be.
type source struct {
	t     *testing.T
	value float32
	spied bool
}

func (s source) Read(dst []float32, from int) {
	if s.spied {
		s.t.Error("a test snapshot is read")
	}
	for i := range dst {
		dst[i] = s.At(from+i/2, i%2)
	}
}

func (s source) At(i, j int) float32 { return s.value + float32(i+j) }

// untouchable fails if it is used to judge.
type untouchable struct{ m core.Measure }

func (s untouchable) Measure() core.Measure { return s.m }
func (s untouchable) Fit(context.Context, *core.Training) (core.Scorer, error) {
	panic("the score of the test part is fitted")
}

func part(t *testing.T, value float32, n int, spied bool) core.Trajectories {
	x, err := core.NewSourceSnapshots(source{t, value, spied}, n, 2)
	require.NoError(t, err)
	return core.OneTrajectory(x)
}

// problem has a test part that must not be read.
func problem(t *testing.T) *core.Problem {
	return &core.Problem{
		Train: part(t, 1, 30, false), Validation: part(t, 2, 20, false), Test: part(t, 3, 10, true), Starts: []int{1},
		Lag: 2, Steps: 3, Rank: 2, Picture: core.SeriesPicture, Score: untouchable{core.NRMSE()}, Source: "a test",
		ValidUpTo: 0.4, Frame: &core.Frame{Rows: 2, Stride: 1},
		Truth: &core.Truth{
			Eigenvalues: []complex128{1}, Eigenfunctions: [][]complex128{make([]complex128, 10)}, Density: make([]float64, 10),
		},
	}
}

func TestOnValidation(t *testing.T) {
	p := problem(t)
	assert.Equal(t, results.ScoreNRMSE, tune.DefaultScore(p))
	v, err := tune.OnValidation(p, results.ScoreNRMSE)
	require.NoError(t, err)
	require.NoError(t, v.Validate())
	assert.Equal(t, 20, v.Test.Len())
	assert.Len(t, v.Starts, 20-3*2)
	assert.Equal(t, &core.Truth{Eigenvalues: []complex128{1}}, v.Truth)
	assert.Equal(t, core.NRMSE(), v.Measure())
	assert.Contains(t, v.Source, "a test; scored on the validation data")

	scorer, err := v.Score.Fit(t.Context(), nil)
	require.NoError(t, err)
	future := make([]float32, 0, 2*len(v.Starts))
	for _, start := range v.Starts {
		future = append(future, 0, 2+float32(start+2+1))
	}
	predicted, err := core.NewSnapshots(future, 2)
	require.NoError(t, err)
	scores, err := scorer.Score(t.Context(), 1, predicted)
	require.NoError(t, err)
	assert.Equal(t, make([]float64, len(v.Starts)), scores, "the newest row of each validation snapshot is judged")

	p.Steps = 10
	_, err = tune.OnValidation(p, results.ScoreNRMSE)
	require.ErrorIs(t, err, core.ErrTooShort)
	assert.ErrorContains(t, err, "no roll-out of 10 steps at a lag of 2 lies within the 20 validation snapshots")
}

func TestOnValidationWithStates(t *testing.T) {
	p := problem(t)
	_, err := tune.OnValidation(p, results.ScoreAccuracy)
	require.ErrorContains(t, err, "the task has no states")

	of := func(n int) (states []int) {
		for i := range n {
			states = append(states, i%5)
		}
		return states
	}
	p.Score = nil
	p.States = &core.States{Count: 5, Train: of(30), Validation: of(20), Test: of(10), Expected: [][]int{{0}, {0}, {0}}}
	assert.Equal(t, results.ScoreVAMP2, tune.DefaultScore(p))
	v, err := tune.OnValidation(p, results.ScoreAccuracy)
	require.NoError(t, err)
	require.NoError(t, v.Validate())
	assert.Nil(t, v.Score)
	for step, states := range v.States.Expected {
		for i, state := range states {
			assert.Equal(t, (v.Starts[i]+2*(step+1))%5, state)
		}
	}
	v, err = tune.OnValidation(p, results.ScoreVAMP2)
	require.NoError(t, err)
	require.NoError(t, v.Validate())
	assert.NotNil(t, v.Score, "no oracle judges")
}
