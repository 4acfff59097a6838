package benchmark_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/internal/atomicfile"
)

func TestResultsOfForeignFolders(t *testing.T) {
	for name, c := range map[string]struct{ content, says string }{
		"torn":         {`{"schema": "koopb`, "unexpected end"},
		"not JSON":     {"hello", "invalid character"},
		"other schema": {`{"schema": "koopbench.results/0"}`, `"koopbench.results/0"`},
		"other file":   {`[]`, "cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "results.json"), []byte(c.content), 0o644))
			_, err := results.OpenStore(dir).Results()
			assert.ErrorIs(t, err, results.ErrResults)
			assert.ErrorContains(t, err, c.says)
		})
	}
	_, err := results.OpenStore(t.TempDir()).Results()
	assert.ErrorIs(t, err, results.ErrResults)
	assert.ErrorContains(t, err, "has no results.json")
}

func TestNumbersInJSON(t *testing.T) {
	for _, want := range []results.Epoch{
		{Epoch: 1, Train: 0.1, Validation: -4.98}, {Epoch: 2, Train: results.Number(math.NaN()),
			Validation: results.Number(math.Inf(1))},
	} {
		text, err := json.Marshal(want)
		require.NoError(t, err)
		var got results.Epoch
		require.NoError(t, json.Unmarshal(text, &got))
		if want.Epoch == 1 {
			assert.Equal(t, want, got)
			continue
		}
		assert.JSONEq(t, `{"epoch":2,"train":null,"validation":null}`, string(text))
		assert.True(t, math.IsNaN(float64(got.Train)))
	}
	var c results.Complex
	assert.Error(t, json.Unmarshal([]byte("[1]"), &c))
}

func FuzzResults(f *testing.F) {
	f.Add([]byte(`{"schema":"koopbench.results/2","runs":[{"eigenvalues":[[1,2]],"history":[{"epoch":1,"train":null}]}]}`))
	f.Add([]byte(`{"schema":"koopbench.results/1","task":{"name":"t","states":2,"shape":[1],"train":4,"validation":2,` +
		`"test":2,` +
		`"lag":1,"steps":2,"protocol":"reencode"},"oracle":{"name":"o","test_labels":[0,1],"test_accuracy":1},` +
		`"runs":[{"key":"k",` +
		`"method":"m","status":"ok","accuracy":[1,1],"labels":[[1,0],[0,1]],"prediction_sha256":["a","b"]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "results.json"), text, 0o644))
		if _, err := results.OpenStore(dir).Results(); err != nil {
			require.ErrorIs(t, err, results.ErrResults)
		}
	})
}

// leaveHalf makes a file as a killed command of another machine has left it two days ago.
func leaveHalf(t *testing.T, dir string) (path string) {
	path = filepath.Join(dir, ".tmp-koopbench-00000000-0123456789abcdef")
	require.NoError(t, os.WriteFile(path, []byte("PK"), 0o644))
	then := time.Now().Add(-48 * time.Hour)
	require.NoError(t, os.Chtimes(path, then, then))
	return path
}

// TestNothingStaysOfKilledCommands: a command removes what killed ones have left, also if it has
// nothing to make; what a shard is writing at that time stays.
func TestNothingStaysOfKilledCommands(t *testing.T) {
	for _, finished := range []bool{false, true} {
		dir := t.TempDir()
		if finished {
			_, err := benchmark.Run(t.Context(), plan(t, dir, &oracle{}, perfect()))
			require.NoError(t, err)
		}
		var left []string
		for _, folder := range []string{"", "runs"} {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, folder), 0o755))
			left = append(left, leaveHalf(t, filepath.Join(dir, folder)))
		}
		living, err := atomicfile.Create(filepath.Join(dir, "runs", "of-a-shard.npz"))
		require.NoError(t, err)
		again := filepath.Join(t.TempDir(), "again") // a process sweeps a folder of one name once
		require.NoError(t, os.Symlink(dir, again))
		_, err = benchmark.Run(t.Context(), plan(t, again, &oracle{}, perfect()))
		require.NoError(t, err)
		for _, path := range left {
			assert.NoFileExists(t, path)
		}
		require.NoError(t, living.Commit())
	}
}
