package tune_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/tune"
	"github.com/koopbench/koopbench/core"
)

func run(method string, seed int64, scores ...float64) results.Run {
	r := results.Run{Method: method, Seed: seed, Status: results.StatusOK, Ranked: &results.Evaluation{Score: scores}}
	if len(scores) == 0 {
		r.Status, r.Reason = results.StatusFailed, "no luck"
	}
	return r
}

func search(score string, methods ...string) results.Search {
	s := results.Search{Score: score, Seeds: []int64{0, 1}}
	for _, m := range methods {
		s.Trials = append(s.Trials, results.Trial{Method: m})
	}
	return s
}

// TestChoose: the best mean is chosen, of equal ones the first, and no trial that lacks a run.
func TestChoose(t *testing.T) {
	r := &results.Results{Runs: []results.Run{
		run("a", 0, 3, 4), run("a", 1, 3, 4),
		run("b", 0, 1, 1), run("b", 1),
		run("c", 0, 2, 2), run("c", 1, 3, 3),
		run("d", 0, 3, 3), run("d", 1, 2, 2),
		run("e", 0, 0, 0),
	}}
	r.Task.Measure = results.NewMeasureInfo(core.NRMSE())
	s := tune.Choose(search(results.ScoreNRMSE, "a", "b", "c", "d", "e"), r)
	require.NotNil(t, s.Best())
	assert.Equal(t, "c", s.Best().Method)
	assert.InDelta(t, math.Sqrt(12.5), *s.Trials[0].Score, 1e-12, "squares are taken together over steps")
	assert.Equal(t, 2.5, *s.Trials[2].Score)
	assert.Equal(t, 0.5, *s.Trials[2].StandardError)
	assert.Nil(t, s.Trials[1].Score)
	assert.Equal(t, "seed 1: failed: no luck", s.Trials[1].Reason)
	assert.Equal(t, "seed 1: it has not finished", s.Trials[4].Reason)
	assert.Equal(t, s, tune.Choose(s, r), "it follows from the results alone")

	forged := search(results.ScoreNRMSE, "a")
	forged.Options = []results.SearchOption{{Name: "rank"}, {Name: "lr"}}
	forged.Trials[0].Options = map[string]any{"rank": 9, "lr": 0.1}
	r.Runs[0].Options = map[string]any{"rank": 1, "alpha": 0}
	assert.Equal(t, map[string]any{"rank": 1, "lr": 0.1}, tune.Choose(forged, r).Trials[0].Options,
		"options are those of the runs where these tell")
	assert.Equal(t, 9, forged.Trials[0].Options["rank"], "what is given stays")

	s = tune.Choose(search(results.ScoreNRMSE, "e"), r)
	assert.Nil(t, s.Best())

	s = tune.Choose(search(results.ScoreVAMP2, "a", "c"), r)
	assert.Nil(t, s.Best())
	assert.Contains(t, s.Trials[0].Reason, "no right eigenfunctions")
	assert.Contains(t, s.Trials[0].Reason, "--score accuracy, which sees the oracle")
	assert.False(t, s.OracleExposed)

	r.Task.Measure = results.NewMeasureInfo(core.Accuracy(5))
	s = tune.Choose(search(results.ScoreAccuracy, "c", "a"), r)
	assert.Equal(t, "a", s.Best().Method)
	assert.True(t, s.OracleExposed)
}
