package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/koopbench/koopbench/benchmark/results"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// schema1 is a copy of a folder of results that was made before results had schema 2.
func schema1(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "results")
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "schema1"))))
	return dir
}

// TestResultsOfSchema1: they are shown, with all figures, and compared, and left as they are by
// what would write or repeat them.
func TestResultsOfSchema1(t *testing.T) {
	dir, config := schema1(t), newFakes().config()
	config.draw = nil
	got := call(t.Context(), config, "report", dir)
	require.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stdout,
		"ordered-mnist: 5 states, accuracy on 6 test snapshots t steps ahead, protocol reencode\n")
	assert.Regexp(t, `persistence +0\.111 `, got.stdout, "it follows from what the oracle saw")
	assert.FileExists(t, filepath.Join(dir, "figures", "rollout.png"))
	assert.FileExists(t, filepath.Join(dir, "report.html"))

	r, err := results.OpenStore(dir).Results()
	require.NoError(t, err)
	assert.Equal(t, [][]int{{0, 1, 2, 3, 4, 0}, {1, 2, 3, 4, 0, 1}}, r.Expected[:2])
	assert.Equal(t, []string{results.ProtocolReencode}, []string{r.Runs[0].Evaluations[0].Protocol})
	assert.Equal(t, r.Runs[0].PredictionSHA256, r.Runs[0].Ranked.PredictionSHA256)
	for _, run := range r.Runs {
		for step, scores := range r.ScoresOf(run.Ranked) {
			sum := 0.0
			for _, v := range scores {
				sum += v
			}
			assert.InDelta(t, run.Ranked.Score[step], sum/6, 1e-12)
		}
	}

	got = call(t.Context(), config, "compare", dir, schema1(t))
	require.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stdout, "same")

	before, err := os.ReadFile(filepath.Join(dir, "results.json"))
	require.NoError(t, err)
	out := filepath.Join(t.TempDir(), "out")
	for _, args := range [][]string{
		{"verify", dir}, {"merge", "--out", out, dir}, {"run", "--epochs", "1", "--out", dir},
	} {
		got := call(t.Context(), config, args...)
		assert.Equal(t, exitFailure, got.status, args)
		assert.Contains(t, got.stderr, `has the schema "koopbench.results/1" of an older version`, args)
	}
	after, err := os.ReadFile(filepath.Join(dir, "results.json"))
	require.NoError(t, err)
	assert.Equal(t, before, after)
}
