package client

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/describe"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

// fitOnSnapshots is the fit of a method, an embedder or an oracle.
func (r remote) fitOnSnapshots(ctx context.Context, t *core.Training) (*fitted, error) {
	first := &wire.FitCall{Options: describe.Values(t.Options), Seed: t.Seed, Lag: uint64(max(t.Lag, 0)), States: uint64(max(t.States, 0))}
	if t.OracleEmbedding != nil {
		first.OracleDim = uint64(t.OracleEmbedding.Dim())
	}
	arrays := []transfer.Array{transfer.Snapshots("train", t.Train), transfer.Snapshots("validation", t.Validation)}
	if t.TrainLabels != nil {
		arrays = append(arrays, transfer.Labels("train_labels", t.TrainLabels), transfer.Labels("validation_labels", t.ValidationLabels))
	}
	return r.fit(ctx, first, arrays, t.Progress, t.OracleEmbedding)
}

type method struct{ remote }

var _ core.Method = method{}

func (m method) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	f, err := m.fitOnSnapshots(ctx, t)
	if err != nil {
		return nil, err
	}
	return model{f}, nil
}

type model struct{ *fitted }

var (
	_ core.Model    = model{}
	_ core.Reporter = model{}
	_ core.Spectral = model{}
	_ core.Declarer = model{}
)

func (m model) Predict(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
	if x.Len() == 0 {
		return x, ctx.Err()
	}
	return m.toSnapshots(ctx, wire.Operation_PREDICT, transfer.Snapshots("snapshots", x))
}

func (m model) LeftEigenfunctions(ctx context.Context, x core.Snapshots) (*mat.CDense, error) {
	if x.Len() == 0 {
		return &mat.CDense{}, ctx.Err()
	}
	return m.toValues(ctx, wire.Operation_LEFT_EIGENFUNCTIONS, transfer.Snapshots("snapshots", x))
}

func (f *fitted) toSnapshots(ctx context.Context, o wire.Operation, on transfer.Array) (core.Snapshots, error) {
	a, err := f.apply(ctx, o, 0, on, "snapshots")
	if err != nil {
		return core.Snapshots{}, err
	}
	return a.Snapshots()
}

func (f *fitted) toMatrix(ctx context.Context, o wire.Operation, steps int, on transfer.Array, result string) (*mat.Dense, error) {
	a, err := f.apply(ctx, o, steps, on, result)
	if err != nil {
		return nil, err
	}
	return a.Matrix()
}

func (f *fitted) toValues(ctx context.Context, o wire.Operation, on transfer.Array) (*mat.CDense, error) {
	a, err := f.apply(ctx, o, 0, on, "values")
	if err != nil {
		return nil, err
	}
	return a.ComplexMatrix()
}

type embedder struct{ remote }

var _ core.Embedder = embedder{}

func (e embedder) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	f, err := e.fitOnSnapshots(ctx, t)
	if err != nil {
		return nil, err
	}
	return embedding{f}, nil
}

type embedding struct{ *fitted }

var (
	_ core.Embedding = embedding{}
	_ core.Decoder   = embedding{}
	_ core.Reporter  = embedding{}
	_ core.Declarer  = embedding{}
)

func (e embedding) Dim() int { return e.dim }

func (e embedding) Embed(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
	if x.Len() == 0 {
		return &mat.Dense{}, ctx.Err()
	}
	return e.toMatrix(ctx, wire.Operation_EMBED, 0, transfer.Snapshots("snapshots", x), "features")
}

func (e embedding) Decode(ctx context.Context, z mat.Matrix) (core.Snapshots, error) {
	return e.toSnapshots(ctx, wire.Operation_DECODE, transfer.Matrix("features", z))
}

type operator struct{ remote }

var _ core.EvolutionOperator = operator{}

func (o operator) Fit(ctx context.Context, t *core.OperatorTraining) (core.Operator, error) {
	if t.Features == nil {
		return nil, fmt.Errorf("%w: the features are nil", core.ErrShape)
	}
	first := &wire.FitCall{Options: describe.Values(t.Options), Lag: uint64(max(t.Lag, 0)), Precision: t.Precision}
	arrays := []transfer.Array{transfer.Matrix("features", t.Features)}
	if t.Observable != nil {
		arrays = append(arrays, transfer.Matrix("observable", t.Observable))
	}
	f, err := o.fit(ctx, first, arrays, nil, nil)
	if err != nil {
		return nil, err
	}
	if _, d := t.Features.Dims(); f.rank > d {
		return nil, fmt.Errorf("%w: an operator on %d features has the rank %d", core.ErrContract, d, f.rank)
	}
	return fittedOperator{f}, nil
}

