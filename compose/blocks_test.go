package compose_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

// counting is an embedder of two values of a snapshot, which remembers the most snapshots that it was given at once.
type counting struct{ most *int }

func (counting) Describe() core.Description {
	return core.Description{Name: "counting", Summary: "two of the values"}
}

func (c counting) Fit(context.Context, *core.Training) (core.Embedding, error) { return c, nil }

func (counting) Dim() int { return 2 }

func (c counting) Embed(_ context.Context, x core.Snapshots) (*mat.Dense, error) {
	if x.Len() == 0 {
		return &mat.Dense{}, nil
	}
	*c.most = max(*c.most, x.Len())
	z, row := mat.NewDense(x.Len(), 2, nil), make([]float32, x.Size())
	for i := range x.Len() {
		x.Read(row, i)
		z.SetRow(i, []float64{float64(row[0]), float64(row[1])})
	}
	return z, nil
}

// TestFeaturesByBlocks: large snapshots are embedded a few at a time, and features and observable of several trajectories
// are those of one sequence cut up.
func TestFeaturesByBlocks(t *testing.T) {
	const size, n = 1 << 19, 10
	values := make([]float32, n*size)
	for i := range n {
		values[i*size], values[i*size+1] = float32(i%3), float32(i*i%7)
	}
	x, err := core.NewSnapshots(values, size)
	require.NoError(t, err)
	cut, err := core.CutTrajectories(x, []int{3, 2, 5})
	require.NoError(t, err)

	most := 0
	m := compose.New(counting{&most}, linalg.Ridge{}, nil)
	options, err := m.Describe().Resolve(nil)
	require.NoError(t, err)
	tr := &core.Training{
		Train: cut, Validation: core.OneTrajectory(x), Lag: 1, States: 2, Options: options, Name: "blocks",
		Progress: core.NoProgress,
	}
	fitted, err := m.Fit(t.Context(), tr)
	require.NoError(t, err)
	assert.Equal(t, 4, most)

	features, err := counting{&most}.Embed(t.Context(), x)
	require.NoError(t, err)
	ridge, err := linalg.FitRidge(t.Context(), features, x.View(), 1, &linalg.RidgeOptions{
		Precision: compose.Float32, Lengths: cut.Lengths(),
	})
	require.NoError(t, err)
	want, err := ridge.PredictObservable(features.Slice(0, 1, 0, 2), 1)
	require.NoError(t, err)
	got, err := fitted.Predict(t.Context(), x.Slice(0, 1))
	require.NoError(t, err)
	one, err := core.SnapshotsFromMatrix(want, size)
	require.NoError(t, err)
	assert.Equal(t, one.Floats(), got.Floats())
}
