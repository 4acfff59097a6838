package benchmark_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// savableMethod and savableOracle are those of the tests with the ability to be saved. What is
// saved is by how much a model moves.
type savableMethod struct {
	*method
	by int64
}

func (m savableMethod) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	fitted, err := m.method.Fit(ctx, t)
	return savedModel{fitted, m.by}, err
}

func (m savableMethod) Load(_ context.Context, s *core.Saved) (core.Model, error) {
	by, _, err := core.StateValues[int64](&s.State, "by", 1)
	if err != nil {
		return nil, err
	}
	return savedModel{core.ModelFunc(moved(int(by[0]))), by[0]}, nil
}

type savedModel struct {
	core.Model
	by int64
}

func (m savedModel) Save(context.Context) (*core.State, error) {
	return &core.State{Arrays: map[string]core.Array{"by": {Shape: []int{1}, Values: []int64{m.by}}}}, nil
}

type savableOracle struct{ *oracle }

func (o savableOracle) Fit(ctx context.Context, t *core.Training) (core.Judge, error) {
	fitted, err := o.oracle.Fit(ctx, t)
	return savedJudge{fitted}, err
}

func (o savableOracle) Load(context.Context, *core.Saved) (core.Judge, error) {
	return savedJudge{judge{o.wrong}}, nil
}

type savedJudge struct{ core.Judge }

func (savedJudge) Save(context.Context) (*core.State, error) {
	return &core.State{Facts: []byte(`{}`)}, nil
}

func savingPlan(t *testing.T, dir string, o *oracle, m *method) benchmark.Plan {
	p := plan(t, dir, o, m)
	p.Oracle.Oracle, p.Entries[0].Method = savableOracle{o}, savableMethod{m, 1}
	p.SaveModels, p.Seeds, p.Environment.Version = true, []int64{7}, "v1.2.3"
	return p
}

func TestSaveModels(t *testing.T) {
	dir, o, m := t.TempDir(), &oracle{}, perfect()
	p := savingPlan(t, dir, o, m)
	r, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	store := results.OpenStore(dir)
	path := store.ModelPath(r.Runs[0].Key)
	saved, err := results.ReadModel(path)
	require.NoError(t, err)
	task := p.Task.Info
	task.Options = map[string]any{"steps": 4.0} // as JSON has it
	assert.Equal(t, results.ModelInfo{
		Kind: results.ModelOfMethod, Name: "perfect", Method: "perfect", Key: r.Runs[0].Key, Seed: 7,
		Options: map[string]any{"epochs": 50.0},
		Oracle:  r.Oracle.Key, Task: task, Backend: "none", Version: "v1.2.3",
	}, saved.ModelInfo)
	model, err := saved.Load(t.Context(), p.Entries[0].Method, nil)
	require.NoError(t, err)
	var steps [][]float32
	require.NoError(t, benchmark.RollOut(t.Context(), model, results.ProtocolReencode, p.Task.Test.At(0).Slice(0, 1), 3,
		func(step int, x core.Snapshots) error {
			require.Equal(t, len(steps)+1, step)
			steps = append(steps, x.Floats())
			return nil
		}))
	assert.Equal(t, [][]float32{image(1), image(2), image(0)}, steps)
	_, err = saved.Load(t.Context(), m, nil)
	require.ErrorIs(t, err, core.ErrUnavailable, "a method that cannot load")
	_, err = saved.LoadJudge(t.Context(), p.Oracle.Oracle)
	require.ErrorIs(t, err, core.ErrUnavailable, "a model of the other kind")

	again, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.EqualValues(t, 1, m.fits.Load())
	assert.Equal(t, r.Runs[0].PredictionSHA256, again.Runs[0].PredictionSHA256)
	require.NoError(t, os.Remove(path))
	_, err = benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.EqualValues(t, 2, m.fits.Load(), "a run whose model is wanted and not there is made again")
	assert.FileExists(t, path)
}

// TestModelsThatCannotBeSaved: the run is as good as any, and says that it has no model.
func TestModelsThatCannotBeSaved(t *testing.T) {
	dir := t.TempDir()
	p := plan(t, dir, &oracle{}, perfect())
	p.SaveModels = true
	r, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, results.StatusOK, r.Runs[0].Status)
	assert.Equal(t, []string{"careful", "the model was not saved: the method perfect does not have that ability"},
		r.Runs[0].Warnings)
	files, err := filepath.Glob(filepath.Join(dir, "runs", "*.model.npz"))
	require.NoError(t, err)
	assert.Empty(t, files)
}

