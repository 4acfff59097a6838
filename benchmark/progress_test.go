package benchmark_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// TestProgress: before, during and after a command, and after one that was killed.
func TestProgress(t *testing.T) {
	dir := t.TempDir()
	store := results.OpenStore(dir)
	r, planned, err := store.Progress()
	assert.NoError(t, err)
	assert.Nil(t, r)
	assert.Zero(t, planned)

	first, second := perfect(), perfect()
	first.name, second.name = "first", "second"
	var plan2 []byte
	second.predict = func(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
		if plan2 == nil {
			r, planned, err := store.Progress()
			assert.NoError(t, err)
			assert.Equal(t, 4, planned)
			if assert.NotEmpty(t, r.Runs) {
				assert.Equal(t, "first", r.Runs[0].Method)
			}
			assert.Equal(t, "brightness", r.Oracle.Name)
			assert.Equal(t, 1.0, r.Oracle.TestAccuracy)
			plan2, err = os.ReadFile(filepath.Join(dir, "plan.json"))
			assert.NoError(t, err)
		}
		return moved(1)(ctx, x)
	}
	_, err = benchmark.Run(t.Context(), plan(t, dir, &oracle{}, first, second))
	require.NoError(t, err)
	assert.NoFileExists(t, filepath.Join(dir, "plan.json"))
	after, planned, err := store.Progress()
	require.NoError(t, err)
	assert.Zero(t, planned)
	whole, err := store.Results()
	require.NoError(t, err)
	assert.Equal(t, whole, after)
	require.Len(t, after.Runs, 4)

	// Killed before results.json.
	require.NotNil(t, plan2)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "plan.json"), plan2, 0o644))
	require.NoError(t, os.Remove(filepath.Join(dir, "results.json")))
	killed, planned, err := store.Progress()
	require.NoError(t, err)
	assert.Equal(t, 4, planned)
	assert.Equal(t, whole, killed)
}

func TestProgressOfBrokenPlan(t *testing.T) {
	for name, text := range map[string]string{"torn": `{"schema":`, "foreign": `{"schema":"another/9"}`} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "plan.json"), []byte(text), 0o644))
		_, _, err := results.OpenStore(dir).Progress()
		assert.ErrorIs(t, err, results.ErrResults, name)
	}
}
