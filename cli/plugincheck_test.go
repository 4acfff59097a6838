package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/conformance/check"
)

// rewriteScript puts text in place of another into a script.
func rewriteScript(t *testing.T, path, old, text string) string {
	t.Helper()
	script, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(script), old)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(script), old, text, 1)), 0o755))
	return path
}

// patient are arguments of checks that are to pass on a busy machine too.
var patient = []string{"--grace", hangs.String(), "--timeout", (5 * hangs).String()}

// TestPluginCheck shows what an author reads about a plugin that keeps all rules, one that breaks
// some, and files that are none.
func TestPluginCheck(t *testing.T) {
	text := filepath.Join(t.TempDir(), "notes.txt")
	require.NoError(t, os.WriteFile(text, []byte("no program\n"), 0o644))
	for name, c := range map[string]struct {
		path   string
		args   []string
		status int
	}{
		"check-good":   {pluginFile(t, "good", "nearest", "ridge"), patient, 0},
		"check-broken": {pluginFile(t, "broken", "skewed"), patient, exitFailure},
		"check-noise": {rewriteScript(t, pluginFile(t, "noisy", "nearest"), "#!/bin/sh\n", "#!/bin/sh\necho loading\n"),
			nil, exitFailure},
		"check-unstarted": {rewriteScript(t, pluginFile(t, "late", "nearest"), "#!/bin/sh\n",
			"#!/bin/sh\nexec sleep 300\n"), []string{"--plugin-start-timeout", "200ms"}, exitFailure},
		"check-no-program": {text, nil, exitFailure},
		"check-no-file":    {filepath.Join(filepath.Dir(text), "none"), nil, exitFailure},
	} {
		t.Run(name, func(t *testing.T) {
			got := call(t.Context(), newFakes().config(), append([]string{"plugin", "check", c.path}, c.args...)...)
			assert.Equal(t, c.status, got.status)
			checkGolden(t, name, got, map[string]string{"DIR": filepath.Dir(c.path)})
		})
	}
}

// TestPluginCheckOfDeafPlugin: a plugin that survives the benchmark is told of.
func TestPluginCheckOfDeafPlugin(t *testing.T) {
	t.Chdir(t.TempDir())
	path := rewriteScript(t, pluginFile(t, "deaf", "ridge"), servedNames+"='ridge' exec ",
		"sleep 300 | "+servedNames+"=ridge ")
	got := call(t.Context(), newFakes().config(), "plugin", "check", path, "--grace", "300ms", "--json")
	assert.Equal(t, exitFailure, got.status)
	var report checkReport
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &report))
	statuses := map[string]check.Status{}
	for _, r := range report.Reports[0].Results {
		statuses[r.Check] = r.Status
	}
	assert.Equal(t, check.Fail, statuses["ends-with-host"])
	assert.Equal(t, check.Blocked, statuses["leaves-nothing"])
	assert.Equal(t, check.Pass, statuses["large-arrays"])
}

// TestPluginCheckJSON: the machine-readable form is the documented one, whatever comes of the check.
func TestPluginCheckJSON(t *testing.T) {
	t.Chdir(t.TempDir())
	good := pluginFile(t, "good", "nearest")
	for path, ok := range map[string]bool{good: true, filepath.Join(t.TempDir(), "none"): false} {
		got := call(t.Context(), newFakes().config(), append([]string{"plugin", "check", path, "--json"}, patient...)...)
		assert.Equal(t, ok, got.status == 0)
		var form map[string]any
		decoder := json.NewDecoder(strings.NewReader(got.stdout))
		require.NoError(t, decoder.Decode(&form))
		assert.False(t, decoder.More(), "one document")
		assert.Equal(t, CheckSchema, form["schema"])
		assert.Equal(t, path, form["plugin"])
		assert.Equal(t, ok, form["ok"])
		reports := form["reports"].([]any)
		assert.Equal(t, "plugin", reports[0].(map[string]any)["kind"])
		if !ok {
			assert.Len(t, reports, 1)
			assert.Empty(t, form["sha256"])
			continue
		}
		require.Len(t, reports, 2)
		assert.Len(t, form["sha256"], 64)
		assert.EqualValues(t, 1, form["protocol"])
		assert.Equal(t, true, form["encrypted"])
		assert.Equal(t, "method", reports[1].(map[string]any)["kind"])
		assert.Equal(t, "nearest", reports[1].(map[string]any)["name"])
	}
}

// TestPluginCheckKeepsThePin: a plugin that is not what the lock file pins is not started.
func TestPluginCheckKeepsThePin(t *testing.T) {
	t.Chdir(t.TempDir())
	path := pluginFile(t, "far", "nearest")
	require.Zero(t, call(t.Context(), newFakes().config(), "plugin", "lock", "--plugin", path).status)
	started := filepath.Join(t.TempDir(), "started")
	rewriteScript(t, path, "#!/bin/sh\n", "#!/bin/sh\ntouch '"+started+"'\n")
	got := call(t.Context(), newFakes().config(), "plugin", "check", path)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, "run bench plugin lock again")
	assert.NoFileExists(t, started)
	args := append([]string{"plugin", "check", path, "--plugin-ignore-lock", "-v"}, patient...)
	got = call(t.Context(), newFakes().config(), args...)
	assert.Zero(t, got.status, got.stdout)
	assert.Contains(t, got.stderr, "is ignored")
	assert.FileExists(t, started)
}

