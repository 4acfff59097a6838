//go:build unix

package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/koopbench/koopbench/benchmark/results"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stored are the runs of a folder with what they cost.
func stored(t *testing.T, dir string) map[string]results.Run {
	t.Helper()
	r, err := results.OpenStore(dir).Results()
	require.NoError(t, err)
	runs := map[string]results.Run{}
	for _, run := range r.Runs {
		runs[run.Method] = run
	}
	return runs
}

// TestIsolate: a run in a process of its own is the same run, that of a part that a plugin serves too.
func TestIsolate(t *testing.T) {
	data, plain, apart := dataFolder(t), filepath.Join(t.TempDir(), "plain"), filepath.Join(t.TempDir(), "apart")
	path := pluginFile(t, "far", "remote", "pixels")
	args := []string{
		"--methods",
		"template,template?order=down&warn=true,other,remote,embedder:remote-pixels",
		"--seeds",
		"0,1",
		"--plugin",
		path,
	}
	got := call(t.Context(), mortalFakes().config(), tiny(data, plain, args...)...)
	require.Zero(t, got.status, got.stderr)
	got = call(t.Context(), mortalFakes().config(), tiny(data, apart, append(args, "--isolate", "--jobs", "2")...)...)
	require.Zero(t, got.status, got.stderr)
	assert.Equal(t, resultsIn(t, plain), resultsIn(t, apart), "keys, numbers, warnings, plugins")

	shared := stored(t, plain)
	for method, run := range stored(t, apart) {
		assert.True(t, run.Isolated, method)
		require.NotNil(t, run.CPUSeconds, method)
		assert.Positive(t, *run.CPUSeconds, method)
		assert.Positive(t, run.PeakRSSBytes, method)
		require.NotNil(t, run.RPC, method)
		require.NotNil(t, run.RPC.Seconds, method)
		assert.Positive(t, *run.RPC.Seconds, method)
		assert.GreaterOrEqual(t, run.RPC.Calls, int64(4), "%s: a fit and three steps", method)
		assert.Equal(t, strings.Contains(method, "remote"), run.Plugin != nil, method)
		assert.Equal(t, method == "remote", shared[method].Isolated, method)
	}
	assert.Nil(t, shared["template"].RPC)
	require.NotNil(t, shared["embedder:remote-pixels"].RPC)
	assert.Positive(t, shared["embedder:remote-pixels"].RPC.SentBytes)
	assert.NotNil(t, shared["embedder:remote-pixels"].CPUSeconds, "one run at a time")

	again := call(t.Context(), mortalFakes().config(), tiny(data, plain, append(args, "--isolate")...)...)
	assert.Zero(t, again.status)
	assert.Equal(t, 10, strings.Count(again.stderr, "already finished"), "it is the same run")
}

// TestIsolatedRunsDie: what ends the process of one run touches that run alone.
func TestIsolatedRunsDie(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	got := call(t.Context(), mortalFakes().config(),
		tiny(data, out, "--methods", "dying,exiting,failing,panicking,other,template", "--isolate", "--jobs", "2")...)
	assert.Equal(t, exitFailure, got.status)
	assert.True(
		t,
		strings.HasSuffix(got.stderr,
			"bench: 4 of 6 runs failed: dying, seed 42; exiting, seed 42; failing, seed 42; panicking, seed 42\n"),
		got.stderr,
	)
	runs := stored(t, out)
	assert.Equal(t, results.StatusOK, runs["template"].Status)
	assert.Equal(t, results.StatusOK, runs["other"].Status)
	for method, says := range map[string]string{
		"dying": "fit: process crashed: the process of the run ended (signal: killed): the last words of dying; its " +
			"log is ",
		"exiting":   "fit: process crashed: the process of the run ended (exit status 3)",
		"panicking": "fit: internal failure: index out of range\n",
	} {
		assert.Equal(t, results.StatusCrashed, runs[method].Status)
		assert.True(t, strings.HasPrefix(runs[method].Reason, says), runs[method].Reason)
		assert.NotContains(t, strings.SplitN(runs[method].Reason, "\n", 2)[0], "plugin")
		assert.Nil(t, runs[method].Plugin)
	}
	assert.Equal(t, results.StatusFailed, runs["failing"].Status)
	assert.Equal(t, "fit: not available: the moon is in the wrong phase", runs["failing"].Reason)
}

func TestWorkerRefuses(t *testing.T) {
	path := pluginFile(t, "far", "pixels")
	got := call(t.Context(), newFakes().config(), "worker", "--backend", "go", "--plugin", path, "--plugin-sha256", "00",
		"--", "embedder:remote-pixels")
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "has changed since the command began")
	got = call(t.Context(), newFakes().config(), "worker", "--backend", "go", "--", "nothing")
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, `no method "nothing"`)
	got = call(t.Context(), newFakes().config(), "run", "--profile", "--isolate")
	assert.Equal(t, exitUsage, got.status)
	assert.Contains(t, got.stderr, "--profile and --isolate exclude each other")
}
