package core_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// The things below give what they are told to, and check nothing.

type careless struct {
	core.Description
	snapshots core.Snapshots
	matrix    *mat.Dense
	labels    []int
	loss      core.LossValue
	calls     int
}

func (c *careless) Describe() core.Description { return c.Description }

type carelessMethod struct{ *careless }

func (m carelessMethod) Fit(context.Context, *core.Training) (core.Model, error) {
	m.calls++
	return m, nil
}

func (m carelessMethod) Load(context.Context, *core.Saved) (core.Model, error) { return m, nil }

func (m carelessMethod) Predict(context.Context, core.Snapshots) (core.Snapshots, error) {
	m.calls++
	return m.snapshots, nil
}

func (m carelessMethod) Forecast(context.Context, core.Snapshots, int) (core.Snapshots, error) {
	m.calls++
	return m.snapshots, nil
}

func (m carelessMethod) Report() core.Report { return core.Report{Rank: 3} }

type carelessEmbedder struct{ *careless }

func (e carelessEmbedder) Fit(context.Context, *core.Training) (core.Embedding, error) {
	return carelessEmbedding(e), nil
}

type carelessEmbedding struct{ *careless }

func (carelessEmbedding) Dim() int { return 2 }

func (e carelessEmbedding) Embed(context.Context, core.Snapshots) (*mat.Dense, error) {
	e.calls++
	return e.matrix, nil
}

func (e carelessEmbedding) Decode(context.Context, mat.Matrix) (core.Snapshots, error) {
	e.calls++
	return e.snapshots, nil
}

type carelessOracle struct{ *careless }

func (o carelessOracle) Fit(context.Context, *core.Training) (core.Judge, error) {
	return carelessJudge(o), nil
}

func (o carelessOracle) Load(context.Context, *core.Saved) (core.Judge, error) {
	return carelessJudge(o), nil
}

type carelessJudge struct{ *careless }

func (j carelessJudge) Classify(context.Context, core.Snapshots) ([]int, error) {
	j.calls++
	return j.labels, nil
}

func (j carelessJudge) Encoder() core.Embedding { return carelessEmbedding(j) }

type carelessOperator struct{ *careless }

func (o carelessOperator) Fit(context.Context, *core.OperatorTraining) (core.Operator, error) {
	return carelessEvolution(o), nil
}

type carelessEvolution struct{ *careless }

func (carelessEvolution) Rank() int { return 1 }

func (o carelessEvolution) Predict(context.Context, mat.Matrix, int) (*mat.Dense, error) {
	o.calls++
	return o.matrix, nil
}

func (o carelessEvolution) PredictObservable(context.Context, mat.Matrix, int) (*mat.Dense, error) {
	o.calls++
	return o.matrix, nil
}

type carelessLoss struct{ *careless }

func (l carelessLoss) Evaluate(context.Context, mat.Matrix, mat.Matrix, core.Options) (core.LossValue, error) {
	l.calls++
	return l.loss, nil
}

// nothing is fitted to nothing.
type nothing struct{ core.Description }

func (n nothing) Describe() core.Description { return n.Description }

func (nothing) Fit(context.Context, *core.Training) (core.Model, error) {
	var none core.ModelFunc
	return none, nil
}

// snapshots returns n snapshots of that shape.
func snapshots(t *testing.T, n int, shape ...int) core.Snapshots {
	t.Helper()
	size := n
	for _, d := range shape {
		size *= d
	}
	x, err := core.NewSnapshots(make([]float32, size), shape...)
	require.NoError(t, err)
	return x
}

func guardedTraining(t *testing.T) *core.Training {
	return &core.Training{Train: core.OneTrajectory(snapshots(t, 4, 2, 3)),
		Validation: core.OneTrajectory(snapshots(t, 3, 2, 3)), Lag: 1, States: 3, Progress: core.NoProgress}
}

// broken are matrices that a call for 2×2 must not return.
func broken() map[string]*mat.Dense {
	return map[string]*mat.Dense{
		"neither a result nor an error": nil, "a matrix of 3×2; it must be 2×2": mat.NewDense(3, 2, nil),
		"a matrix of 2×1; it must be 2×2": mat.NewDense(2, 1, nil), "row 1, column 0": mat.NewDense(2, 2,
			[]float64{0, 0, math.Inf(1), 0}),
	}
}

