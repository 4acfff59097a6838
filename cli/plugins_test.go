package cli

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/examples/method"
	"github.com/koopbench/koopbench/internal/lorenz"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/plugin"
)

// This test's program is a plugin where it is started as one.

// remoteThings are what it serves: the fakes under other names, or what it is told to, templates but for real things.
func remoteThings() []any {
	if names := os.Getenv(servedNames); names != "" {
		var things []any
		for name := range strings.SplitSeq(names, ",") {
			switch name {
			case "nearest":
				things = append(things, method.Nearest{})
			case "ridge":
				things = append(things, linalg.Ridge{})
			case "pixels":
				things = append(things, renamedEmbedder{linear.Pixels(), "remote-"})
			case "crowded":
				things = append(things, newCrowded())
			case "lorenz":
				things = append(things, lorenz.Task{})
			case "drifting":
				things = append(things, drifting{})
			case "blind":
				things = append(things, blind{})
			case "infinite":
				things = append(things, infinite{&template{newFakes(), name}})
			case "NaN-report":
				things = append(things, odd{&template{newFakes(), "odd"}})
			case "skewed":
				things = append(things, skewed{})
			case "hangs-in-fit", "hangs-in-predict", "nan-at-step-two", "short", "dies", "panics":
				things = append(things, faulty{name})
			default:
				things = append(things, &template{newFakes(), name})
			}
		}
		return things
	}
	return []any{&template{newFakes(), "remote"}, renamedOracle{judge{}, "remote-"}}
}

// infinite is a template with an option that may be infinite.
type infinite struct{ *template }

func (m infinite) Describe() core.Description {
	d := m.template.Describe()
	d.Options = append(d.Options, core.FloatOption("rate", math.Inf(1), 0, math.Inf(1), "a rate"))
	return d
}

// odd is a template whose report has a number that JSON does not hold.
type odd struct{ *template }

func (m odd) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	model, err := m.template.Fit(ctx, t)
	if err == nil {
		model.(*templates).report.CompileSeconds = math.NaN()
	}
	return model, err
}

// TestABadReportEndsItsRunAlone: the others are done, the results are there, and the status says
// that one failed, be the method in this program or in a plugin.
func TestABadReportEndsItsRunAlone(t *testing.T) {
	data := dataFolder(t)
	here := newFakes()
	here.extra = []core.Method{odd{&template{here, "odd"}}}
	for way, c := range map[string]struct {
		fakes *fakes
		args  []string
	}{
		"in this program": {here, nil},
		"in a plugin":     {newFakes(), []string{"--plugin", pluginFile(t, "far", "NaN-report")}},
	} {
		t.Run(way, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			args := tiny(data, out, append(c.args, "--methods", "odd,template,other,template?blemish=0.5")...)
			got := call(t.Context(), c.fakes.config(), args...)
			assert.Equal(t, exitFailure, got.status)
			assert.Contains(t, got.stderr, "bench: 1 of 4 runs failed: odd, seed 42\n")
			runs := resultsIn(t, out).Runs
			require.Len(t, runs, 4)
			assert.Equal(t, results.StatusInvalid, runs[0].Status)
			assert.Contains(t, runs[0].Reason, "compile_seconds is NaN; it must be a number in 0 … 1000000000")
			for _, run := range runs[1:] {
				assert.Equal(t, results.StatusOK, run.Status)
			}
		})
	}
}

// TestABadDescription: a plugin found in a folder is left out with a warning, and one that was
// named ends the command before anything has begun.
func TestABadDescription(t *testing.T) {
	data, path := dataFolder(t), pluginFile(t, "far", "infinite")
	out := filepath.Join(t.TempDir(), "out")
	const says = "takes numbers in 0 … +Inf; both ends must be finite"
	args := tiny(data, out, "--methods", "template", "--plugin-dir", filepath.Dir(path))
	got := call(t.Context(), newFakes().config(), args...)
	assert.Zero(t, got.status, got.stderr)
	assert.Regexp(t, "warning: the plugin "+path+" is not used: .*"+regexp.QuoteMeta(says), got.stderr)
	assert.Len(t, resultsIn(t, out).Runs, 1)

	out = filepath.Join(t.TempDir(), "out")
	got = call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template", "--plugin", path)...)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, says)
	assert.NoDirExists(t, out)
}

// faulty is a method for the test's plugin, whose name says what goes wrong.
type faulty struct{ name string }