type fittedOperator struct{ *fitted }

var (
	_ core.Operator         = fittedOperator{}
	_ core.SpectralOperator = fittedOperator{}
	_ core.Reporter         = fittedOperator{}
	_ core.Declarer         = fittedOperator{}
)

func (o fittedOperator) Rank() int { return o.rank }

func (o fittedOperator) Predict(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
	if steps < 1 {
		return nil, fmt.Errorf("%w: %d steps; the number of steps must be at least 1", core.ErrOption, steps)
	}
	return o.toMatrix(ctx, wire.Operation_PREDICT_FEATURES, steps, transfer.Matrix("features", z), "features")
}

func (o fittedOperator) PredictObservable(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
	if steps < 1 {
		return nil, fmt.Errorf("%w: %d steps; the number of steps must be at least 1", core.ErrOption, steps)
	}
	return o.toMatrix(ctx, wire.Operation_PREDICT_OBSERVABLE, steps, transfer.Matrix("features", z), "observable")
}

func (o fittedOperator) LeftEigenfunctions(ctx context.Context, z mat.Matrix) (*mat.CDense, error) {
	return o.toValues(ctx, wire.Operation_LEFT_EIGENFUNCTIONS, transfer.Matrix("features", z))
}

func (o fittedOperator) RightEigenfunctions(ctx context.Context, z mat.Matrix) (*mat.CDense, error) {
	return o.toValues(ctx, wire.Operation_RIGHT_EIGENFUNCTIONS, transfer.Matrix("features", z))
}

type oracle struct{ remote }

var _ core.Oracle = oracle{}

func (o oracle) Fit(ctx context.Context, t *core.Training) (core.Judge, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	f, err := o.fitOnSnapshots(ctx, t)
	if err != nil {
		return nil, err
	}
	return judge{f}, nil
}

type judge struct{ *fitted }

var (
	_ core.Judge    = judge{}
	_ core.Encoder  = judge{}
	_ core.Reporter = judge{}
	_ core.Declarer = judge{}
)

func (j judge) Classify(ctx context.Context, x core.Snapshots) ([]int, error) {
	if x.Len() == 0 {
		return []int{}, ctx.Err()
	}
	a, err := j.apply(ctx, wire.Operation_CLASSIFY, 0, transfer.Snapshots("snapshots", x), "labels")
	if err != nil {
		return nil, err
	}
	return a.Labels()
}

func (j judge) Encoder() core.Embedding { return embedding{j.fitted} }

type loss struct{ remote }

var _ core.Loss = loss{}

func (l loss) Evaluate(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
	session, err := l.sessions(ctx)
	if err != nil {
		return core.LossValue{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	views := []transfer.Array{transfer.Matrix("x", x), transfer.Matrix("y", y)}
	first := &wire.EvaluateCall{Name: l.description.Name, Options: describe.Values(options), Arrays: transfer.Headers(views)}
	c, err := begin(ctx, session, openEvaluate, &wire.Frame{Content: &wire.Frame_Evaluate{Evaluate: first}}, views...)
	if err != nil {
		return core.LossValue{}, err
	}
	frame, err := c.result()
	if err != nil {
		return core.LossValue{}, err
	}
	reply := frame.GetLoss()
	if reply == nil {
		return core.LossValue{}, fmt.Errorf("%w: %s came where the value of a loss belongs", core.ErrContract, transfer.Kind(frame))
	}
	gradients, err := c.receive(reply.GetArrays(), "gradient_x", "gradient_y")
	if err != nil {
		return core.LossValue{}, err
	}
	value := core.LossValue{Value: reply.GetValue(), Warnings: reply.GetWarnings()}
	if value.GradX, err = gradients[0].Matrix(); err != nil {
		return core.LossValue{}, err
	}
	if value.GradY, err = gradients[1].Matrix(); err != nil {
		return core.LossValue{}, err
	}
	return value, c.finish()
}