func TestGuardOfAMethod(t *testing.T) {
	c := &careless{}
	m := core.Guard(carelessMethod{c}).(core.Method)
	ctx, ended := t.Context(), endedContext(t)

	_, err := m.Fit(ended, guardedTraining(t))
	require.ErrorIs(t, err, context.Canceled)
	short := guardedTraining(t)
	short.Lag = 4
	_, err = m.Fit(ctx, short)
	require.ErrorIs(t, err, core.ErrTooShort)
	assert.Zero(t, c.calls)

	model, err := m.Fit(ctx, guardedTraining(t))
	require.NoError(t, err)
	forecaster, ok := core.As[core.Forecaster](model)
	require.True(t, ok)
	c.calls = 0
	for name, predict := range map[string]func(context.Context, core.Snapshots) (core.Snapshots, error){
		"Predict": model.Predict,
		"Forecast": func(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
			return forecaster.Forecast(ctx, x, 2)
		},
	} {
		_, err = predict(ctx, snapshots(t, 1, 6))
		require.ErrorIs(t, err, core.ErrShape)
		assert.ErrorContains(t, err, "snapshots of shape [6]; those of the fit had shape [2 3]")
		_, err = predict(ended, snapshots(t, 1, 2, 3))
		require.ErrorIs(t, err, context.Canceled)
		none, err := predict(ctx, core.Snapshots{})
		require.NoError(t, err)
		assert.Equal(t, []int{2, 3}, none.Shape())
		assert.Zero(t, none.Len()+c.calls, "answered without a call")

		for says, wrong := range map[string]core.Snapshots{
			"returned 2 snapshots of shape [2 3]; there must be 1 of shape [2 3]": snapshots(t, 2, 2, 3),
			"returned 1 snapshots of shape [3 2]; there must be 1 of shape [2 3]": snapshots(t, 1, 3, 2),
			"returned 0 snapshots of shape []":                                    {},
		} {
			c.snapshots = wrong
			_, err = predict(ctx, snapshots(t, 1, 2, 3))
			require.ErrorIs(t, err, core.ErrContract)
			assert.ErrorContains(t, err, name+" "+says)
		}
		c.snapshots, c.calls = snapshots(t, 1, 2, 3), 0
		next, err := predict(ctx, snapshots(t, 1, 2, 3))
		require.NoError(t, err)
		assert.Equal(t, c.snapshots, next)
		assert.Equal(t, 1, c.calls)
		c.calls = 0
	}
	_, err = forecaster.Forecast(ctx, snapshots(t, 1, 2, 3), 0)
	require.ErrorIs(t, err, core.ErrOption)
	assert.ErrorContains(t, err, "0 steps")

	_, err = core.Guard(nothing{}).(core.Method).Fit(ctx, guardedTraining(t))
	require.ErrorIs(t, err, core.ErrContract)
	assert.ErrorContains(t, err, "Fit returned neither a result nor an error")
}

// TestGuardOfWhatWasLoaded: its shape is not known, and the rest is held.
func TestGuardOfWhatWasLoaded(t *testing.T) {
	c := &careless{snapshots: snapshots(t, 1, 2)}
	loader, ok := core.As[core.ModelLoader](core.Guard(carelessMethod{c}))
	require.True(t, ok)
	model, err := loader.Load(t.Context(), &core.Saved{})
	require.NoError(t, err)
	_, err = model.Predict(t.Context(), snapshots(t, 1, 2))
	require.NoError(t, err)
	_, err = model.Predict(t.Context(), snapshots(t, 1, 3))
	require.ErrorIs(t, err, core.ErrContract)
	c.calls = 0
	none, err := model.Predict(t.Context(), snapshots(t, 0, 3))
	require.NoError(t, err)
	assert.Equal(t, []int{0, 3, 0}, append([]int{none.Len()}, append(none.Shape(), c.calls)...))

	judges, ok := core.As[core.JudgeLoader](core.Guard(carelessOracle{c}))
	require.True(t, ok)
	judge, err := judges.Load(t.Context(), &core.Saved{})
	require.NoError(t, err)
	c.labels = []int{7}
	_, err = judge.Classify(t.Context(), snapshots(t, 1, 2))
	require.NoError(t, err)
	c.labels = []int{-1}
	_, err = judge.Classify(t.Context(), snapshots(t, 1, 2))
	require.ErrorIs(t, err, core.ErrContract)
}

