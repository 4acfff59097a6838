package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/report/tasklist"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/lorenz"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
)

// closed is a task that cannot be opened.
type closed struct{ lorenz.Task }

func (closed) Describe() core.Description {
	return core.Description{Name: "closed", Summary: "a task that cannot be opened"}
}

func (closed) Open(context.Context, core.Options) (*core.Problem, error) {
	return nil, errors.New("the data are gone")
}

// unexposed is a method that sees snapshots alone.
type unexposed struct{ broken }

func (u unexposed) Describe() core.Description {
	return core.Description{Name: u.name, Summary: "for tests"}
}

// tasksConfig is a program with the tasks lorenz and closed beside the built-in ones.
func tasksConfig(f *fakes) Config {
	f.extra = []core.Method{linear.New(),
		unexposed{broken{"unlucky", func(context.Context) error { return core.ErrUnavailable }}},
		unexposed{broken{"waiting", func(ctx context.Context) error {
			f.began <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}}},
	}
	config := f.config()
	config.Registry = func(rt *nn.Runtime) (*registry.Registry, error) {
		r, err := f.registry(rt)
		if err != nil {
			return nil, err
		}
		return r, r.Tasks.Add(lorenz.Task{}, closed{})
	}
	return config
}

// ofTasks is `bench run` of three tasks, with more at the end.
func ofTasks(out string, more ...string) []string {
	return append([]string{"run", "--tasks", "lorenz,duffing?data_seed=7,lorenz?data_seed=7", "--split", "200,50,50",
		"--steps", "4", "--methods", "template,linear", "--seeds", "0..2", "--out", out}, more...)
}

// files are the names of all in a folder, and below it.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		names = append(names, name)
		return err
	}))
	return names
}

// TestTasks: each folder is what a command of one task makes, and what is finished stays.
func TestTasks(t *testing.T) {
	t.Chdir(t.TempDir())
	f := newFakes()
	config := tasksConfig(f)
	got := call(t.Context(), config, ofTasks("out")...)
	require.Zero(t, got.status, got.stderr)
	for folder, args := range map[string][]string{
		"lorenz": {"--task", "lorenz"}, "lorenz,data_seed=7": {"--task", "lorenz?data_seed=7"},
		"duffing,data_seed=7": {"--task", "duffing?data_seed=7", "--split", "200,50,50"},
	} {
		alone := filepath.Join("alone", folder)
		args = append(args, "--steps", "4", "--methods", "template,linear", "--seeds", "0..2", "--out", alone)
		one := call(t.Context(), tasksConfig(newFakes()), append([]string{"run"}, args...)...)
		require.Zero(t, one.status, one.stderr)
		folder = filepath.Join("out", folder)
		assert.Equal(t, files(t, alone), files(t, folder))
		assert.Equal(t, resultsIn(t, alone), resultsIn(t, folder))
		for _, name := range []string{"config.yaml", "data.npz"} {
			want, err := os.ReadFile(filepath.Join(alone, name))
			require.NoError(t, err)
			text, err := os.ReadFile(filepath.Join(folder, name))
			require.NoError(t, err)
			assert.Equal(t, string(want), string(text))
		}
		require.Zero(t, call(t.Context(), config, "run", "--config", filepath.Join(folder, "config.yaml"), "-q").status)
		require.Zero(t, call(t.Context(), config, "verify", folder).status)
		require.Zero(t, call(t.Context(), config, "compare", folder, alone).status)
	}
	_, table, _ := strings.Cut(got.stdout, "2 methods on 3 tasks")
	for _, says := range []string{
		"lorenz?data_seed=7", "duffing?data_seed=7", "linear", "squared-distance, lower is better", "#1",
	} {
		assert.Contains(t, table, says)
	}
	assert.True(t, strings.HasSuffix(got.stderr,
		"the comparison of all tasks is "+filepath.Join("out", report.OverviewPage)+"\n"))

	fits := f.fits.Load()
	again := call(t.Context(), config, ofTasks("out")...)
	require.Zero(t, again.status)
	assert.Equal(t, got.stdout, again.stdout)
	assert.Equal(t, fits, f.fits.Load(), "nothing is made again")

	page := filepath.Join("out", report.OverviewPage)
	before, err := os.ReadFile(page)
	require.NoError(t, err)
	require.NoError(t, os.Remove(page))
	require.NoError(t, os.MkdirAll(filepath.Join("out", "notes"), 0o755))
	redrawn := call(t.Context(), config, "report", "out")
	require.Zero(t, redrawn.status, redrawn.stderr)
	assert.Contains(t, redrawn.stdout, "notes: not readable as results")
	require.NoError(t, os.Remove(filepath.Join("out", "notes")))
	assert.True(t, strings.HasSuffix(got.stdout, call(t.Context(), config, "report", "out").stdout))
	refused := call(t.Context(), config, "report", "out", "--figures", "pdf")
	assert.Equal(t, 2, refused.status)
	assert.Contains(t, refused.stderr, "--figures: out compares several tasks and has no figures of its own")
	after, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))

	more := call(t.Context(), config, "run", "--tasks", "lorenz?steps=3", "--methods", "linear", "--out", "out", "-q")
	require.Zero(t, more.status, more.stderr)
	assert.Empty(t, more.stderr)
	assert.Contains(t, more.stdout, "2 methods on 4 tasks", "tasks of earlier commands stay")
}

