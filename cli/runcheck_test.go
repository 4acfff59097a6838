package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/examples/method"
	"github.com/koopbench/koopbench/internal/lorenz"
)

// crowded is the nearest method with another prediction for one of three snapshots.
type crowded struct{ core.Method }

func (c crowded) Describe() core.Description {
	d := c.Method.Describe()
	d.Name = "crowded"
	return d
}

func (c crowded) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	model, err := c.Method.Fit(ctx, t)
	if err != nil {
		return nil, err
	}
	return core.ModelFunc(func(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
		next, err := model.Predict(ctx, x)
		if err != nil || next.Len() != 3 { // a number that the checks try, and the run does not
			return next, err
		}
		values := append([]float32{}, next.Floats()...)
		values[0]++
		return core.NewSnapshots(values, x.Shape()...)
	}), nil
}

func newCrowded() core.Method { return crowded{method.Nearest{}} }

// TestRunChecksPlugins: --check checks what the runs use of plugins, tells of what fails, and keeps
// the outcome with all runs of the plugin, those that were finished before too. The runs are made
// all the same.
func TestRunChecksPlugins(t *testing.T) {
	t.Chdir(t.TempDir())
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	good, bad := pluginFile(t, "good", "nearest", "skewed"), pluginFile(t, "bad", "crowded")
	args := tiny(data, out, "--plugin", good, "--plugin", bad, "--methods", "template,nearest,crowded")
	require.Zero(t, call(t.Context(), newFakes().config(), args...).status)
	before := resultsIn(t, out)
	for _, run := range before.Runs {
		if run.Plugin != nil {
			assert.Nil(t, run.Plugin.Checks, run.Method)
		}
	}

	got := call(t.Context(), newFakes().config(), append(args, "--check", "--seeds", "42,43")...)
	assert.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stderr, "checking plugin good\nchecked  plugin good: 11 passed, 0 failed\n"+
		"checking method nearest\nchecked  method nearest: ")
	assert.NotContains(t, got.stderr, "skewed", "no run uses it, and it would fail")
	assert.Contains(t, got.stderr, "checked  method crowded: ")
	assert.Contains(t, got.stderr, "bench: warning: the plugin "+bad+" failed 1 check: crowded: row-independence; "+
		"see: bench plugin check "+bad+"\n")
	assert.Contains(t, got.stderr, "crowded, seed 42: already finished")
	after := resultsIn(t, out)
	require.Len(t, after.Runs, 6)
	store := results.OpenStore(out)
	for _, run := range after.Runs {
		onDisk, ok, err := store.Run(run.Key)
		require.NoError(t, err)
		require.True(t, ok)
		assert.Equal(t, run.Plugin, onDisk.Plugin)
		switch run.Method {
		case "template":
			assert.Nil(t, run.Plugin)
		case "nearest":
			require.NotNil(t, run.Plugin.Checks)
			assert.Empty(t, run.Plugin.Checks.Failed)
			assert.Greater(t, run.Plugin.Checks.Passed, 30)
		case "crowded":
			require.NotNil(t, run.Plugin.Checks)
			assert.Equal(t, []string{"crowded: row-independence"}, run.Plugin.Checks.Failed)
		}
	}

	kept, err := os.ReadFile(filepath.Join(out, "config.yaml"))
	require.NoError(t, err)
	assert.Contains(t, string(kept), "\ncheck: true\n")
	require.Zero(t, call(t.Context(), newFakes().config(), append(args, "--seeds", "42,43")...).status)
	assert.Equal(t, after.Runs, resultsIn(t, out).Runs, "what was found stays where nothing is checked")
}

// TestRunChecksPartsAndOracles: a plugin is checked for the part that a method is made of, and for
// the oracle, be it fitted or kept from before.
func TestRunChecksPartsAndOracles(t *testing.T) {
	t.Chdir(t.TempDir())
	data, out, path := dataFolder(t), filepath.Join(t.TempDir(), "out"), pluginFile(t, "far", "ridge", "blind")
	args := tiny(data, out, "--plugin", path, "--methods", "template,operator:ridge", "--oracle", "plugin:blind")
	checked := func(more ...string) (output, *results.Results) {
		got := call(t.Context(), newFakes().config(), append(args, more...)...)
		require.Zero(t, got.status, got.stderr)
		return got, resultsIn(t, out)
	}
	_, r := checked()
	assert.Nil(t, r.Oracle.Plugin.Checks)
	got, r := checked("--check", "--quiet")
	assert.NotContains(t, got.stderr, "checking")
	assert.Contains(t, got.stderr, "warning: the plugin "+path+" failed ", "a warning is told with --quiet too")
	require.NotNil(t, r.Oracle.Plugin.Checks)
	assert.Contains(t, r.Oracle.Plugin.Checks.Failed, "oracle:blind: learns")
	for _, name := range r.Oracle.Plugin.Checks.Failed {
		assert.True(t, strings.HasPrefix(name, "oracle:blind: "), name)
	}
	require.Len(t, r.Runs, 2)
	assert.Equal(t, r.Oracle.Plugin.Checks, r.Runs[1].Plugin.Checks)
	_, r = checked()
	assert.NotNil(t, r.Oracle.Plugin.Checks, "what was found stays where nothing is checked")
}