func TestGuardOfAnEmbedder(t *testing.T) {
	c := &careless{}
	ctx, ended := t.Context(), endedContext(t)
	e, err := core.Guard(carelessEmbedder{c}).(core.Embedder).Fit(ctx, guardedTraining(t))
	require.NoError(t, err)
	_, err = e.Embed(ctx, snapshots(t, 1, 6))
	require.ErrorIs(t, err, core.ErrShape)
	_, err = e.Embed(ended, snapshots(t, 1, 2, 3))
	require.ErrorIs(t, err, context.Canceled)
	none, err := e.Embed(ctx, core.Snapshots{})
	require.NoError(t, err)
	assert.True(t, none.IsEmpty())
	assert.Zero(t, c.calls)
	for says, wrong := range broken() {
		c.matrix = wrong
		_, err = e.Embed(ctx, snapshots(t, 2, 2, 3))
		require.ErrorIs(t, err, core.ErrContract)
		assert.ErrorContains(t, err, says)
	}
	decoder, ok := core.As[core.Decoder](e)
	require.True(t, ok)
	c.calls = 0
	_, err = decoder.Decode(ctx, mat.NewDense(2, 3, nil))
	require.ErrorIs(t, err, core.ErrShape)
	assert.ErrorContains(t, err, "rows of 3 features; the embedding has 2")
	_, err = decoder.Decode(ended, mat.NewDense(2, 2, nil))
	require.ErrorIs(t, err, context.Canceled)
	x, err := decoder.Decode(ctx, &mat.Dense{})
	require.NoError(t, err)
	assert.Equal(t, []int{2, 3}, x.Shape())
	assert.Zero(t, c.calls)
	c.snapshots = snapshots(t, 1, 2, 3)
	_, err = decoder.Decode(ctx, mat.NewDense(2, 2, nil))
	require.ErrorIs(t, err, core.ErrContract)
}

func TestGuardOfAnOracle(t *testing.T) {
	c := &careless{}
	ctx := t.Context()
	j, err := core.Guard(carelessOracle{c}).(core.Oracle).Fit(ctx, guardedTraining(t))
	require.NoError(t, err)
	_, err = j.Classify(ctx, snapshots(t, 1, 6))
	require.ErrorIs(t, err, core.ErrShape)
	none, err := j.Classify(ctx, core.Snapshots{})
	require.NoError(t, err)
	assert.Empty(t, none)
	assert.NotNil(t, none)
	assert.Zero(t, c.calls)
	for says, wrong := range map[string][]int{
		"0 labels for 2 snapshots": nil, "3 labels for 2 snapshots": {0, 1, 2}, "label 3 of snapshot 1 is not in 0 … 2": {0,
			3},
	} {
		c.labels = wrong
		_, err = j.Classify(ctx, snapshots(t, 2, 2, 3))
		require.ErrorIs(t, err, core.ErrContract)
		assert.ErrorContains(t, err, says)
	}
	encoder, ok := core.As[core.Encoder](j)
	require.True(t, ok)
	_, err = encoder.Encoder().Embed(ctx, snapshots(t, 1, 6))
	require.ErrorIs(t, err, core.ErrShape)
}

func TestGuardOfAnOperator(t *testing.T) {
	c := &careless{}
	ctx, ended := t.Context(), endedContext(t)
	guarded := core.Guard(carelessOperator{c}).(core.EvolutionOperator)
	for want, training := range map[error]core.OperatorTraining{
		core.ErrShape:    {Lag: 1},
		core.ErrOption:   {Features: mat.NewDense(3, 2, nil)},
		core.ErrTooShort: {Features: mat.NewDense(3, 2, nil), Lag: 3},
	} {
		_, err := guarded.Fit(ctx, &training)
		require.ErrorIs(t, err, want)
	}
	_, err := guarded.Fit(ctx, &core.OperatorTraining{Features: mat.NewDense(3, 2, nil), Observable: mat.NewDense(2, 2,
		nil), Lag: 1})
	require.ErrorIs(t, err, core.ErrShape)
	training := &core.OperatorTraining{Features: mat.NewDense(3, 4, nil), Observable: mat.NewDense(3, 2, nil), Lag: 1}
	_, err = guarded.Fit(ended, training)
	require.ErrorIs(t, err, context.Canceled)
	o, err := guarded.Fit(ctx, training)
	require.NoError(t, err)

	for _, predict := range []func(context.Context, mat.Matrix, int) (*mat.Dense, error){o.Predict, o.PredictObservable} {
		_, err = predict(ctx, mat.NewDense(2, 4, nil), 0)
		require.ErrorIs(t, err, core.ErrOption)
		_, err = predict(ctx, mat.NewDense(2, 3, nil), 1)
		require.ErrorIs(t, err, core.ErrShape)
		assert.ErrorContains(t, err, "rows of 3 features; the operator was fitted to 4")
		_, err = predict(ended, mat.NewDense(2, 4, nil), 1)
		require.ErrorIs(t, err, context.Canceled)
		none, err := predict(ctx, &mat.Dense{}, 1)
		require.NoError(t, err)
		assert.True(t, none.IsEmpty())
	}
	assert.Zero(t, c.calls)
	for says, wrong := range broken() {
		c.matrix = wrong
		_, err = o.PredictObservable(ctx, mat.NewDense(2, 4, nil), 1)
		require.ErrorIs(t, err, core.ErrContract)
		assert.ErrorContains(t, err, says)
	}
	c.matrix = mat.NewDense(2, 2, nil)
	_, err = o.PredictObservable(ctx, mat.NewDense(2, 4, nil), 1)
	require.NoError(t, err)
	_, err = o.Predict(ctx, mat.NewDense(2, 4, nil), 1)
	require.ErrorIs(t, err, core.ErrContract, "2 columns for 4 features")

	training.Observable = nil
	o, err = guarded.Fit(ctx, training)
	require.NoError(t, err)
	_, err = o.PredictObservable(ctx, mat.NewDense(2, 4, nil), 1)
	require.ErrorIs(t, err, core.ErrUnavailable)
}

