package cli

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
	"github.com/koopbench/koopbench/tasks"
	"github.com/koopbench/koopbench/tasks/trajectory"
)

// TestRunProcesses: every built-in task but the usual one goes through a run, with the short forms of its options.
func TestRunProcesses(t *testing.T) {
	withLinear := func(*nn.Runtime) (*registry.Registry, error) {
		r, err := newFakes().registry(nil)
		return r, errors.Join(err, r.Methods.Add(linear.New()))
	}
	builtIn := registry.New()
	require.NoError(t, tasks.AddTo(builtIn))
	for _, name := range builtIn.Tasks.Names() {
		if name == tasks.Default || name == trajectory.Name { // it takes files
			continue
		}
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "results")
			got := call(t.Context(), Config{Registry: withLinear}, "run", "--task", name, "--methods", "linear",
				"--split", "300,100,150", "--steps", "4", "--lag", "2", "--out", out)
			require.Zero(t, got.status, got.stderr)
			assert.FileExists(t, filepath.Join(out, "report.html"))
			r, err := results.OpenStore(out).Results()
			require.NoError(t, err)
			assert.Equal(t, []int{300, 100, 150}, []int{r.Task.Train, r.Task.Validation, r.Task.Test})
			assert.Equal(t, []int{4, 2}, []int{r.Task.Steps, r.Task.Lag})
			require.Len(t, r.Runs, 1)
			assert.Equal(t, results.StatusOK, r.Runs[0].Status, r.Runs[0].Reason)
		})
	}
}
