//go:build unix

package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/plugin"
)

// TestThreeWays: in this program, through memory, and in another process, things give the same bits.
func TestThreeWays(t *testing.T) {
	leavesNothing(t)
	local := []any{linear.New(), linear.Pixels(), linalg.Ridge{}}
	loop, err := plugin.Loopback(local...)
	require.NoError(t, err)
	defer func() { assert.NoError(t, loop.Close()) }()
	p := openPlugin(t, executable(t))
	ctx, scope := core.WithScope(t.Context())
	defer func() { assert.NoError(t, scope.Close()) }()

	outputs := func(things []any) (all []any) {
		method, embedder, operator := things[0].(core.Method), things[1].(core.Embedder), things[2].(core.EvolutionOperator)
		all = append(all, method.Describe(), embedder.Describe(), operator.Describe())
		model, err := method.Fit(ctx, training(t, method.Describe()))
		require.NoError(t, err)
		y, err := model.Predict(ctx, ramp(t, rows))
		require.NoError(t, err)
		all = append(all, y, core.ReportOf(model))
		forecaster, ok := core.As[core.Forecaster](model)
		require.True(t, ok)
		for _, steps := range []int{1, 3} {
			ahead, err := forecaster.Forecast(ctx, ramp(t, rows), steps)
			require.NoError(t, err)
			all = append(all, ahead)
		}
		_, err = forecaster.Forecast(ctx, ramp(t, rows), 0)
		require.ErrorIs(t, err, core.ErrOption)
		if s, ok := core.As[core.Spectral](model); ok {
			values, err := s.LeftEigenfunctions(ctx, ramp(t, rows))
			require.NoError(t, err)
			all = append(all, s.Eigenvalues(), values)
		}
		embedding, err := embedder.Fit(ctx, training(t, embedder.Describe()))
		require.NoError(t, err)
		z, err := embedding.Embed(ctx, ramp(t, rows))
		require.NoError(t, err)
		all = append(all, embedding.Dim(), z)
		options, err := operator.Describe().Resolve(nil)
		require.NoError(t, err)
		fitted, err := operator.Fit(ctx,
			&core.OperatorTraining{Features: z, Observable: mat.DenseCopyOf(z), Lag: 1, Options: options})
		require.NoError(t, err)
		next, err := fitted.Predict(ctx, z, 3)
		require.NoError(t, err)
		observable, err := fitted.PredictObservable(ctx, z, 3)
		require.NoError(t, err)
		return append(all, fitted.Rank(), next, observable)
	}
	want := outputs(local)
	assert.Equal(t, want, outputs(loop.Things))
	assert.Equal(t, want, outputs(p.Things))
}

func TestLoopback(t *testing.T) {
	for _, bad := range [][]any{nil, {"a string"}, {faultyMethod{}, faultyMethod{}}, {misnamed{}}} {
		l, err := plugin.Loopback(bad...)
		assert.Nil(t, l)
		assert.Error(t, err)
	}
	before := runtime.NumGoroutine()
	l, err := plugin.Loopback(things()...)
	require.NoError(t, err)
	model, err := fitMethod(t.Context(), t, l.Things)
	require.NoError(t, err)
	for _, use := range []use{useMethod, useEmbedder, useOperator, useLoss, useOracle} {
		assert.NoError(t, use(t.Context(), t, l.Things))
	}
	require.NoError(t, l.Close())
	_, err = model.Predict(t.Context(), ramp(t, rows))
	assert.ErrorIs(t, err, core.ErrCrashed)
	for deadline := time.Now().Add(hangs); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// punctual is a method that tells how long it has.
type punctual struct{ faultyMethod }

func (punctual) Fit(ctx context.Context, _ *core.Training) (core.Model, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, errors.New("there is no deadline")
	}
	return nil, fmt.Errorf("%w: %d minutes are left", core.ErrUnavailable, int(time.Until(deadline).Minutes()))
}

// TestDeadlineTravels: the time limit of a run is one of the call in the plugin.
func TestDeadlineTravels(t *testing.T) {
	l, err := plugin.Loopback(punctual{})
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()
	_, err = fitMethod(t.Context(), t, l.Things)
	require.EqualError(t, err, "there is no deadline")
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Minute)
	defer cancel()
	_, err = fitMethod(ctx, t, l.Things)
	assert.ErrorContains(t, err, "89 minutes are left")
}

