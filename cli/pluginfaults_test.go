//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/koopbench/koopbench/benchmark/results"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pluginFolder gives a test a folder of its own for the sockets and temporary files of plugins, of
// which nothing may be left.
func pluginFolder(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp("/tmp", "kb")
	require.NoError(t, err)
	t.Setenv("XDG_RUNTIME_DIR", base)
	t.Setenv("TMPDIR", base)
	t.Cleanup(func() {
		assert.Eventually(t, func() bool { return len(processesIn(base)) == 0 }, hangs, 10*time.Millisecond,
			"processes are left")
		left, err := filepath.Glob(filepath.Join(base, "koopbench-*"))
		assert.NoError(t, err)
		assert.Empty(t, left)
		assert.NoError(t, os.RemoveAll(base))
	})
	return base
}

// TestPluginFaultsAreRuns: whatever a plugin does wrong is a run of its own kind, with its reason,
// and the others are as they are.
func TestPluginFaultsAreRuns(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	want := map[string]struct {
		status results.Status
		says   string
	}{
		"template":         {results.StatusOK, ""},
		"hangs-in-fit":     {results.StatusTimeout, "2s"},
		"hangs-in-predict": {results.StatusTimeout, "2s"},
		"nan-at-step-two": {results.StatusInvalid,
			"plugin far: contract broken: non-finite value: value 5 of snapshot 0 is NaN"},
		"short": {results.StatusInvalid, "plugin far: contract broken: wrong shape: Predict returned "},
		"dies": {results.StatusCrashed, "far ended (signal: killed): last words; its log is " +
			filepath.Join(out, "logs", "far.log")},
		"panics": {results.StatusCrashed, "the sky is falling"},
	}
	var names, hanging []string
	for name := range want {
		switch {
		case strings.HasPrefix(name, "hangs"):
			hanging = append(hanging, name)
		case name != "template":
			names = append(names, name)
		}
	}
	path := pluginFile(t, "far", slices.Concat(names, hanging)...)
	pluginFolder(t)
	run := func(out string, methods []string, args ...string) []results.Run {
		args = append(args, "--plugin", path, "--methods", strings.Join(methods, ","), "--jobs", "4")
		got := call(t.Context(), newFakes().config(), tiny(data, out, args...)...)
		assert.Equal(t, exitFailure, got.status)
		return resultsIn(t, out).Runs
	}
	// The others may need more than that time on a busy machine.
	runs := slices.Concat(run(out, append(names, "template")), run(out+"-hanging", hanging, "--timeout", "2s"))
	require.Len(t, runs, len(want))
	for _, r := range runs {
		assert.Equal(t, want[r.Method].status, r.Status, "%s: %s", r.Method, r.Reason)
		assert.Contains(t, r.Reason, want[r.Method].says, r.Method)
	}
}

// TestSignalToPlugin: Ctrl-C ends a plugin that takes no notice, and keeps what is finished.
func TestSignalToPlugin(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	path := pluginFile(t, "far", "hangs-in-fit")
	pluginFolder(t)
	c := startChild(t, nil, tiny(data, out, "--plugin", path, "--methods", "template,hangs-in-fit", "-v")...)
	c.await(t, "it hangs")
	require.NoError(t, c.Process.Signal(os.Interrupt))
	got := c.finish(t)
	assert.Equal(t, exitInterrupted, got.status, got.stderr)
	assertKept(t, out, 1)
}

// TestPluginsAreFound in the folders of a flag, of a variable and of the user; a broken one is
// listed with its reason, and one that is named and broken ends the command before anything is
// begun.
func TestPluginsAreFound(t *testing.T) {
	folder := func(names ...string) string { return filepath.Dir(pluginFile(t, "plugin", names...)) }
	byFlag, byVariable, data := folder("by-flag"), folder("by-variable"), t.TempDir()
	own := filepath.Join(data, "koopbench")
	require.NoError(t, os.MkdirAll(own, 0o755))
	require.NoError(t, os.Rename(folder("by-user"), filepath.Join(own, "plugins")))
	require.NoError(t, os.WriteFile(filepath.Join(byVariable, "old"),
		[]byte("#!/bin/sh\necho '1|7|unix|/tmp/none|grpc'\nsleep 300\n"), 0o755))
	t.Setenv("KOOPBENCH_PLUGIN_PATH", byVariable+string(os.PathListSeparator)+filepath.Join(data, "none"))
	t.Setenv("XDG_DATA_HOME", data)
	clear := rewriteScript(t, pluginFile(t, "clear", "in-the-clear"), "#!/bin/sh\n",
		"#!/bin/sh\nunset PLUGIN_CLIENT_CERT\n")
	pluginFolder(t)
	got := call(t.Context(), newFakes().config(), "plugin", "list", "--plugin-dir", byFlag, "--plugin", clear)
	assert.Zero(t, got.status, got.stderr)
	for _, name := range []string{"by-flag", "by-variable", "by-user"} {
		assert.Regexp(t, `plugin: [^\n]*, unpinned\n  method `+name+"\n", got.stdout)
	}
	assert.Regexp(t, `clear: [^\n]*, unpinned, not encrypted\n  method in-the-clear\n`, got.stdout)
	assert.Regexp(t, `old: broken: .*speaks version 7 of the plugin protocol and this program version 1`, got.stdout)

	out := filepath.Join(t.TempDir(), "out")
	got = call(t.Context(), newFakes().config(),
		tiny(dataFolder(t), out, "--methods", "template", "--plugin", filepath.Join(byVariable, "old"))...)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "speaks version 7")
	assert.NoDirExists(t, out)
}

// TestRunCheckSignal: SIGINT ends the checks at once, before anything of the runs is begun.
func TestRunCheckSignal(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	path := pluginFile(t, "far", "hangs-in-fit")
	pluginFolder(t)
	c := startChild(t, nil, tiny(data, out, "--plugin", path, "--methods", "hangs-in-fit", "--check", "-v")...)
	c.await(t, "it hangs")
	require.NoError(t, c.Process.Signal(os.Interrupt))
	got := c.finish(t)
	assert.Equal(t, exitInterrupted, got.status, got.stderr)
	const last = "bench: stopped while plugins were checked; no run was started\n"
	assert.True(t, strings.HasSuffix(got.stderr, last), got.stderr)
	assert.NoDirExists(t, out)
}
