package results_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
)

// TestSearchIsRead: what is written comes back, and what no command writes is refused.
func TestSearchIsRead(t *testing.T) {
	store := results.OpenStore(t.TempDir())
	none, err := store.Search()
	require.NoError(t, err)
	assert.Nil(t, none)

	score, chosen := 0.5, 0
	made := func() results.Search {
		return results.Search{
			Schema: results.SearchSchema, Method: "vamp", Options: []results.SearchOption{{Name: "lr", Values: []any{0.1}}},
			Seeds: []int64{0}, Score: results.ScoreVAMP2, Chosen: &chosen,
			Trials: []results.Trial{{
				Method: "vamp", Score: &score, Scores: []results.Number{0.5}, Options: map[string]any{"lr": 0.1},
			}},
		}
	}
	require.NoError(t, store.WriteSearch(made()))
	found, err := store.Search()
	require.NoError(t, err)
	assert.Equal(t, made(), *found)

	far := 7
	for says, change := range map[string]func(*results.Search){
		"it has the schema":           func(s *results.Search) { s.Schema = "koopbench.search/9" },
		`its score is "luck"`:         func(s *results.Search) { s.Score = "luck" },
		"it has 0 trials":             func(s *results.Search) { s.Trials = nil },
		"it has 0 options":            func(s *results.Search) { s.Options = nil },
		"it has 0 seeds":              func(s *results.Search) { s.Seeds = nil },
		"chosen trial does not exist": func(s *results.Search) { s.Chosen = &far },
		"or has no score":             func(s *results.Search) { s.Trials[0].Score = nil },
		"trial 1: a name has":         func(s *results.Search) { s.Trials[0].Method = string(make([]byte, 5000)) },
		"trial 1: a reason or ":       func(s *results.Search) { s.Trials[0].Reason = string(make([]byte, 2<<20)) },
	} {
		s := made()
		change(&s)
		require.NoError(t, store.WriteSearch(s))
		_, err := store.Search()
		require.ErrorIs(t, err, results.ErrResults, says)
		assert.ErrorContains(t, err, says)
	}
	require.NoError(t, os.WriteFile(store.Path(results.SearchFile), []byte("{"), 0o644))
	_, err = store.Search()
	require.ErrorIs(t, err, results.ErrResults)
}