// seeing keeps what a fit saw.
type seeing struct {
	faultyMethod
	saw *core.Training
}

func (s seeing) Describe() core.Description {
	d := described("seeing")
	d.Exposure = core.LabelExposed
	return d
}

func (s seeing) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	*s.saw = *t
	return s.faultyMethod.Fit(ctx, t)
}

type seeingOperator struct {
	faultyOperator
	saw *core.OperatorTraining
}

func (s seeingOperator) Fit(ctx context.Context, t *core.OperatorTraining) (core.Operator, error) {
	*s.saw = *t
	return s.faultyOperator.Fit(ctx, t)
}

// TestTrajectoriesTravel: a fit in a plugin sees the trajectories that were given, be they of
// pixels or not, and their labels.
func TestTrajectoriesTravel(t *testing.T) {
	var saw core.Training
	var sawOperator core.OperatorTraining
	l, err := plugin.Loopback(seeing{saw: &saw}, seeingOperator{saw: &sawOperator})
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()
	pixels, err := core.NewPixelSnapshots(make([]uint8, 8), 2, 2)
	require.NoError(t, err)
	m := l.Things[0].(core.Method)
	tr := training(t, m.Describe())
	x := tr.Train.At(0)
	for _, parts := range [][]core.Snapshots{
		{x}, {x.Slice(0, 4), x.Slice(4, x.Len())}, {pixels, pixels.Slice(0, 1), pixels}, {x, pixels},
	} {
		tr.Train, err = core.NewTrajectories(parts...)
		require.NoError(t, err)
		tr.TrainLabels, tr.ValidationLabels = make([]int, tr.Train.Len()), make([]int, tr.Validation.Len())
		tr.TrainLabels[tr.Train.Len()-1] = 1
		_, err = m.Fit(t.Context(), tr)
		require.NoError(t, err)
		assert.Equal(t, tr.Train.Lengths(), saw.Train.Lengths())
		assert.Equal(t, tr.Train.Snapshots(), saw.Train.Snapshots())
		assert.Equal(t, tr.Validation, saw.Validation)
		assert.Equal(t, tr.TrainLabels, saw.TrainLabels)
	}
	o := l.Things[1].(core.EvolutionOperator)
	for _, lengths := range [][]int{nil, {5, 3}} {
		_, err = o.Fit(t.Context(), &core.OperatorTraining{
			Features: mat.NewDense(8, 2, nil), Observable: mat.NewDense(8, 1, nil), Lag: 2, Lengths: lengths,
		})
		require.NoError(t, err)
		assert.Equal(t, lengths, sawOperator.Lengths)
	}
}

type misnamed struct{ faultyMethod }

func (misnamed) Describe() core.Description { return described("Bad Name") }

// exposed is a method that sees the oracle's encoder, in the fit and after it.
type exposed struct{}

func (exposed) Describe() core.Description {
	d := described("exposed")
	d.Exposure = core.OracleExposed
	return d
}

func (exposed) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	if _, err := t.OracleEmbedding.Embed(ctx, t.Train.Snapshots()); err != nil {
		return nil, err
	}
	return core.ModelFunc(func(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
		z, err := t.OracleEmbedding.Embed(ctx, x)
		if err != nil {
			return core.Snapshots{}, err
		}
		return core.SnapshotsFromMatrix(z, x.Shape()...)
	}), nil
}

// encoder stands for the oracle's: it gives what it is told to.
type encoder struct {
	dim int
	do  func(x core.Snapshots) (*mat.Dense, error)
}

func (e encoder) Dim() int { return e.dim }

func (e encoder) Embed(_ context.Context, x core.Snapshots) (*mat.Dense, error) { return e.do(x) }

