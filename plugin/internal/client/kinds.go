package client

import (
	"context"
	"fmt"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/describe"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

// fitOnSnapshots is the fit of a method, an embedder or an oracle.
func (r remote) fitOnSnapshots(ctx context.Context, t *core.Training) (*fitted, error) {
	train, validation := t.Train.Lengths(), t.Validation.Lengths()
	if err := r.checkTrajectories(train, validation); err != nil {
		return nil, err
	}
	first := &wire.FitCall{
		Options: describe.Values(t.Options), Seed: t.Seed, Lag: uint64(t.Lag), States: uint64(t.States),
		LeastRank:    uint64(t.LeastRank),
		OracleDim:    dimOf(t.OracleEmbedding),
		TrainLengths: sentLengths(train), ValidationLengths: sentLengths(validation),
	}
	arrays := []transfer.Array{
		transfer.Snapshots("train", t.Train.Snapshots()), transfer.Snapshots("validation", t.Validation.Snapshots()),
	}
	if t.TrainLabels != nil {
		arrays = append(arrays, transfer.Labels("train_labels", t.TrainLabels), transfer.Labels("validation_labels",
			t.ValidationLabels))
	}
	first.Arrays = transfer.Headers(arrays)
	f, err := r.fit(ctx, first, append(arrays, sendCheckpoints(t.Checkpoints, first)...),
		host{progress: t.Progress, encoder: t.OracleEmbedding, checkpoints: t.Checkpoints, shape: t.Train.Shape()})
	if err != nil {
		return nil, err
	}
	f.shape, f.states = t.Train.Shape(), t.States
	return f, nil
}

// checkTrajectories returns [core.ErrUnavailable] for several trajectories if the plugin would pair
// across their ends.
func (r remote) checkTrajectories(lengths ...[]int) error {
	for _, l := range lengths {
		if len(l) > 1 && !r.trajectories {
			return fmt.Errorf("%w: %s learns from one trajectory only, and there are %d: its plugin was made before "+
				"there could be several; install a newer version of its SDK, or give one trajectory",
				core.ErrUnavailable, r.description.Name, len(l))
		}
	}
	return nil
}

// sentLengths are the lengths of several trajectories, and nothing for one.
func sentLengths(lengths []int) []uint64 {
	if len(lengths) < 2 {
		return nil
	}
	sent := make([]uint64, len(lengths))
	for k, n := range lengths {
		sent[k] = uint64(n)
	}
	return sent
}

// dimOf is the number of features of the oracle's encoder, 0 where a thing is not handed it.
func dimOf(encoder core.Embedding) uint64 {
	if encoder == nil {
		return 0
	}
	return uint64(encoder.Dim())
}

type method struct{ remote }

var (
	_ core.Method      = method{}
	_ core.ModelLoader = method{}
	_ core.Declarer    = method{}
)

func (m method) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	f, err := m.fitOnSnapshots(ctx, t)
	if err != nil {
		return nil, err
	}
	return model{f}, nil
}

// Has implements [core.Declarer].
func (m method) Has(a core.Ability) bool { return a == core.AbilityModelLoader && m.loads }

// Load implements [core.ModelLoader].
func (m method) Load(ctx context.Context, s *core.Saved) (core.Model, error) {
	if !m.loads {
		return nil, fmt.Errorf("%w: %s cannot load models", core.ErrUnavailable, m.description.Name)
	}
	state, arrays, err := transfer.State("", &s.State)
	if err != nil {
		return nil, err
	}
	first := &wire.LoadCall{Kind: m.kind, Name: m.description.Name, State: state, OracleDim: dimOf(s.OracleEmbedding)}
	f, err := m.obtain(ctx, &wire.Frame{Content: &wire.Frame_Load{Load: first}}, arrays, host{encoder: s.OracleEmbedding})
	if err != nil {
		return nil, err
	}
	return model{f}, nil
}

type model struct{ *fitted }

var (
	_ core.Saver         = model{}
	_ core.Model         = model{}
	_ core.Reporter      = model{}
	_ core.Spectral      = model{}
	_ core.RightSpectral = model{}
	_ core.Forecaster    = model{}
	_ core.Declarer      = model{}
)