func (f faulty) Describe() core.Description {
	return core.Description{Name: f.name, Summary: "for tests", Doc: "For tests."}
}

func (f faulty) Fit(context.Context, *core.Training) (core.Model, error) {
	if f.name == "hangs-in-fit" {
		fmt.Fprintln(os.Stderr, "it hangs")
		select {}
	}
	steps := 0
	return core.ModelFunc(func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
		steps++
		values := append([]float32{}, x.Floats()...)
		switch f.name {
		case "hangs-in-predict":
			select {}
		case "nan-at-step-two":
			if steps == 2 {
				values[5] = float32(math.NaN())
			}
		case "short":
			values = values[x.Size():]
		case "dies":
			fmt.Fprintln(os.Stderr, "last words")
			_ = endSelf()
			select {}
		case "panics":
			panic("the sky is falling")
		}
		return core.NewSnapshots(values, x.Shape()...)
	}), nil
}

// skewed is the mean squared distance of the views, with gradients that are half of what they must be.
type skewed struct{}

func (skewed) Describe() core.Description {
	return core.Description{Name: "skewed", Summary: "a distance with wrong gradients", Doc: "For tests."}
}

func (skewed) Evaluate(ctx context.Context, x, y mat.Matrix, _ core.Options) (core.LossValue, error) {
	n, d := x.Dims()
	if rows, columns := y.Dims(); n == 0 || rows != n || columns != d {
		return core.LossValue{}, core.ErrShape
	}
	v := core.LossValue{GradX: mat.NewDense(n, d, nil), GradY: mat.NewDense(n, d, nil)}
	for i := range n {
		for j := range d {
			difference := x.At(i, j) - y.At(i, j)
			if difference-difference != 0 {
				return core.LossValue{}, core.ErrNonFinite
			}
			v.Value += difference * difference / float64(n)
			v.GradX.Set(i, j, difference/float64(n))
			v.GradY.Set(i, j, -difference/float64(n))
		}
	}
	return v, ctx.Err()
}

const servedNames = "KOOPBENCH_TEST_SERVED"

// noPlugins keeps the tests from the user's own plugins.
func noPlugins() {
	_ = os.Unsetenv(plugin.PathVariable)
	_ = os.Setenv("XDG_DATA_HOME", "/nonexistent")
}

// pluginFile returns a script that is a plugin, in a folder of its own, serving remoteThings, or
// those of the given names.
func pluginFile(t *testing.T, file string, names ...string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), file)
	script := "#!/bin/sh\n[ \"$KOOPBENCH_PLUGIN\" ] || { echo \"$0 is a plugin\" >&2; exit 1; }\n" + servedNames + "='" +
		strings.Join(
			names, ",") + "' exec '" + self + "'\n"
	require.NoError(t, os.WriteFile(path, []byte(script), 0o755))
	return path
}

func TestRunWithAPlugin(t *testing.T) {
	data, out, path := dataFolder(t), filepath.Join(t.TempDir(), "out"), pluginFile(t, "far")
	args := tiny(data, out, "--plugin", path, "--methods", "template,remote", "--oracle", "plugin:remote-cnn")
	got := call(t.Context(), newFakes().config(), args...)
	require.Zero(t, got.status, got.stderr)
	r := resultsIn(t, out)
	require.Len(t, r.Runs, 2)
	assert.Nil(t, r.Runs[0].Plugin)
	require.NotNil(t, r.Runs[1].Plugin)
	assert.Equal(t, path, r.Runs[1].Plugin.Path)
	assert.Len(t, r.Runs[1].Plugin.SHA256, 64)
	assert.Equal(t, 1, r.Runs[1].Plugin.Protocol)
	assert.Equal(t, "remote-cnn", r.Oracle.Name)
	require.NotNil(t, r.Oracle.Plugin)
	assert.Equal(t, path, r.Oracle.Plugin.Path)
	assert.Equal(t, r.Runs[0].History, r.Runs[1].History)
	assert.Len(t, r.Runs[1].History, fakeRunsEach)

	again := call(t.Context(), newFakes().config(), args...)
	assert.Contains(t, again.stderr, "remote, seed 42: already finished")
	script, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(script, "# changed\n"...), 0o755))
	changed := call(t.Context(), newFakes().config(), args...)
	assert.Contains(t, changed.stderr, "remote, seed 42: done", "another file's results are not reused")
}