// TestTasksThatFail: a task that cannot be opened, and runs that fail, are told and leave the others whole.
func TestTasksThatFail(t *testing.T) {
	t.Chdir(t.TempDir())
	elsewhere := t.TempDir()
	require.NoError(t, os.Mkdir("out", 0o755))
	require.NoError(t, os.Symlink(elsewhere, filepath.Join("out", "duffing")))
	config := tasksConfig(newFakes())
	args := []string{"run", "--tasks", "closed,duffing,lorenz?data_seed=3,lorenz", "--methods", "linear,unlucky",
		"--out", "out", "-q"}
	got := call(t.Context(), config, args...)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "bench: closed: the task closed: the data are gone\n")
	assert.Contains(t, got.stderr,
		"bench: duffing: "+filepath.Join("out", "duffing")+" is, or lies behind, a link out of")
	assert.Contains(t, got.stderr, "bench: lorenz: 1 of 2 runs failed: unlucky, seed 42\n")
	const all = "bench: 4 of 4 tasks failed: closed; duffing; lorenz?data_seed=3; lorenz\n"
	assert.True(t, strings.HasSuffix(got.stderr, all), got.stderr)
	assert.Contains(t, got.stdout, "2 methods on 2 tasks")
	assert.Contains(t, got.stdout, "closed: the task closed: the data are gone\n")
	assert.Contains(t, got.stdout, "lorenz: unlucky: failed: ")
	assert.NoDirExists(t, filepath.Join("out", "closed"))
	assert.Empty(t, files(t, elsewhere)[1:])
	assert.Len(t, resultsIn(t, filepath.Join("out", "lorenz")).Runs, 2)
	assert.Contains(t, call(t.Context(), config, "report", "out").stdout, "closed: the task closed: the data are gone\n")

	args[4] = "linear"
	args[2] = "closed,lorenz"
	got = call(t.Context(), config, args...)
	assert.Equal(t, exitFailure, got.status)
	assert.True(t, strings.HasSuffix(got.stderr, "bench: 1 of 2 tasks failed: closed\n"), got.stderr)
}

// TestTasksStopped: a signal ends all tasks; the same command continues with what is missing.
func TestTasksStopped(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	f := newFakes()
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		<-f.began
		stop()
	}()
	args := []string{"run", "--tasks", "lorenz,lorenz?data_seed=7", "--methods", "template,waiting", "--out", out}
	got := call(ctx, tasksConfig(f), args...)
	assert.Equal(t, exitInterrupted, got.status)
	says := "bench: stopped at task 1 of 2, lorenz; finished runs are kept in " + out + ", and the same command " +
		"continues from there\n"
	assert.True(t, strings.HasSuffix(got.stderr, says), got.stderr)
	assert.Contains(t, got.stdout, "1 method on 1 task\n")
	assert.Contains(t, got.stdout, "lorenz?data_seed=7: not readable as results")
	assert.Len(t, resultsIn(t, filepath.Join(out, "lorenz")).Runs, 1)

	args[4] = "template,other"
	got = call(t.Context(), tasksConfig(f), args...)
	require.Zero(t, got.status, got.stderr)
	assert.EqualValues(t, 4, f.fits.Load(), "what finished is not repeated")
	assert.Contains(t, got.stdout, "2 methods on 2 tasks\n")
}

// TestTasksAreTheirOwn: folders of results, of tasks and of others stay apart.
func TestTasksAreTheirOwn(t *testing.T) {
	t.Chdir(t.TempDir())
	config := tasksConfig(newFakes())
	tasks := []string{"run", "--tasks", "lorenz", "--methods", "linear", "-q", "--out"}
	task := []string{"run", "--task", "lorenz", "--methods", "linear", "-q", "--out"}
	require.Zero(t, call(t.Context(), config, append(tasks, "tasks")...).status)
	require.Zero(t, call(t.Context(), config, append(task, "task")...).status)
	require.NoError(t, os.Mkdir("mine", 0o755))
	require.NoError(t, os.WriteFile(filepath.Join("mine", tasklist.File), []byte(`{"tasks": ["buy milk"]}`), 0o644))
	for _, args := range [][]string{
		append(tasks, "task"), append(task, "tasks"), append(tasks, "mine"), append(task, "mine"),
	} {
		dir := args[len(args)-1]
		before := files(t, dir)
		got := call(t.Context(), config, args...)
		assert.Equal(t, exitFailure, got.status)
		assert.Contains(t, got.stderr, "choose another folder with --out")
		assert.Equal(t, before, files(t, dir))
	}
	assert.Contains(t, call(t.Context(), config, "report", "mine").stderr, "not readable as a list of tasks")
}

