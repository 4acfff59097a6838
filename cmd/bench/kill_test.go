//go:build unix

package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestKilledAtRandom kills `bench run` at random moments, and continues it each time by the same command: it ends with the
// predictions of a run that nobody disturbed.
func TestKilledAtRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program and trains every method, which takes a while; -short is set")
	}
	const kills = 6
	path := build(t)
	start := func(out string) (*exec.Cmd, *bytes.Buffer) {
		cmd := exec.CommandContext(t.Context(), path, "run", "--epochs", "2", "--split", "512,64,20", "--steps", "3", "--seeds", "0,1",
			"--checkpoint-every", "10ms", "--threads", "1", "--out", out)
		cmd.Env = append(os.Environ(), "GOMLX_BACKEND=")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		require.NoError(t, cmd.Start())
		return cmd, &stderr
	}
	undisturbed := filepath.Join(t.TempDir(), "undisturbed")
	began := time.Now()
	cmd, stderr := start(undisturbed)
	require.NoError(t, cmd.Wait(), stderr)
	whole := time.Since(began)

	out := filepath.Join(t.TempDir(), "killed")
	killed := 0
	for range kills {
		cmd, _ := start(out)
		timer := time.AfterFunc(time.Duration((0.05+0.35*rand.Float64())*float64(whole)), func() { _ = cmd.Process.Kill() })
		if cmd.Wait() != nil {
			killed++
		}
		timer.Stop()
	}
	assert.Positive(t, killed)
	cmd, stderr = start(out)
	require.NoError(t, cmd.Wait(), stderr)
	t.Logf("killed %d times; an undisturbed run takes %v", killed, whole)

	want, got := readResults(t, undisturbed), readResults(t, out)
	require.Len(t, got.Runs, len(want.Runs))
	for i, run := range got.Runs {
		assert.Equal(t, want.Runs[i].Key, run.Key)
		assert.Equal(t, want.Runs[i].PredictionSHA256, run.PredictionSHA256, run.Method)
		assert.Equal(t, want.Runs[i].History, run.History, run.Method)
		assert.Empty(t, run.Warnings[len(want.Runs[i].Warnings):], "no checkpoint was torn")
	}
	assert.NoDirExists(t, filepath.Join(out, "checkpoints"))
	assert.NoFileExists(t, filepath.Join(out, "plan.json"))
}