// TestOracleIsTakenFromTheFolder: the next command does not fit it again, unless its file cannot be used.
func TestOracleIsTakenFromTheFolder(t *testing.T) {
	dir, o, m := t.TempDir(), &oracle{}, perfect()
	p := savingPlan(t, dir, o, m)
	first, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	p.Seeds = []int64{7, 8}
	second, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.EqualValues(t, 1, o.fits.Load())
	assert.JSONEq(t, asJSON(t, first.Oracle), asJSON(t, second.Oracle))
	assert.Equal(t, 1.0, second.Runs[1].Ranked.Score[0])

	path := results.OpenStore(dir).OraclePath(first.Oracle.Key)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data[:len(data)-9], 0o644))
	p.Seeds = []int64{9}
	third, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.EqualValues(t, 2, o.fits.Load())
	require.Len(t, third.Oracle.Warnings, 1)
	assert.Contains(t, third.Oracle.Warnings[0],
		"the oracle was fitted again, because its file was not used: not readable as a model")
	mended, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, data, mended)
}

func TestForeignModels(t *testing.T) {
	dir := t.TempDir()
	p := savingPlan(t, dir, &oracle{}, perfect())
	r, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	store := results.OpenStore(dir)
	whole, err := os.ReadFile(store.ModelPath(r.Runs[0].Key))
	require.NoError(t, err)
	arrays, err := os.ReadFile(filepath.Join(dir, "data.npz"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"torn":            {whole[:len(whole)/2], "incomplete, changed or not of this kind"},
		"changed":         {bytes.Replace(whole, []byte(`"seed":7`), []byte(`"seed":8`), 1), "checksum"},
		"other version":   {bytes.Replace(whole, []byte("koopbench.model/1"), []byte("koopbench.model/9"), 1), "checksum"},
		"another archive": {arrays, "is compressed"},
	} {
		path := filepath.Join(t.TempDir(), "model.npz")
		require.NoError(t, os.WriteFile(path, c.content, 0o644))
		_, err := results.ReadModel(path)
		require.ErrorIs(t, err, results.ErrModel, name)
		assert.ErrorContains(t, err, path, name)
		assert.ErrorContains(t, err, c.says, name)
	}
	saved, err := results.ReadModel(filepath.Join("results", "testdata", "model.npz"))
	require.NoError(t, err)
	saved.Oracle = "x/../../secret"
	path := filepath.Join(t.TempDir(), "model.npz")
	require.NoError(t, saved.Write(path))
	_, err = results.ReadModel(path)
	require.ErrorIs(t, err, results.ErrModel)
	require.ErrorContains(t, err, `the key of its oracle, "x/../../secret", is not a file name`)
	_, err = results.ReadModel(filepath.Join(dir, "none.npz"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

var update = flag.Bool("update", false, "write testdata anew")

// TestModelOfVersion1: files of this version of the format are read for as long as it has this number.
func TestModelOfVersion1(t *testing.T) {
	path := filepath.Join("results", "testdata", "model.npz")
	want := &results.SavedModel{
		ModelInfo: results.ModelInfo{
			Kind: results.ModelOfMethod, Name: "linear", Method: "linear?rank=2", Key: "linear-s0-0123456789abcdef", Seed: -3,
			Options: map[string]any{"rank": 2.0, "center": false}, Oracle: "fedcba9876543210", Backend: "cpu:kernels=avx2",
			Version: "v0.1.0",
			Task: results.TaskInfo{Name: "ordered-mnist", States: 5, Shape: []int{2, 2}, Train: 30, Validation: 10, Test: 10,
				Lag: 1, Steps: 15},
		},
		State: &core.State{Facts: []byte(`{"shape":[2,2]}`), Arrays: map[string]core.Array{
			"embedding/mean":  {Shape: []int{4}, Values: []float64{0, 0.5, -1, 1e-300}},
			"operator/basis":  {Shape: []int{2, 2}, Values: []float32{1, 2, 3, 4}},
			"operator/counts": {Shape: []int{1}, Values: []int64{-1 << 62}},
			"operator/bytes":  {Shape: []int{0}, Values: []uint8{}},
		}},
	}
	if *update {
		require.NoError(t, want.Write(path))
	}
	got, err := results.ReadModel(path)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}
