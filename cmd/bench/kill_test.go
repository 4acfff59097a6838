//go:build unix

package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/koopbench/koopbench/benchmark/results"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// disturbed is the command of [TestDisturbed], and how often it is killed. KOOPBENCH_SOAK=1 makes
// it ten seeds in full and 20 kills, which takes an hour and more.
func disturbed() (plan []string, kills int) {
	if os.Getenv("KOOPBENCH_SOAK") != "" {
		return []string{"--methods", "all", "--seeds", "0..9", "--save-models"}, 20
	}
	return []string{"--methods", "all", "--seeds", "0,1", "--save-models", "--epochs", "2", "--split", "512,64,20",
		"--steps", "3", "--checkpoint-every", "10ms", "--threads", "1"}, 6
}

// TestDisturbed kills `bench run` at random moments, and continues it each time by the same
// command; and it makes the same plan in two shards and merges them. Both end with the results of a
// run that nobody disturbed.
func TestDisturbed(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program and trains every method, which takes a while; -short is set")
	}
	path := build(t)
	plan, kills := disturbed()
	command := func(args ...string) (*exec.Cmd, *bytes.Buffer) {
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Env = append(os.Environ(), "GOMLX_BACKEND=")
		stderr := new(bytes.Buffer)
		cmd.Stderr = stderr
		require.NoError(t, cmd.Start())
		return cmd, stderr
	}
	run := func(out string, more ...string) (*exec.Cmd, *bytes.Buffer) {
		return command(append(append([]string{"run", "--out", out}, plan...), more...)...)
	}
	finish := func(cmd *exec.Cmd, stderr *bytes.Buffer) { require.NoError(t, cmd.Wait(), stderr) }

	undisturbed := filepath.Join(t.TempDir(), "undisturbed")
	began := time.Now()
	finish(run(undisturbed))
	whole := time.Since(began)
	t.Logf("undisturbed, it takes %v", whole)
	want := readResults(t, undisturbed)
	same := func(t *testing.T, out string) {
		got := readResults(t, out)
		require.Len(t, got.Runs, len(want.Runs))
		for i, r := range got.Runs {
			assert.Equal(t, want.Runs[i].Key, r.Key)
			assert.Equal(t, results.StatusOK, r.Status)
			assert.Equal(t, want.Runs[i].PredictionSHA256, r.PredictionSHA256, r.Method)
			assert.Equal(t, want.Runs[i].History, r.History, r.Method)
			assert.Equal(t, want.Runs[i].Warnings, r.Warnings, "%s: no checkpoint was torn", r.Method)
			saved, err := os.ReadFile(results.OpenStore(undisturbed).ModelPath(r.Key))
			require.NoError(t, err)
			again, err := os.ReadFile(results.OpenStore(out).ModelPath(r.Key))
			require.NoError(t, err)
			assert.True(t, bytes.Equal(saved, again), "the model of %s", r.Method)
		}
		assert.NoDirExists(t, filepath.Join(out, "checkpoints"))
		assert.NoFileExists(t, filepath.Join(out, "plan.json"))
	}

	killed := func(t *testing.T, more ...string) {
		out, killed := filepath.Join(t.TempDir(), "results"), 0
		cmd, _ := run(out, more...)
		require.Eventually(t, func() bool {
			kept, _ := filepath.Glob(filepath.Join(out, "checkpoints", "*-s*.npz"))
			return len(kept) > 0
		}, time.Hour, time.Millisecond, "a training under way is stored")
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		for range kills {
			cmd, _ := run(out, more...)
			after := 200*time.Millisecond + time.Duration(1.6*rand.Float64()*float64(whole)/float64(kills))
			timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			if cmd.Wait() != nil {
				killed++
			}
			timer.Stop()
		}
		assert.Positive(t, killed)
		t.Logf("killed %d times", killed)
		finish(run(out, more...))
		same(t, out)
		assert.True(t, slices.ContainsFunc(readResults(t, out).Runs, func(r results.Run) bool {
			return r.ResumedSeconds > 0
		}),
			"a training went on where it was")
	}
	t.Run("killed", func(t *testing.T) { killed(t) })
	t.Run("killed, each run in a process", func(t *testing.T) { killed(t, "--isolate") })

	t.Run("sharded", func(t *testing.T) {
		out := filepath.Join(t.TempDir(), "results")
		first, firstErr := run(out, "--shard", "1/2")
		second, secondErr := run(out, "--shard", "2/2")
		finish(first, firstErr)
		finish(second, secondErr)
		finish(command("merge", "--out", out, out))
		same(t, out)
	})
}