// TestAllMeansPluginsToo: what a plugin adds is in "all", and is listed with where it comes from.
func TestAllMeansPluginsToo(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.Rename(pluginFile(t, "far", "remote-one", "remote-two"), filepath.Join(folder, "far")))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "noise"), []byte("#!/bin/sh\necho hello\n"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "README"), []byte("text"), 0o644))
	got := call(t.Context(), newFakes().config(), "list", "--plugin-dir", folder)
	assert.Zero(t, got.status)
	assert.Contains(t, got.stdout, "\n  remote-one ")
	assert.Contains(t, got.stdout, "\n  remote-two ")
	assert.Regexp(t, `\n  \S+/far: .*unpinned`, got.stdout)
	assert.Regexp(t, `\n  \S+/noise: broken: .*wrote "hello" instead of its handshake`, got.stdout)
	assert.NotContains(t, got.stdout, "README")

	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	got = call(
		t.Context(),
		newFakes().config(),
		tiny(data, out, "--plugin-dir", folder, "--methods", "remote*,template")...)
	require.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stderr, "warning: the plugin "+filepath.Join(folder, "noise")+" is not used: ")
	assert.Len(t, resultsIn(t, out).Runs, 3)
}

func TestPluginLock(t *testing.T) {
	t.Chdir(t.TempDir())
	path := pluginFile(t, "far")
	got := call(t.Context(), newFakes().config(), "plugin", "lock", "--plugin", path)
	require.Zero(t, got.status, got.stderr)
	assert.Equal(t, lockFile+" pins 1 plugin\n", got.stdout)
	got = call(t.Context(), newFakes().config(), "plugin", "list", "--plugin", path)
	assert.Regexp(t, `far: .*[^n]pinned\n  method remote\n  oracle remote-cnn\n$`, got.stdout)

	script, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(script, "# changed\n"...), 0o755))
	got = call(t.Context(), newFakes().config(), "plugin", "list", "--plugin", path)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "run bench plugin lock again")
	got = call(t.Context(), newFakes().config(), "plugin", "list", "--plugin", path, "--plugin-ignore-lock")
	assert.Zero(t, got.status)
	assert.Contains(t, got.stderr, "warning: the pin of "+path)
	assert.Contains(t, got.stdout, "unpinned")
}

// TestNamesThatAreTaken: an error names both sides, and nothing is run.
func TestNamesThatAreTaken(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	one, two := pluginFile(t, "one", "remote"), pluginFile(t, "two", "remote")
	builtin := pluginFile(t, "builtin", "template")
	for _, c := range []struct{ paths, says []string }{
		{[]string{builtin}, []string{builtin, `the method "template", which is built in`}},
		{[]string{one, two}, []string{two, `the method "remote", which the plugin ` + one + ` serves too`}},
	} {
		args := tiny(data, out, "--methods", "template")
		for _, p := range c.paths {
			args = append(args, "--plugin", p)
		}
		got := call(t.Context(), newFakes().config(), args...)
		assert.NotZero(t, got.status)
		for _, says := range c.says {
			assert.Contains(t, got.stderr, says)
		}
		assert.NoDirExists(t, out)
	}
}

func TestOracleFlag(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	for oracle, says := range map[string]string{
		"cnm":        `no oracle "cnm"; did you mean "cnn"?`,
		"plugin:cnn": "the oracle cnn is built in; no plugin serves it",
	} {
		got := call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template", "--oracle", oracle)...)
		assert.Equal(t, exitUsage, got.status)
		assert.Contains(t, got.stderr, says)
		assert.NoDirExists(t, out)
	}
}

// TestPluginLogs: what a plugin writes is in a file beside the results, and on the terminal with -v only.
func TestPluginLogs(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	path := pluginFile(t, "far")
	script, err := os.ReadFile(path)
	require.NoError(t, err)
	noisy := strings.Replace(string(script), "#!/bin/sh\n", "#!/bin/sh\necho 'the weather is fine' >&2\n", 1)
	require.NoError(t, os.WriteFile(path, []byte(noisy), 0o755))
	got := call(t.Context(), newFakes().config(), tiny(data, out, "--plugin", path, "--methods", "remote")...)
	require.Zero(t, got.status, got.stderr)
	assert.NotContains(t, got.stdout+got.stderr, "weather")
	log, err := os.ReadFile(filepath.Join(out, "logs", "far.log"))
	require.NoError(t, err)
	assert.Contains(t, string(log), "far: the weather is fine", "from the description")
	assert.Contains(t, string(log), "far (remote, seed 42): the weather is fine", "from the run")
	got = call(
		t.Context(),
		newFakes().config(),
		tiny(data, out, "--plugin", path, "--methods", "remote", "--seeds", "7", "-v")...)
	assert.Contains(t, got.stderr, "the weather is fine")
}

