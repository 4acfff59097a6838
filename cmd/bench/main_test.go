package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
)

// build builds the program and returns its path.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bench")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// TestProgram builds the program and runs the whole benchmark with it, cut down to seconds.
func TestProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program and trains every method, which takes half a minute; -short is set")
	}
	path := build(t)
	run := func(args ...string) (stdout, stderr string) {
		t.Helper()
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Env = append(os.Environ(), "GOMLX_BACKEND=")
		cmd.Stdout, cmd.Stderr = &out, &errs
		require.NoError(t, cmd.Run(), "%v\n%s", args, errs.String())
		return out.String(), errs.String()
	}

	t.Run("list starts quickly", func(t *testing.T) {
		quickest := time.Minute
		for range 5 {
			start := time.Now()
			stdout, stderr := run("list")
			quickest = min(quickest, time.Since(start))
			require.Empty(t, stderr)
			for _, name := range []string{"autoencoder", "classifier", "contrastive", "linear", "vamp", "cnn"} {
				require.Contains(t, stdout, "\n  "+name+" ")
			}
		}
		assert.Less(t, quickest, 100*time.Millisecond)
	})

	out := filepath.Join(t.TempDir(), "results")
	args := []string{"run", "--epochs", "1", "--split", "64,12,10", "--steps", "2", "--out", out}
	table, stderr := run(args...)
	results := readResults(t, out)
	t.Run("run", func(t *testing.T) {
		assert.Equal(t, map[string]any{"batch_size": 64., "epochs": 1., "lr": 8e-4, "weight_decay": 0.01}, results.Oracle.Options)
		methods := map[string]benchmark.RunResult{}
		for _, r := range results.Runs {
			methods[r.Method] = r
			assert.Equal(t, benchmark.StatusOK, r.Status, "%s: %s", r.Method, r.Reason)
			assert.Len(t, r.Accuracy, 2)
			assert.Contains(t, table, r.Method)
			assert.Contains(t, stderr, r.Method+", seed 42: done in ")
		}
		assert.Len(t, methods, 5)
		assert.Greater(t, methods["linear"].Rank, 1)
		assert.Len(t, methods["vamp"].History, 1)
		assert.NotContains(t, stderr, "\x1b", "no terminal, no bars")
	})
	t.Run("run again", func(t *testing.T) {
		again, stderr := run(args...)
		assert.Equal(t, table, again)
		assert.Equal(t, 5, strings.Count(stderr, "finished before, kept"))
	})
	t.Run("report", func(t *testing.T) {
		again, _ := run("report", out)
		assert.Equal(t, table, again)
	})
}

func readResults(t *testing.T, dir string) benchmark.Results {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "results.json"))
	require.NoError(t, err)
	var r benchmark.Results
	require.NoError(t, json.Unmarshal(text, &r))
	return r
}