func TestGuardOfALoss(t *testing.T) {
	c := &careless{}
	ctx := t.Context()
	l := core.Guard(carelessLoss{c}).(core.Loss)
	x := mat.NewDense(2, 2, nil)
	var none *mat.Dense
	for _, views := range [][2]mat.Matrix{{nil, x}, {x, none}, {x, mat.NewDense(2, 1, nil)},
		{&mat.Dense{}, &mat.Dense{}}} {
		_, err := l.Evaluate(ctx, views[0], views[1], core.Options{})
		require.ErrorIs(t, err, core.ErrShape)
	}
	for _, views := range [][2]mat.Matrix{{mat.NewDense(1, 1, []float64{math.NaN()}), mat.NewDense(1, 1, nil)},
		{mat.NewDense(1, 1, nil), mat.NewDense(1, 1, []float64{math.Inf(-1)})}} {
		_, err := l.Evaluate(ctx, views[0], views[1], core.Options{})
		require.ErrorIs(t, err, core.ErrNonFinite)
	}
	_, err := l.Evaluate(endedContext(t), x, x, core.Options{})
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, c.calls)
	for says, wrong := range broken() {
		for _, value := range []core.LossValue{{GradX: wrong, GradY: x}, {GradX: x, GradY: wrong}} {
			c.loss = value
			_, err := l.Evaluate(ctx, x, x, core.Options{})
			require.ErrorIs(t, err, core.ErrContract)
			assert.ErrorContains(t, err, says)
		}
	}
	for _, value := range []core.LossValue{{Value: math.NaN(), GradX: x, GradY: x},
		{GradX: x, GradY: x, Warnings: make([]string, core.MaxWarnings+1)}} {
		c.loss = value
		_, err := l.Evaluate(ctx, x, x, core.Options{})
		require.ErrorIs(t, err, core.ErrContract)
	}
	c.loss = core.LossValue{Value: 1, GradX: x, GradY: x}
	value, err := l.Evaluate(ctx, x, x, core.Options{})
	require.NoError(t, err)
	assert.Equal(t, c.loss, value)
}

// TestGuardHidesNoAbility, and adds none.
func TestGuardHidesNoAbility(t *testing.T) {
	c := &careless{}
	m := core.Guard(carelessMethod{c}).(core.Method)
	assert.Equal(t, core.KindMethod, core.KindOf(m))
	assert.Same(t, m, core.Guard(m))
	_, loads := core.As[core.ModelLoader](m)
	assert.True(t, loads)
	model, err := m.Fit(t.Context(), guardedTraining(t))
	require.NoError(t, err)
	assert.Equal(t, 3, core.ReportOf(model).Rank)
	_, saves := core.As[core.Saver](model)
	assert.False(t, saves)

	bare := core.Guard(struct{ core.Method }{}).(core.Method)
	_, loads = core.As[core.ModelLoader](bare)
	assert.False(t, loads, "the guard's own methods are no abilities of the thing")
	denied := core.Guard(denying{carelessMethod{c}})
	_, loads = core.As[core.ModelLoader](denied)
	assert.False(t, loads)

	for _, thing := range []any{nil, 7} {
		assert.Equal(t, thing, core.Guard(thing))
	}
}

type denying struct{ carelessMethod }

func (denying) Has(core.Ability) bool { return false }

func endedContext(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
