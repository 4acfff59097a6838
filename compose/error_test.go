package compose_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
)

func planar(t *testing.T, values ...float32) core.Snapshots {
	x, err := core.NewSnapshots(values, 2)
	require.NoError(t, err)
	return x
}

func TestFutureError(t *testing.T) {
	test := planar(t, 0, 10, 2, 10, 4, 40, 6, 40)
	variance := compose.Variance(core.OneTrajectory(test))
	assert.InDelta(t, (5.0+225)/2, variance, 1e-12, "the mean of the variances of the columns")
	two, err := core.NewTrajectories(test.Slice(0, 1), test.Slice(1, 4))
	require.NoError(t, err)
	assert.InDelta(t, variance, compose.Variance(two), 0, "trajectories make no difference")
	assert.Zero(t, compose.Variance(core.Trajectories{}))

	s := compose.FutureError([]core.Snapshots{test.Slice(1, 3), test.Slice(2, 4)}, variance)
	m := s.Measure()
	require.NoError(t, m.Validate())
	assert.Equal(t, []any{"nrmse", true, 0.0, math.Inf(1), 1.0},
		[]any{m.Name, m.LowerIsBetter, m.Least, m.Most, m.Chance})
	scorer, err := s.Fit(t.Context(), nil)
	require.NoError(t, err)
	scores, err := scorer.Score(t.Context(), 1, planar(t, 2, 10, 1, 44))
	require.NoError(t, err)
	require.NoError(t, core.CheckScores(m, scores, 2))
	assert.Zero(t, scores[0])
	assert.InDelta(t, math.Sqrt((9.0+16)/2/variance), scores[1], 1e-15)
	scores, err = scorer.Score(t.Context(), 2, planar(t, 2, 10, 6, 40))
	require.NoError(t, err)
	assert.InDelta(t, math.Sqrt((4.0+900)/2/variance), scores[0], 1e-15, "the truth is that of the step")
	assert.Zero(t, scores[1])
}

// TestFutureErrorOfTheMean: predictions by the mean have the level of chance.
func TestFutureErrorOfTheMean(t *testing.T) {
	test := planar(t, 0, 10, 2, 10, 4, 40, 6, 40)
	s := compose.FutureError([]core.Snapshots{test}, compose.Variance(core.OneTrajectory(test)))
	scorer, err := s.Fit(t.Context(), nil)
	require.NoError(t, err)
	scores, err := scorer.Score(t.Context(), 1, planar(t, 3, 25, 3, 25, 3, 25, 3, 25))
	require.NoError(t, err)
	assert.InDelta(t, s.Measure().Chance, s.Measure().Together(scores), 1e-12)
}

func TestFutureErrorRefuses(t *testing.T) {
	x := planar(t, 1, 2, 3, 4)
	other, err := core.NewSnapshots([]float32{1, 2}, 1)
	require.NoError(t, err)
	for says, s := range map[string]core.Score{
		"the true futures are empty": compose.FutureError(nil, 1),
		"the variance 0":             compose.FutureError([]core.Snapshots{x}, 0),
		"the variance NaN":           compose.FutureError([]core.Snapshots{x}, math.NaN()),
		"the variance +Inf":          compose.FutureError([]core.Snapshots{x}, math.Inf(1)),
		"at step 2 are 1 snapshots":  compose.FutureError([]core.Snapshots{x, x.Slice(0, 1)}, 1),
		"2 snapshots of shape [1], ": compose.FutureError([]core.Snapshots{x, other}, 1),
	} {
		_, err := s.Fit(t.Context(), nil)
		require.ErrorIs(t, err, core.ErrContract, says)
		assert.ErrorContains(t, err, says)
	}
	scorer, err := compose.FutureError([]core.Snapshots{x}, 1).Fit(t.Context(), nil)
	require.NoError(t, err)
	for step, predicted := range map[int]core.Snapshots{0: x, 2: x} {
		_, err := scorer.Score(t.Context(), step, predicted)
		assert.ErrorIs(t, err, core.ErrOption)
	}
	for _, predicted := range []core.Snapshots{x.Slice(0, 1), other, {}} {
		_, err := scorer.Score(t.Context(), 1, predicted)
		assert.ErrorIs(t, err, core.ErrShape)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = scorer.Score(ctx, 1, x)
	assert.ErrorIs(t, err, context.Canceled)
}

// The score of a task whose true futures are known. Here they are 1 and 2.
func ExampleFutureError() {
	test, err := core.NewSnapshots([]float32{0, 1, 2}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	score := compose.FutureError([]core.Snapshots{test.Slice(1, 3)}, compose.Variance(core.OneTrajectory(test)))
	scorer, err := score.Fit(context.Background(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	predicted, err := core.NewSnapshots([]float32{1, 3}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	scores, err := scorer.Score(context.Background(), 1, predicted)
	fmt.Printf("%s %.4f %v\n", score.Measure().Name, scores, err)
	// Output: nrmse [0.0000 1.2247] <nil>
}
