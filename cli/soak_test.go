//go:build unix

package cli

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/koopbench/koopbench/benchmark/results"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestKillsLoseNoResult kills plugins, and the benchmark itself, at random instants: what has
// finished stays as it is, to the byte, the same command goes on from there, and no process or
// folder is left. KOOPBENCH_SOAK=1 makes it 200 kills.
func TestKillsLoseNoResult(t *testing.T) {
	if testing.Short() {
		t.Skip("-short skips what takes seconds")
	}
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("processes are found by /proc, which is not there")
	}
	const whole, seedsEach = 200, 8
	factor, err := strconv.ParseFloat(os.Getenv("KOOPBENCH_SOAK"), 64)
	if err != nil {
		factor = 0.03
	}
	base, err := os.MkdirTemp("/tmp", "kb")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(base)) })
	t.Setenv("XDG_RUNTIME_DIR", base)
	t.Setenv("TMPDIR", base)
	data, path := dataFolder(t), pluginFile(t, "far", "remote")
	random := rand.New(rand.NewPCG(3, 4))
	arguments := func(out string) []string {
		return tiny(data, out, "--plugin", path, "--methods", "remote", "--seeds", "0.."+strconv.Itoa(seedsEach-1))
	}

	out, finished := "", map[string][32]byte{}
	hosts, plugins, kept := 0, 0, 0
	for i := range int(factor * whole) {
		if out == "" || len(finished) == seedsEach {
			out, finished = filepath.Join(t.TempDir(), "out"), map[string][32]byte{}
		}
		c := startChild(t, nil, arguments(out)...)
		time.Sleep(time.Duration(random.Int64N(int64(time.Second))))
		if i%2 == 0 {
			require.NoError(t, c.Process.Kill())
			hosts++
		} else if there := awaitPlugin(base); len(there) > 0 {
			for _, pid := range there {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			plugins++
		}
		got := c.finish(t)
		if i%2 == 1 {
			assert.Contains(t, []int{0, exitFailure}, got.status, got.stderr)
		}
		now := finishedRuns(t, out)
		for key, sum := range finished {
			assert.Equal(t, sum, now[key], "%s after kill %d", key, i)
			kept++
		}
		finished = now
		require.Eventually(t, func() bool { return len(processesIn(base)) == 0 }, hangs, 10*time.Millisecond,
			"plugins end with the benchmark")
	}
	got := startChild(t, nil, arguments(out)...).finish(t)
	assert.Zero(t, got.status, got.stderr)
	assertKept(t, out, seedsEach)
	for key, sum := range finished {
		assert.Equal(t, sum, finishedRuns(t, out)[key])
	}
	assert.Len(t, resultsIn(t, out).Runs, seedsEach)
	left, err := filepath.Glob(filepath.Join(base, "koopbench-*"))
	require.NoError(t, err)
	assert.Empty(t, left, "what killed benchmarks left is swept")
	t.Logf("%d kills of the benchmark, %d of plugins; %d times a finished result was compared with itself", hosts,
		plugins, kept)
}

// awaitPlugin returns the processes of plugins, once there are any; none if all runs may have ended.
func awaitPlugin(base string) []int {
	for range 500 {
		if there := processesIn(base); len(there) > 0 {
			return there
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// finishedRuns are the SHA-256 of the files of the runs that are whole and have succeeded.
func finishedRuns(t *testing.T, out string) map[string][32]byte {
	t.Helper()
	finished := map[string][32]byte{}
	files, err := filepath.Glob(filepath.Join(out, "runs", "*.json"))
	require.NoError(t, err)
	for _, file := range files {
		key := file[len(filepath.Dir(file))+1 : len(file)-len(".json")]
		run, ok, err := results.OpenStore(out).Run(key)
		require.NoError(t, err)
		if !ok || run.Status != results.StatusOK {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		arrays, err := os.ReadFile(file[:len(file)-len(".json")] + ".npz")
		require.NoError(t, err)
		finished[key] = sha256.Sum256(append(text, arrays...))
	}
	return finished
}

// processesIn lists the processes whose folder for temporary files is one that was made for a plugin in base.
func processesIn(base string) []int {
	var found []int
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environments {
		text, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(text, []byte("TMPDIR="+base+"/koopbench-")) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			found = append(found, pid)
		}
	}
	return found
}
