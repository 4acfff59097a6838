package core

import (
	"context"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// This file holds the guards of each kind. Their methods that make an ability are reached by [As]
// alone, which has seen that the thing has it.

// GuardMethod is [Guard] for a method.
func GuardMethod(m Method) Method {
	if isGuarded(m) || IsNil(m) {
		return m
	}
	return &guardedMethod{m}
}

type guardedMethod struct{ Method }

var (
	_ Method      = (*guardedMethod)(nil)
	_ ModelLoader = (*guardedMethod)(nil)
)

func (g *guardedMethod) unwrap() any { return g.Method }

func (g *guardedMethod) Fit(ctx context.Context, t *Training) (Model, error) {
	return guardedFit(ctx, t, g.Method.Fit, guardModel)
}

func (g *guardedMethod) Load(ctx context.Context, s *Saved) (Model, error) {
	return guardedLoad(guardModel, func() (Model, error) { return g.Method.(ModelLoader).Load(ctx, s) })
}

func guardModel(m Model, s seen) Model { return &guardedModel{m, s} }

type guardedModel struct {
	Model
	seen
}

var _ Forecaster = (*guardedModel)(nil)

func (g *guardedModel) unwrap() any { return g.Model }

func (g *guardedModel) Predict(ctx context.Context, x Snapshots) (Snapshots, error) {
	return g.predict(ctx, "Predict", x, func() (Snapshots, error) { return g.Model.Predict(ctx, x) })
}

func (g *guardedModel) Forecast(ctx context.Context, x Snapshots, steps int) (Snapshots, error) {
	if err := checkSteps(steps); err != nil {
		return Snapshots{}, err
	}
	return g.predict(ctx, "Forecast", x, func() (Snapshots, error) {
		return g.Model.(Forecaster).Forecast(ctx, x, steps)
	})
}

func (g *guardedModel) predict(
	ctx context.Context, call string, x Snapshots, predict func() (Snapshots, error),
) (Snapshots, error) {
	if err := g.check(ctx, x); err != nil {
		return Snapshots{}, err
	}
	if x.Len() == 0 {
		return g.none(x)
	}
	next, err := predict()
	if err != nil {
		return Snapshots{}, err
	}
	return next, checkSnapshots(call, next, x.Len(), x.shape)
}

// GuardEmbedder is [Guard] for an embedder.
func GuardEmbedder(e Embedder) Embedder {
	if isGuarded(e) || IsNil(e) {
		return e
	}
	return &guardedEmbedder{e}
}

type guardedEmbedder struct{ Embedder }

var (
	_ Embedder        = (*guardedEmbedder)(nil)
	_ EmbeddingLoader = (*guardedEmbedder)(nil)
)

func (g *guardedEmbedder) unwrap() any { return g.Embedder }

func (g *guardedEmbedder) Fit(ctx context.Context, t *Training) (Embedding, error) {
	return guardedFit(ctx, t, g.Embedder.Fit, guardEmbedding)
}

func (g *guardedEmbedder) Load(ctx context.Context, s *Saved) (Embedding, error) {
	return guardedLoad(guardEmbedding, func() (Embedding, error) { return g.Embedder.(EmbeddingLoader).Load(ctx, s) })
}

func guardEmbedding(e Embedding, s seen) Embedding {
	if isGuarded(e) || IsNil(e) {
		return e
	}
	return &guardedEmbedding{e, s}
}

type guardedEmbedding struct {
	Embedding
	seen
}

var _ Decoder = (*guardedEmbedding)(nil)

func (g *guardedEmbedding) unwrap() any { return g.Embedding }

func (g *guardedEmbedding) Embed(ctx context.Context, x Snapshots) (*mat.Dense, error) {
	if err := g.check(ctx, x); err != nil {
		return nil, err
	}
	if x.Len() == 0 {
		return &mat.Dense{}, nil
	}
	z, err := g.Embedding.Embed(ctx, x)
	if err != nil {
		return nil, err
	}
	return z, checkMatrix("Embed", z, x.Len(), g.Dim())
}

func (g *guardedEmbedding) Decode(ctx context.Context, z mat.Matrix) (Snapshots, error) {
	if err := ctx.Err(); err != nil {
		return Snapshots{}, err
	}
	n, d := z.Dims()
	if n == 0 && g.shape != nil {
		return NewSnapshots(nil, g.shape...)
	}
	if d != g.Dim() && n > 0 {
		return Snapshots{}, fmt.Errorf("%w: rows of %d features; the embedding has %d", ErrShape, d, g.Dim())
	}
	x, err := g.Embedding.(Decoder).Decode(ctx, z)
	if err != nil {
		return Snapshots{}, err
	}
	shape := g.shape
	if shape == nil {
		shape = x.shape
	}
	return x, checkSnapshots("Decode", x, n, shape)
}

// GuardOracle is [Guard] for an oracle.
func GuardOracle(o Oracle) Oracle {
	if isGuarded(o) || IsNil(o) {
		return o
	}
	return &guardedOracle{o}
}

type guardedOracle struct{ Oracle }

var (
	_ Oracle      = (*guardedOracle)(nil)
	_ JudgeLoader = (*guardedOracle)(nil)
)

func (g *guardedOracle) unwrap() any { return g.Oracle }

func (g *guardedOracle) Fit(ctx context.Context, t *Training) (Judge, error) {
	return guardedFit(ctx, t, g.Oracle.Fit, guardJudge)
}

func (g *guardedOracle) Load(ctx context.Context, s *Saved) (Judge, error) {
	return guardedLoad(guardJudge, func() (Judge, error) { return g.Oracle.(JudgeLoader).Load(ctx, s) })
}

func guardJudge(j Judge, s seen) Judge { return &guardedJudge{j, s} }

type guardedJudge struct {
	Judge
	seen
}

var _ Encoder = (*guardedJudge)(nil)

func (g *guardedJudge) unwrap() any { return g.Judge }

func (g *guardedJudge) Classify(ctx context.Context, x Snapshots) ([]int, error) {
	if err := g.check(ctx, x); err != nil {
		return nil, err
	}
	if x.Len() == 0 {
		return []int{}, nil
	}
	labels, err := g.Judge.Classify(ctx, x)
	if err != nil {
		return nil, err
	}
	states := g.states
	if states == 0 { // of one that was loaded
		states = slices.Max(append([]int{0}, labels...)) + 1
	}
	if err := CheckLabels(labels, x.Len(), states); err != nil {
		return nil, fmt.Errorf("%w: Classify: %w", ErrContract, err)
	}
	return labels, nil
}

func (g *guardedJudge) Encoder() Embedding {
	return guardEmbedding(g.Judge.(Encoder).Encoder(), g.seen)
}

// GuardOperator is [Guard] for an evolution operator.
func GuardOperator(o EvolutionOperator) EvolutionOperator {
	if isGuarded(o) || IsNil(o) {
		return o
	}
	return &guardedEvolutionOperator{o}
}

type guardedEvolutionOperator struct{ EvolutionOperator }

var (
	_ EvolutionOperator = (*guardedEvolutionOperator)(nil)
	_ OperatorLoader    = (*guardedEvolutionOperator)(nil)
)

func (g *guardedEvolutionOperator) unwrap() any { return g.EvolutionOperator }

func (g *guardedEvolutionOperator) Fit(ctx context.Context, t *OperatorTraining) (Operator, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if IsNil(t.Features) {
		return nil, fmt.Errorf("%w: the features are nil", ErrShape)
	}
	n, d := t.Features.Dims()
	if _, err := t.PairStarts(); err != nil {
		return nil, err
	}
	p := 0
	if !IsNil(t.Observable) {
		var rows int
		if rows, p = t.Observable.Dims(); rows != n {
			return nil, fmt.Errorf("%w: %d rows of the observable for %d rows of features; give one for each",
				ErrShape, rows, n)
		}
	}
	fitted, err := g.EvolutionOperator.Fit(ctx, t)
	if err != nil {
		return nil, err
	}
	if IsNil(fitted) {
		return nil, errNeither("Fit")
	}
	return &guardedOperator{fitted, d, p}, nil
}

func (g *guardedEvolutionOperator) Load(ctx context.Context, s *Saved) (Operator, error) {
	guard := func(o Operator, _ seen) Operator { return &guardedOperator{o, 0, -1} }
	return guardedLoad(guard, func() (Operator, error) { return g.EvolutionOperator.(OperatorLoader).Load(ctx, s) })
}

// guardedOperator is an operator on that many features, with an observable of that many columns; 0
// and -1 if they are not known.
type guardedOperator struct {
	Operator
	features, observable int
}

func (g *guardedOperator) unwrap() any { return g.Operator }

func (g *guardedOperator) Predict(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
	_, d := z.Dims()
	return g.predict(ctx, "Predict", z, steps, d, g.Operator.Predict)
}

func (g *guardedOperator) PredictObservable(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
	if g.observable == 0 {
		return nil, fmt.Errorf("%w: the operator was fitted without an observable; give one to the fit, "+
			"or ask for features", ErrUnavailable)
	}
	return g.predict(ctx, "PredictObservable", z, steps, g.observable, g.Operator.PredictObservable)
}

// predict makes a prediction of that many columns.
func (g *guardedOperator) predict(
	ctx context.Context, call string, z mat.Matrix, steps, columns int,
	predict func(context.Context, mat.Matrix, int) (*mat.Dense, error),
) (*mat.Dense, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkSteps(steps); err != nil {
		return nil, err
	}
	n, d := z.Dims()
	if n == 0 {
		return &mat.Dense{}, nil
	}
	if g.features != 0 && d != g.features {
		return nil, fmt.Errorf("%w: rows of %d features; the operator was fitted to %d", ErrShape, d, g.features)
	}
	next, err := predict(ctx, z, steps)
	if err != nil {
		return nil, err
	}
	return next, checkMatrix(call, next, n, columns)
}

// GuardLoss is [Guard] for a loss.
func GuardLoss(l Loss) Loss {
	if isGuarded(l) || IsNil(l) {
		return l
	}
	return &guardedLoss{l}
}

type guardedLoss struct{ Loss }

func (g *guardedLoss) unwrap() any { return g.Loss }

func (g *guardedLoss) Evaluate(ctx context.Context, x, y mat.Matrix, options Options) (LossValue, error) {
	if err := ctx.Err(); err != nil {
		return LossValue{}, err
	}
	if IsNil(x) || IsNil(y) {
		return LossValue{}, fmt.Errorf("%w: a view is nil", ErrShape)
	}
	n, d := x.Dims()
	if rows, columns := y.Dims(); rows != n || columns != d {
		return LossValue{}, fmt.Errorf("%w: a view of %d×%d and a lagged view of %d×%d; they must have one shape",
			ErrShape, n, d, rows, columns)
	}
	if n < 1 || d < 1 {
		return LossValue{}, fmt.Errorf("%w: views of %d×%d; they need at least one row and one feature", ErrShape, n, d)
	}
	for _, view := range []mat.Matrix{x, y} {
		if i, j, finite := findNonFinite(view); !finite {
			return LossValue{}, fmt.Errorf("%w: row %d, column %d of a view is %v", ErrNonFinite, i, j, view.At(i, j))
		}
	}
	value, err := g.Loss.Evaluate(ctx, x, y, options)
	if err != nil {
		return LossValue{}, err
	}
	if v := value.Value; v-v != 0 {
		return LossValue{}, fmt.Errorf("%w: %w: the loss is %v", ErrContract, ErrNonFinite, v)
	}
	if err := checkMatrix("Evaluate as the gradient by x", value.GradX, n, d); err != nil {
		return LossValue{}, err
	}
	if err := checkMatrix("Evaluate as the gradient by y", value.GradY, n, d); err != nil {
		return LossValue{}, err
	}
	return value, CheckWarnings(value.Warnings)
}