// TestPluginCrashIsOneRun: a plugin that dies leaves the other runs as they are.
func TestPluginCrashIsOneRun(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	marker := filepath.Join(t.TempDir(), "described")
	path := pluginFile(t, "far")
	script, err := os.ReadFile(path)
	require.NoError(t, err)
	dying := strings.Replace(string(script), "#!/bin/sh\n",
		"#!/bin/sh\nif [ -e '"+marker+"' ]; then echo 'out of luck' >&2; exit 3; fi\ntouch '"+marker+"'\n", 1)
	require.NoError(t, os.WriteFile(path, []byte(dying), 0o755))
	got := call(t.Context(), newFakes().config(), tiny(data, out, "--plugin", path, "--methods", "remote,template")...)
	assert.Equal(t, exitFailure, got.status)
	r := resultsIn(t, out)
	require.Len(t, r.Runs, 2)
	assert.Equal(t, results.StatusCrashed, r.Runs[0].Status)
	assert.Contains(t, r.Runs[0].Reason, "exit status 3")
	assert.Contains(t, r.Runs[0].Reason, "out of luck")
	assert.Equal(t, results.StatusOK, r.Runs[1].Status)
}

// TestSomePluginsAtOnce: of a thousand plugins as many start at once as there are threads, at most
// eight, and all in the end.
func TestSomePluginsAtOnce(t *testing.T) {
	for threads, want := range map[int]int64{1: 1, 3: 3, 64: 8} {
		synctest.Test(t, func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
			var begun atomic.Int64
			release := make(chan struct{})
			var all sync.WaitGroup
			all.Go(func() {
				someAtOnce(make([]*foundPlugin, 1000), func(*foundPlugin) {
					begun.Add(1)
					<-release
				})
			})
			synctest.Wait()
			assert.Equal(t, want, begun.Load())
			close(release)
			all.Wait()
			assert.EqualValues(t, 1000, begun.Load())
		})
	}
}

// TestLogsGoToOwnFolders: a folder of something else gets no logs of plugins, which are started
// before it is looked at.
func TestLogsGoToOwnFolders(t *testing.T) {
	path := rewriteScript(t, pluginFile(t, "far", "remote"), "#!/bin/sh\n", "#!/bin/sh\necho hello >&2\n")
	data, out := dataFolder(t), t.TempDir()
	run := tiny(data, out, "--plugin", path, "--methods", "remote", "-q")
	foreign := filepath.Join(out, "config.yaml")
	require.NoError(t, os.WriteFile(foreign, []byte("learning_rate: 1"), 0o600))
	got := call(t.Context(), newFakes().config(), run...)
	require.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "has config.yaml, which this program did not write")
	assert.Equal(t, []string{"config.yaml"}, namesIn(t, out))

	require.NoError(t, os.Remove(foreign))
	require.Zero(t, call(t.Context(), newFakes().config(), run...).status)
	text, err := os.ReadFile(filepath.Join(out, "logs", "far.log"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "hello")
}

// TestWordsOfFew: one is not told as many, and no list is told in brackets.
func TestWordsOfFew(t *testing.T) {
	folder := t.TempDir()
	got := call(t.Context(), newFakes().config(), "plugin", "list", "--plugin-dir", folder)
	assert.Equal(t, "there are no plugins in "+folder+", /nonexistent/koopbench/plugins; "+
		"name one with --plugin FILE, or a folder with --plugin-dir DIR\n", got.stderr)
	out := filepath.Join(t.TempDir(), "out")
	args := tiny(dataFolder(t), out, "--methods", "template", "--num-digits", "1", "--split", "5,3,2", "--steps", "1")
	got = call(t.Context(), newFakes().config(), args...)
	assert.Contains(t, got.stderr, ": 1 digit, 5 + 3 + 2 snapshots of ")
	assert.Contains(t, got.stderr, ", 1 step, ranked by protocol ")
}