// TestPluginCheckOutputFails: a full disk behind a pipe is an error, not silence.
func TestPluginCheckOutputFails(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{{"plugin", "check", "none"}, {"plugin", "check", "none", "--json"}} {
		var stderr bytes.Buffer
		status := Main(t.Context(), args, nil, failingWriter{}, &stderr, newFakes().config())
		assert.Equal(t, exitFailure, status)
		assert.Equal(t, "bench: cannot write the result to standard output: no space left\n", stderr.String())
	}
}

// TestPluginCheckSignal: SIGINT ends the check at once, and all processes of the plugin.
func TestPluginCheckSignal(t *testing.T) {
	path := rewriteScript(t, pluginFile(t, "far", "nearest"), "#!/bin/sh\n", "#!/bin/sh\necho started >&2\nsleep 3000\n")
	c := startChild(t, nil, "plugin", "check", path, "-v")
	c.await(t, "started")
	require.NoError(t, c.Process.Signal(os.Interrupt))
	got := c.finish(t)
	assert.Equal(t, exitInterrupted, got.status)
	assert.Empty(t, got.stdout)
	assert.True(t, strings.HasSuffix(got.stderr, "bench: stopped before all checks were made\n"), got.stderr)
}

// TestPluginCheckOnly: chosen checks are made with those that they need, of the things that they
// are about.
func TestPluginCheckOnly(t *testing.T) {
	t.Chdir(t.TempDir())
	path := pluginFile(t, "good", "nearest", "ridge")
	checks := func(args ...string) map[string][]string {
		args = append(append([]string{"plugin", "check", path, "--json"}, patient...), args...)
		got := call(t.Context(), newFakes().config(), args...)
		require.Zero(t, got.status, got.stderr)
		var report checkReport
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &report))
		made := map[string][]string{}
		for _, r := range report.Reports {
			for _, result := range r.Results {
				made[string(r.Kind)+" "+r.Name] = append(made[string(r.Kind)+" "+r.Name], result.Check)
			}
		}
		return made
	}
	prediction := []string{"setup", "fit", "prediction-shape", "prediction-finite", "learns", "same-again", "repeatable"}
	assert.Equal(t, map[string][]string{
		"method nearest": prediction,
		"operator ridge": {"setup", "fit", "prediction", "learns", "same-again", "repeatable"},
	}, checks("--only", "learns, repeatable"))
	assert.Equal(t, map[string][]string{"plugin good": {"setup", "file", "start", "descriptions", "by-hand"}},
		checks("--only", "by-hand"))

	got := call(t.Context(), newFakes().config(), "plugin", "check", path, "--only", "learn")
	assert.Equal(t, exitUsage, got.status)
	assert.Contains(t, got.stderr, `bench: --only learn: there is no check "learn"; did you mean "learns"? Choose from `)
}

// TestPluginCheckOfTakenNames: a name that is built in is told of, and nothing else is wrong for
// it.
func TestPluginCheckOfTakenNames(t *testing.T) {
	t.Chdir(t.TempDir())
	path := pluginFile(t, "far", "template")
	got := call(t.Context(), newFakes().config(), "plugin", "check", path, "--only", "free-names,same-descriptions")
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, `it serves the method "template", which is built in`)
	assert.Contains(t, got.stdout, "5 pass, 1 fail\n")
}

// TestPluginCheckIsPatientByHand: a plugin that imports for long says what it is in the time of a
// start.
func TestPluginCheckIsPatientByHand(t *testing.T) {
	t.Chdir(t.TempDir())
	path := rewriteScript(t, pluginFile(t, "slow", "ridge"), "#!/bin/sh\n",
		"#!/bin/sh\n[ \"$KOOPBENCH_PLUGIN\" ] || sleep 1\n")
	args := []string{"plugin", "check", path, "--only", "by-hand", "--grace", "200ms"}
	got := call(t.Context(), newFakes().config(), args...)
	assert.Zero(t, got.status, got.stdout)
	rewriteScript(t, path, "|| sleep 1", "|| exec sleep 300")
	const found = "it was still there "
	for limit := 2 * time.Second; limit < hangs; limit *= 4 { // a busy machine needs more to start it as a plugin
		got = call(t.Context(), newFakes().config(), append(args, "--plugin-start-timeout", limit.String())...)
		if strings.Contains(got.stdout, found) {
			break
		}
	}
	assert.Equal(t, exitFailure, got.status)
	assert.Regexp(t, found+`\d+\.\d s after it was started by hand`, got.stdout)
}