// TestTasksOfConfig: a configuration may name several tasks, and the command line goes before it.
func TestTasksOfConfig(t *testing.T) {
	t.Chdir(t.TempDir())
	config := tasksConfig(newFakes())
	text := "tasks:\n  - lorenz: {data_seed: 7}\n  - lorenz\nmethods: linear\nsteps: 3\nout: out\n"
	require.NoError(t, os.WriteFile("run.yaml", []byte(text), 0o644))
	got := call(t.Context(), config, "run", "--config", "run.yaml")
	require.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stdout, "1 method on 2 tasks")
	assert.Equal(t, 3, resultsIn(t, filepath.Join("out", "lorenz,data_seed=7")).Task.Steps)
	got = call(t.Context(), config, "run", "--config", "run.yaml", "--task", "lorenz", "--out", "one", "-q")
	require.Zero(t, got.status, got.stderr)
	assert.Equal(t, "lorenz", resultsIn(t, "one").Task.Name)
	got = call(t.Context(), config, "run", "--config", filepath.Join("one", "config.yaml"), "--tasks", "lorenz", "--out",
		"two", "-q")
	require.Zero(t, got.status, got.stderr)
	assert.Equal(t, "lorenz", resultsIn(t, filepath.Join("two", "lorenz")).Task.Name)
	require.NoError(t, os.WriteFile("both.yaml", []byte("tasks: lorenz\ntask: lorenz\n"), 0o644))
	got = call(t.Context(), config, "run", "--config", "both.yaml")
	assert.Equal(t, exitUsage, got.status)
	assert.Contains(t, got.stderr, "--task and --tasks exclude each other")
}

// TestTasksInShards: shards of all tasks are joined folder by folder.
func TestTasksInShards(t *testing.T) {
	t.Chdir(t.TempDir())
	config := tasksConfig(newFakes())
	require.Zero(t, call(t.Context(), config, ofTasks("whole")...).status)
	for _, shard := range []string{"1/2", "2/2"} {
		got := call(t.Context(), config, ofTasks("parts", "--shard", shard)...)
		require.Zero(t, got.status, got.stderr)
		assert.Contains(t, got.stderr, "join those of each task with bench merge, then give: bench report parts\n")
		assert.NoFileExists(t, filepath.Join("parts", report.OverviewPage))
	}
	for _, folder := range []string{"lorenz", "lorenz,data_seed=7", "duffing,data_seed=7"} {
		parts := filepath.Join("parts", folder)
		require.Zero(t, call(t.Context(), config, "merge", "--out", parts, parts).status)
		assert.Equal(t, resultsIn(t, filepath.Join("whole", folder)).Runs, resultsIn(t, parts).Runs)
	}
	whole, parts := call(t.Context(), config, "report", "whole"), call(t.Context(), config, "report", "parts")
	assert.Equal(t, whole.stdout, parts.stdout)
}

// TestAllTasks: all leaves out the task whose data must be given.
func TestAllTasks(t *testing.T) {
	a := &app{Config: tasksConfig(newFakes())}
	c, err := a.builtin()
	require.NoError(t, err)
	all, err := newTaskFlags().several(c.Registry, "all")
	require.NoError(t, err)
	var names []string
	for _, f := range all {
		names = append(names, f.task)
	}
	assert.Subset(t, names, []string{"closed", "duffing", "lorenz", "lorenz63", "ordered-mnist", "prinz-potential"})
	assert.NotContains(t, names, "trajectory")
}

// TestTasksWithPlugins: plugins are opened once; what they write lies with the task that they work for.
func TestTasksWithPlugins(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	begun := filepath.Join(t.TempDir(), "begun")
	path := rewriteScript(t, pluginFile(t, "far", "remote"), "#!/bin/sh\n",
		"#!/bin/sh\necho hello >&2\necho x >> "+begun+"\n")
	got := call(t.Context(), tasksConfig(newFakes()), "run", "--plugin", path, "--tasks", "lorenz,lorenz?data_seed=7",
		"--methods", "remote", "--out", out)
	require.Zero(t, got.status, got.stderr)
	for folder, says := range map[string]string{
		"lorenz": "far: hello", "lorenz,data_seed=7": "far (remote, seed 42): hello",
	} {
		text, err := os.ReadFile(filepath.Join(out, folder, "logs", "far.log"))
		require.NoError(t, err)
		assert.Contains(t, string(text), says)
	}
	text, err := os.ReadFile(begun)
	require.NoError(t, err)
	assert.Equal(t, "x\nx\nx\n", string(text), "to describe itself, and for each run")
}
