package compose_test

import (
	"context"
	"errors"
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

// TestFeaturesByBlocks: large snapshots are embedded a few at a time, and features and observable
// of several trajectories are those of one sequence cut up.
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

// wide is an embedder of one value into many, which remembers the most snapshots that it was given
// at once, and how many in all. It fails after so many, unless that is 0.
type wide struct{ most, all, until *int }

const width = 64

var errWide = errors.New("no more")

func (wide) Describe() core.Description {
	return core.Description{Name: "wide", Summary: "powers and products"}
}

func (w wide) Fit(context.Context, *core.Training) (core.Embedding, error) { return w, nil }

func (wide) Dim() int { return width }

func (w wide) Embed(_ context.Context, x core.Snapshots) (*mat.Dense, error) {
	*w.most, *w.all = max(*w.most, x.Len()), *w.all+x.Len()
	if *w.until > 0 && *w.all > *w.until {
		return nil, errWide
	}
	z := mat.NewDense(x.Len(), width, nil)
	for i, v := range x.Floats() {
		for j := range width {
			z.Set(i, j, float64(int(v)*(j+3)%101)/101)
		}
	}
	return z, nil
}

// TestManyFeatures: features that would take much memory are computed as they are read, and the fit
// is that of features in memory. An error of the embedding stays what it is.
func TestManyFeatures(t *testing.T) {
	const n = 1<<24/width + 1000
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i * i % 1009)
	}
	x, err := core.NewSnapshots(values, 1)
	require.NoError(t, err)
	most, all, until := 0, 0, 0
	m := compose.New(wide{&most, &all, &until}, linalg.Ridge{}, nil)
	options, err := m.Describe().Resolve(nil)
	require.NoError(t, err)
	tr := &core.Training{
		Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x), Lag: 1, States: 3, Options: options, Name: "wide",
		Progress: core.NoProgress,
	}
	fitted, err := m.Fit(t.Context(), tr)
	require.NoError(t, err)
	assert.Less(t, most, n/4)
	assert.Greater(t, all, n, "they are computed more than once")
	got, err := fitted.Predict(t.Context(), x.Slice(0, 5))
	require.NoError(t, err)

	features, err := wide{&most, &all, &until}.Embed(t.Context(), x)
	require.NoError(t, err)
	ridge, err := linalg.FitRidge(t.Context(), features, x.View(), 1,
		&linalg.RidgeOptions{Precision: compose.Float32, Rank: 3})
	require.NoError(t, err)
	want, err := ridge.PredictObservable(features.Slice(0, 5, 0, width), 1)
	require.NoError(t, err)
	for i, v := range got.Floats() {
		assert.InDelta(t, want.At(i, 0), v, 1e-2)
	}

	until = all + n/2
	_, err = m.Fit(t.Context(), tr)
	require.ErrorIs(t, err, errWide)
	require.NotErrorIs(t, err, core.ErrPanic)
}
