package cli

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
)

// cutter makes the file of the data shorter before it reads them.
type cutter struct{ path string }

func (cutter) Describe() core.Description {
	return core.Description{Name: "cutter", Summary: "makes the data shorter"}
}

func (c cutter) Fit(_ context.Context, t *core.Training) (core.Model, error) {
	if err := os.Truncate(c.path, 1000); err != nil {
		return nil, err
	}
	t.Train.Matrix()
	return nil, errors.New("it has read what is not there")
}

// TestDataCutInARun: data that somebody makes shorter fail the run that reads them, and not the program.
func TestDataCutInARun(t *testing.T) {
	t.Chdir(t.TempDir())
	const rows, columns = 1000, 1000
	file, err := os.Create("runs.npz")
	require.NoError(t, err)
	values := make([]float32, rows*columns)
	for i := range values {
		values[i] = float32(i % 7)
	}
	require.NoError(t, npz.WritePlain(file, npz.Archive{"x": {Shape: []int{rows, columns}, Values: values}}, ""))
	require.NoError(t, file.Close())
	config := newFakes().config()
	config.Registry = func(rt *nn.Runtime) (*registry.Registry, error) {
		f := newFakes()
		f.extra = []core.Method{cutter{"runs.npz"}, linear.New()}
		return f.registry(rt)
	}
	got := call(t.Context(), config, "run", "--data", "runs.npz", "--methods", "cutter", "--out", "out")
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, "runs.npz: it was made shorter or replaced while it was used")
	assert.NotContains(t, got.stdout+got.stderr, "internal failure")
	require.Len(t, resultsIn(t, "out").Runs, 1)
}