func (m model) Predict(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
	return m.toSnapshots(ctx, wire.Operation_PREDICT, 0, transfer.Snapshots("snapshots", x), x.Len(), x.Shape())
}

func (m model) Forecast(ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error) {
	return m.toSnapshots(ctx, wire.Operation_FORECAST, steps, transfer.Snapshots("snapshots", x), x.Len(), x.Shape())
}

func (m model) LeftEigenfunctions(ctx context.Context, x core.Snapshots) (*mat.CDense, error) {
	return m.eigenfunctions(ctx, wire.Operation_LEFT_EIGENFUNCTIONS, x)
}

func (m model) RightEigenfunctions(ctx context.Context, x core.Snapshots) (*mat.CDense, error) {
	return m.eigenfunctions(ctx, wire.Operation_RIGHT_EIGENFUNCTIONS, x)
}

func (m model) eigenfunctions(ctx context.Context, side wire.Operation, x core.Snapshots) (*mat.CDense, error) {
	if x.Len() == 0 {
		return &mat.CDense{}, ctx.Err()
	}
	return m.toValues(ctx, side, transfer.Snapshots("snapshots", x), x.Len())
}

// toSnapshots applies an operation that gives n snapshots of that shape.
func (f *fitted) toSnapshots(ctx context.Context, o wire.Operation, steps int, on transfer.Array, n int,
	shape []int) (_ core.Snapshots, err error) {
	defer named(f.session.Name(), &err)
	a, err := f.apply(ctx, o, steps, on, "snapshots", func(h *wire.Array) error { return expectSnapshots(h, n, shape) })
	if err != nil {
		return core.Snapshots{}, err
	}
	x, err := a.Snapshots()
	if err != nil {
		return core.Snapshots{}, err
	}
	return x, broken(x.CheckFinite())
}

// toMatrix applies an operation that gives an n×d matrix.
func (f *fitted) toMatrix(ctx context.Context, o wire.Operation, steps int, on transfer.Array, result string, n,
	d int) (_ *mat.Dense, err error) {
	defer named(f.session.Name(), &err)
	a, err := f.apply(ctx, o, steps, on, result, func(h *wire.Array) error { return expectMatrix(h, result, n, d) })
	if err != nil {
		return nil, err
	}
	m, err := a.Matrix()
	if err != nil {
		return nil, err
	}
	return m, checkMatrix(result, m)
}

// toValues applies an operation that gives n values of each eigenfunction.
func (f *fitted) toValues(ctx context.Context, o wire.Operation, on transfer.Array, n int) (_ *mat.CDense, err error) {
	defer named(f.session.Name(), &err)
	const what = "values of eigenfunctions"
	expect := func(h *wire.Array) error { return expectMatrix(h, what, n, len(f.eigenvalues)) }
	a, err := f.apply(ctx, o, 0, on, "values", expect)
	if err != nil {
		return nil, err
	}
	m, err := a.ComplexMatrix()
	if err != nil {
		return nil, err
	}
	return m, checkComplexes(what, m.RawCMatrix().Data)
}

type embedder struct{ remote }

var _ core.Embedder = embedder{}

func (e embedder) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
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
	return e.toMatrix(ctx, wire.Operation_EMBED, 0, transfer.Snapshots("snapshots", x), "features", x.Len(), e.dim)
}

func (e embedding) Decode(ctx context.Context, z mat.Matrix) (core.Snapshots, error) {
	n, _ := z.Dims()
	return e.toSnapshots(ctx, wire.Operation_DECODE, 0, transfer.Matrix("features", z), n, e.shape)
}

type operator struct{ remote }

var _ core.EvolutionOperator = operator{}