// TestOracleCallbacks: questions for the oracle's features are answered on the call, errors of the
// oracle keep their kind, and calls at once take turns.
func TestOracleCallbacks(t *testing.T) {
	l, err := plugin.Loopback(exposed{})
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()
	m := l.Things[0].(core.Method)
	tr := training(t, m.Describe())
	whole := func(x core.Snapshots) (*mat.Dense, error) { return x.Matrix(), nil }
	tr.OracleEmbedding = encoder{4, whole}
	model, err := m.Fit(t.Context(), tr)
	require.NoError(t, err)
	done := make(chan error, 8)
	for range cap(done) {
		go func() {
			y, err := model.Predict(t.Context(), ramp(t, rows))
			if err == nil {
				assert.Equal(t, ramp(t, rows), y)
			}
			done <- err
		}()
	}
	for range cap(done) {
		assert.NoError(t, <-done)
	}

	for _, c := range []struct {
		oracle encoder
		kind   error
	}{
		{encoder{4, func(core.Snapshots) (*mat.Dense, error) { return nil, core.ErrUnavailable }}, core.ErrUnavailable},
		{encoder{4, func(x core.Snapshots) (*mat.Dense, error) { return mat.NewDense(x.Len()+1, 4, nil), nil }},
			core.ErrContract},
		{encoder{5, whole}, core.ErrContract},
	} {
		tr.OracleEmbedding = c.oracle
		_, err := m.Fit(t.Context(), tr)
		assert.ErrorIs(t, err, c.kind)
	}
}

// counting is a method that reports numbers.
type counting struct {
	total, done, epoch int
	report             core.Report
}

func (counting) Describe() core.Description { return described("counting") }

func (c counting) Fit(_ context.Context, t *core.Training) (core.Model, error) {
	t.Progress.Phase("training", c.total)
	t.Progress.Advance(c.done)
	t.Progress.Epoch(core.Epoch{Number: c.epoch, Train: 1, Validation: 1})
	return c, nil
}

func (counting) Predict(_ context.Context, x core.Snapshots) (core.Snapshots, error) { return x, nil }

func (c counting) Report() core.Report { return c.report }

// TestCountsThroughThePlugin: a count comes through whole, or not at all.
func TestCountsThroughThePlugin(t *testing.T) {
	const large, tooLarge = 1 << 53, 1<<53 + 1
	fitted := func(c counting) (core.Model, error) {
		l, err := plugin.Loopback(c)
		require.NoError(t, err)
		defer func() { assert.NoError(t, l.Close()) }()
		return fitMethod(t.Context(), t, l.Things)
	}
	report := core.Report{
		Rank: 3_000_000_000, Parameters: large, History: []core.Epoch{{Number: 1 << 31, Train: 1, Validation: 1}},
	}
	model, err := fitted(counting{large, large, large, report})
	require.NoError(t, err)
	assert.Equal(t, report, core.ReportOf(model))
	for text, c := range map[string]counting{
		`a total of the phase "training" of -1;`:                {total: -1},
		"a progress of -2;":                                     {done: -2},
		"a number of an epoch of 9007199254740993;":             {epoch: tooLarge},
		"the number of parameters is -3;":                       {report: core.Report{Parameters: -3}},
		"the rank is 9007199254740993; it must be in 0 … 90071": {report: core.Report{Rank: tooLarge}},
	} {
		_, err := fitted(c)
		require.ErrorIs(t, err, core.ErrContract, text)
		assert.ErrorContains(t, err, text)
	}
}

// wordy is a method whose report is as large as one may be.
type wordy struct{ faultyMethod }

func (wordy) Fit(context.Context, *core.Training) (core.Model, error) {
	return wordyModel{}, nil
}

type wordyModel struct{ faultyModel }

func (wordyModel) Report() core.Report {
	sentence := strings.Repeat("a", core.MaxSentence)
	r := core.Report{Untrained: sentence}
	r.Warnings, r.History = make([]string, core.MaxWarnings), make([]core.Epoch, core.MaxHistory)
	for i := range r.Warnings {
		r.Warnings[i] = sentence
	}
	for i := range r.History {
		r.History[i] = core.Epoch{Number: math.MaxInt32 - core.MaxHistory + i + 1, Train: 1, Validation: 2}
	}
	return r
}

// TestLargestReport: it has room in a message.
func TestLargestReport(t *testing.T) {
	l, err := plugin.Loopback(wordy{})
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()
	model, err := fitMethod(t.Context(), t, l.Things)
	require.NoError(t, err)
	got, want := core.ReportOf(model), wordyModel{}.Report()
	assert.Equal(t, want.Warnings, got.Warnings)
	require.Len(t, got.History, core.MaxHistory)
	assert.Equal(t, want.History[core.MaxHistory-1], got.History[core.MaxHistory-1])
}
