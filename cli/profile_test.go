package cli

import (
	"bytes"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/methods"
)

// TestProfileShowsTheKernels: what was forced is what ran, one row an operation.
func TestProfileShowsTheKernels(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	config := Config{Registry: methods.Builtin, Version: "v0.0.0-test", draw: func(string) error { return nil }}
	args := tiny(data, out, "--methods", "contrastive", "--epochs", "1", "--profile", "-q", "--backend",
		"cpu:kernels=generic")
	got := call(t.Context(), config, args...)
	require.Zero(t, got.status, got.stderr)
	lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
	assert.Regexp(t, `seconds +share +calls +µs per call +GFLOP/s +where +operation`, lines[0])
	assert.Regexp(t, `^ *[0-9.]+ +100% +all$`, lines[len(lines)-1])
	assert.Regexp(t, `[0-9.]+ +[0-9.]+% +[0-9]+ +[0-9.]+ +[0-9.]+ +generic +conv kernel gradient `, got.stderr)
	assert.NotContains(t, got.stderr, "avx")

	again := call(t.Context(), config, args...)
	assert.Contains(t, again.stderr, "computed nothing", "finished runs are not repeated")
}

func TestWriteProfile(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, writeProfile(&b, []cpu.ProfileEntry{
		{Operation: "conv", Where: "avx2", Calls: 10, Time: 3 * time.Second, Flops: 3e9},
		{Operation: "Sort", Where: "go", Calls: 2, Time: time.Second},
	}))
	assert.Equal(t, ""+
		"  seconds  share  calls  µs per call  GFLOP/s  where  operation\n"+
		"    3.000  75.0%     10     300000.0     10.0   avx2  conv\n"+
		"    1.000  25.0%      2     500000.0              go  Sort\n"+
		"    4.000   100%                                      all\n", b.String())
}

// TestThreadsChangeNoNumber: and the process has as many as before afterwards.
func TestThreadsChangeNoNumber(t *testing.T) {
	data, before := dataFolder(t), runtime.GOMAXPROCS(0)
	config := Config{Registry: methods.Builtin, Version: "v0.0.0-test", draw: func(string) error { return nil }}
	hashes := map[string][][]string{}
	for _, threads := range []string{"1", "3"} {
		out := filepath.Join(t.TempDir(), "out")
		got := call(t.Context(), config,
			tiny(data, out, "--methods", "linear,vamp,autoencoder", "--epochs", "1", "--threads", threads, "-q")...)
		require.Zero(t, got.status, got.stderr)
		for _, run := range resultsIn(t, out).Runs {
			hashes[run.Method] = append(hashes[run.Method], run.PredictionSHA256)
		}
		assert.Equal(t, before, runtime.GOMAXPROCS(0))
	}
	for method, h := range hashes {
		assert.Equal(t, h[0], h[1], method)
	}
}

func TestWrongKernelsInTheEnvironment(t *testing.T) {
	t.Setenv(cpu.KernelsEnvVar, "sse2")
	t.Setenv(backendVariable, "")
	out := filepath.Join(t.TempDir(), "out")
	got := call(t.Context(), newFakes().config(), tiny(dataFolder(t), out, "--methods", "template")...)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, `KOOPBENCH_CPU="sse2"`)
	assert.NoDirExists(t, out)
}
