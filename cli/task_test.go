package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/lorenz"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
)

// lorenzConfig is a program with a task of its own: a registration is all it takes.
func lorenzConfig() Config {
	config := newFakes().config()
	config.Registry = func(rt *nn.Runtime) (*registry.Registry, error) {
		f := newFakes()
		f.extra = []core.Method{linear.New()}
		r, err := f.registry(rt)
		if err != nil {
			return nil, err
		}
		return r, r.Tasks.Add(lorenz.Task{})
	}
	return config
}

// TestATaskOfAnotherKind: every command takes a task that has neither images nor states, and says what it is judged by.
func TestATaskOfAnotherKind(t *testing.T) {
	t.Chdir(t.TempDir())
	config := lorenzConfig()
	does := func(args ...string) output {
		got := call(t.Context(), config, args...)
		require.Zero(t, got.status, "%v\n%s", args, got.stderr)
		return got
	}
	assert.Contains(t, does("list").stdout, "lorenz")
	assert.Contains(t, does("info", "lorenz").stdout, "data_seed")
	run := []string{"run", "--task", "lorenz?data_seed=7", "--steps", "4", "--methods", "linear,template", "--seeds",
		"0..2"}
	got := does(append(run, "--out", "whole")...)
	assert.Contains(t, got.stdout, "squared-distance")
	assert.NotContains(t, got.stdout, "accuracy")
	assert.NotContains(t, got.stdout, "oracle")
	csv, err := os.ReadFile(filepath.Join("whole", "results.csv"))
	require.NoError(t, err)
	assert.Contains(t, string(csv), "method,seed,protocol,step,squared-distance,trained,")
	for _, shard := range []string{"1/2", "2/2"} {
		does(append(run, "--out", "parts", "--shard", shard)...)
	}
	does("merge", "--out", "parts", "parts")
	assert.Equal(t, resultsIn(t, "whole").Runs, resultsIn(t, "parts").Runs)
	does("report", "whole")
	assert.Contains(t, does("verify", "whole").stdout,
		"linear, seed 2: the same predictions at all steps, by reencode and powers")
	assert.Contains(t, does("compare", "whole", "parts").stdout, "squared-distance")
	does("run", "--config", filepath.Join("whole", "config.yaml"))

	for _, c := range []struct{ task, says string }{
		{"lorentz", `--task: unknown name: there is no task "lorentz"; did you mean "lorenz"?`},
		{"lorenz?data_sed=1", `did you mean "data_seed"?`},
		{"lorenz?steps=21", "steps"},
	} {
		got := call(t.Context(), config, "run", "--task", c.task, "--methods", "linear", "--out", "none")
		assert.Equal(t, exitUsage, got.status)
		assert.Contains(t, got.stderr, c.says)
		assert.NoDirExists(t, "none")
	}
	bad := call(t.Context(), config, "run", "--task", "lorenz", "--split", "1,1,1")
	assert.Equal(t, exitUsage, bad.status)
	assert.Contains(t, bad.stderr, `--split: the task lorenz has no option "split"; it has steps, data_seed`)
}