func (o operator) Fit(ctx context.Context, t *core.OperatorTraining) (core.Operator, error) {
	if err := o.checkTrajectories(t.Lengths); err != nil {
		return nil, err
	}
	first := &wire.FitCall{
		Options: describe.Values(t.Options), Lag: uint64(t.Lag), Precision: t.Precision,
		FeatureLengths: sentLengths(t.Lengths),
	}
	arrays := []transfer.Array{transfer.Matrix("features", t.Features)}
	if t.Observable != nil {
		arrays = append(arrays, transfer.Matrix("observable", t.Observable))
	}
	first.Arrays = transfer.Headers(arrays)
	_, features := t.Features.Dims()
	f, err := o.fit(ctx, first, arrays, host{eigenvalues: features})
	if err != nil {
		return nil, err
	}
	f.features = features
	if t.Observable != nil {
		_, f.observable = t.Observable.Dims()
	}
	if f.rank > f.features {
		err := fmt.Errorf("%w: an operator on %d features has the rank %d", core.ErrContract, f.features, f.rank)
		named(f.session.Name(), &err)
		return nil, err
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
	n, _ := z.Dims()
	return o.toMatrix(ctx, wire.Operation_PREDICT_FEATURES, steps, transfer.Matrix("features", z), "features",
		n, o.features)
}

func (o fittedOperator) PredictObservable(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
	n, _ := z.Dims()
	return o.toMatrix(ctx, wire.Operation_PREDICT_OBSERVABLE, steps, transfer.Matrix("features", z), "observable",
		n, o.observable)
}

func (o fittedOperator) LeftEigenfunctions(ctx context.Context, z mat.Matrix) (*mat.CDense, error) {
	n, _ := z.Dims()
	return o.toValues(ctx, wire.Operation_LEFT_EIGENFUNCTIONS, transfer.Matrix("features", z), n)
}

func (o fittedOperator) RightEigenfunctions(ctx context.Context, z mat.Matrix) (*mat.CDense, error) {
	n, _ := z.Dims()
	return o.toValues(ctx, wire.Operation_RIGHT_EIGENFUNCTIONS, transfer.Matrix("features", z), n)
}

type oracle struct{ remote }

var _ core.Oracle = oracle{}

func (o oracle) Fit(ctx context.Context, t *core.Training) (core.Judge, error) {
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

func (j judge) Classify(ctx context.Context, x core.Snapshots) (_ []int, err error) {
	defer named(j.session.Name(), &err)
	a, err := j.apply(ctx, wire.Operation_CLASSIFY, 0, transfer.Snapshots("snapshots", x), "labels",
		func(h *wire.Array) error { return expectLabels(h, x.Len()) })
	if err != nil {
		return nil, err
	}
	labels, err := a.Labels()
	if err != nil {
		return nil, err
	}
	return labels, broken(core.CheckLabels(labels, x.Len(), j.states))
}

func (j judge) Encoder() core.Embedding { return embedding(j) }

type loss struct{ remote }

var _ core.Loss = loss{}

func (l loss) Evaluate(ctx context.Context, x, y mat.Matrix, options core.Options) (_ core.LossValue, err error) {
	session, err := l.sessions(ctx)
	if err != nil {
		return core.LossValue{}, err
	}
	defer named(session.Name(), &err)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	views := []transfer.Array{transfer.Matrix("x", x), transfer.Matrix("y", y)}
	first := &wire.EvaluateCall{Name: l.description.Name, Options: describe.Values(options),
		Arrays: transfer.Headers(views)}
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
		return core.LossValue{}, fmt.Errorf("%w: %s came where the value of a loss belongs", core.ErrContract,
			transfer.Kind(frame))
	}
	n, d := x.Dims()
	expectGradient := func(h *wire.Array) error {
		return expectMatrix(h, "gradients by "+strings.TrimPrefix(h.GetName(), "gradient_"), n, d)
	}
	gradients, err := c.receive(reply.GetArrays(), expectGradient,
		"gradient_x", "gradient_y")
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
	if v := value.Value; v-v != 0 {
		return core.LossValue{}, fmt.Errorf("%w: %w: the loss is %v", core.ErrContract, core.ErrNonFinite, v)
	}
	if err := core.CheckWarnings(value.Warnings); err != nil {
		return core.LossValue{}, err
	}
	for what, gradient := range map[string]*mat.Dense{"gradients by x": value.GradX, "gradients by y": value.GradY} {
		if err := checkMatrix(what, gradient); err != nil {
			return core.LossValue{}, err
		}
	}
	return value, c.finish()
}