// blind is an oracle that sees the same in everything.
type blind struct{}

func (blind) Describe() core.Description {
	return core.Description{Name: "blind", Summary: "sees nothing", Doc: "For tests."}
}

func (blind) Fit(ctx context.Context, t *core.Training) (core.Judge, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	return blindJudge{}, ctx.Err()
}

type blindJudge struct{}

func (blindJudge) Classify(ctx context.Context, x core.Snapshots) ([]int, error) {
	return make([]int, x.Len()), ctx.Err()
}

// TestRunChecksTheTask: a plugin is checked for the task that it serves, if that is the task of the
// runs, and the outcome stays with the results.
func TestRunChecksTheTask(t *testing.T) {
	t.Chdir(t.TempDir())
	out, path := filepath.Join(t.TempDir(), "out"), pluginFile(t, "far", "lorenz", "drifting")
	run := func(task string, more ...string) (output, *results.PluginInfo) {
		args := []string{"run", "--task", task, "--methods", "template", "--plugin", path, "--out",
			filepath.Join(out, task)}
		got := call(t.Context(), newFakes().config(), append(args, more...)...)
		require.Zero(t, got.status, got.stderr)
		r := resultsIn(t, filepath.Join(out, task))
		require.Len(t, r.Runs, 1)
		require.NotNil(t, r.Task.Plugin)
		return got, r.Task.Plugin
	}
	_, p := run("lorenz")
	assert.Nil(t, p.Checks)
	got, p := run("lorenz", "--check")
	assert.Contains(t, got.stderr, "checking task lorenz\nchecked  task lorenz: ")
	assert.NotContains(t, got.stderr, "drifting")
	assert.Contains(t, got.stderr, "template, seed 42: already finished", "a check changes no key")
	assert.Regexp(t, `plugins\n  task: plugin, \d+ checks passed\n`, got.stdout)
	require.NotNil(t, p.Checks)
	assert.Empty(t, p.Checks.Failed)
	assert.Greater(t, p.Checks.Passed, 15)
	_, kept := run("lorenz")
	assert.Equal(t, p, kept, "what was found stays where nothing is checked")

	got, p = run("drifting", "--check")
	assert.Contains(t, got.stderr, "bench: warning: the plugin "+path+" failed ")
	require.NotNil(t, p.Checks)
	assert.Contains(t, p.Checks.Failed, "task:drifting: repeatable")
}

// drifting is a task that gives other data at each call.
type drifting struct{ lorenz.Task }

func (drifting) Describe() core.Description {
	d := lorenz.Task{}.Describe()
	d.Name = "drifting"
	return d
}

var drifts atomic.Int64

func (d drifting) Open(ctx context.Context, o core.Options) (*core.Problem, error) {
	p, err := d.Task.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	p.Validation = core.OneTrajectory(p.Train.At(1).Slice(int(drifts.Add(1))%50, 60+int(drifts.Load())%50))
	return p, nil
}

// TestRunChecksTheProgram: a check of the process that fails is one of the plugin, and without a
// plugin there is nothing to check.
func TestRunChecksTheProgram(t *testing.T) {
	t.Chdir(t.TempDir())
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	path := rewriteScript(t, pluginFile(t, "silent", "nearest"), `echo "$0 is a plugin" >&2; exit 1`, "exit 0")
	args := func(methods string) []string {
		return tiny(data, out, "--plugin", path, "--methods", methods, "--check")
	}
	got := call(t.Context(), newFakes().config(), args("nearest")...)
	assert.Zero(t, got.status, got.stderr)
	assert.Equal(t, []string{"plugin: by-hand"}, resultsIn(t, out).Runs[0].Plugin.Checks.Failed)

	out = filepath.Join(t.TempDir(), "out")
	got = call(t.Context(), newFakes().config(), args("template")...)
	assert.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stderr, "--check: these runs use no plugin\n")
	assert.NotContains(t, got.stderr, "checking")
}
