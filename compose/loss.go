package compose

import (
	"context"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// LossOptions say more about an embedder that is trained under a loss.
type LossOptions struct {
	// Name, Summary and Doc describe it; "loss:" and the name of the loss, the loss's summary and doc where empty.
	Name, Summary, Doc string
	// Network is the encoder; nil for [nn.Reference]. Options of an [nn.Configurable] are options
	// of the embedder.
	Network nn.Encoder
}

// LossEmbedder returns the embedder that trains an encoder under a loss. Its features are z =
// e/max(‖e‖₂, 1e-12), with e of as many numbers as there are states. The loss compares z(x) for a
// batch of snapshots x with W z(y) for their successors y, W being a matrix that is trained along
// and then discarded.
//
// A loss that is an [nn.GraphLoss] is part of the graph of a training step. Any other is evaluated
// outside: features go out, value and gradients come back, and the encoder is trained by the
// gradient of ⟨z(x), ∂x⟩ + ⟨W z(y), ∂y⟩.
//
// The embedder and the loss have a guard around them ([core.Guard]). Nil options are the defaults.
func LossEmbedder(runtime *nn.Runtime, loss core.Loss, o *LossOptions) core.Embedder {
	if o == nil {
		o = &LossOptions{}
	}
	e := &lossEmbedder{runtime: runtime, loss: core.GuardLoss(loss), network: nn.Reference{}}
	if o.Network != nil {
		e.network = o.Network
	}
	l := loss.Describe()
	e.description = core.Description{
		Name:     firstOf(o.Name, "loss:"+l.Name),
		Summary:  firstOf(o.Summary, l.Summary),
		Doc:      firstOf(o.Doc, l.Doc),
		Options:  nn.ScheduleOptions(nn.Schedule{Epochs: 50, BatchSize: 64, LearningRate: 2e-3, WeightDecay: 0.01}),
		Exposure: l.Exposure,
	}
	e.description.Options, e.lossPart = join(e.description.Options, "loss", l.Options)
	e.description.Options, e.networkPart = join(e.description.Options, "encoder", nn.EncoderOptions(e.network))
	return core.GuardEmbedder(e)
}

type lossEmbedder struct {
	description core.Description
	runtime     *nn.Runtime
	loss        core.Loss
	lossPart    part
	networkPart part
	network     nn.Encoder
}

var (
	_ core.Embedder        = (*lossEmbedder)(nil)
	_ core.EmbeddingLoader = (*lossEmbedder)(nil)
)

func (e *lossEmbedder) Describe() core.Description { return e.description }

func (e *lossEmbedder) Fit(ctx context.Context, t *core.Training) (_ core.Embedding, err error) {
	defer core.Recover(&err)
	networkOptions, err := e.networkPart.read(t.Options)
	if err != nil {
		return nil, err
	}
	network, err := nn.Choose(e.network, t.Train.Shape(), networkOptions)
	if err != nil {
		return nil, err
	}
	options, err := e.lossPart.read(t.Options)
	if err != nil {
		return nil, err
	}
	backend, err := e.runtime.BackendFor(ctx)
	if err != nil {
		return nil, err
	}
	store := nn.NewStore(t.Seed, t.Name)
	twin := views{network, t.States}
	scored, err := newScoring(backend, store, twin, e.loss, options)
	if err != nil {
		return nil, err
	}
	defer scored.close()
	history, err := (&nn.Trainer{
		Backend:     backend,
		Store:       store,
		Schedule:    nn.ReadSchedule(t.Options),
		Loss:        scored.graph,
		Metrics:     []string{degenerate},
		Train:       nn.Pairs(t.Train, t.Lag),
		Validation:  nn.Pairs(t.Validation, t.Lag),
		Shuffle:     t.Stream("shuffle"),
		Progress:    t.Progress,
		Checkpoints: t.Checkpoints,
		Extend:      scored.extend,
		Memory:      &scored.memory,
	}).Run(ctx)
	if err != nil {
		return nil, err
	}
	encoder, err := nn.NewInference(backend, store, t.Train.Shape(), twin.embed)
	if err != nil {
		return nil, err
	}
	return nn.NewEmbedding(network, encoder, core.Report{
		History:        history.Epochs,
		Parameters:     nn.NumParameters(store),
		CompileSeconds: history.CompileSeconds + scored.compile.Seconds() + encoder.CompileSeconds,
		Warnings:       append(scored.warnings(history), history.Warnings...),
	}), nil
}

// Load implements [core.EmbeddingLoader].
func (e *lossEmbedder) Load(ctx context.Context, s *core.Saved) (_ core.Embedding, err error) {
	defer core.Recover(&err)
	n, err := nn.LoadNetwork(&s.State)
	if err != nil {
		return nil, err
	}
	network, err := nn.SavedEncoder(n, e.network)
	if err != nil {
		return nil, err
	}
	if err := network.CheckShape(n.Shape); err != nil {
		return nil, err
	}
	backend, err := e.runtime.BackendFor(ctx)
	if err != nil {
		return nil, err
	}
	encoder, err := nn.NewInference(backend, n.Store, n.Shape, views{network, n.Features}.embed)
	if err != nil {
		return nil, err
	}
	return nn.NewEmbedding(network, encoder, core.Report{
		Parameters: nn.NumParameters(n.Store), CompileSeconds: encoder.CompileSeconds,
	}), nil
}

// views are the two views of a batch of lagged pairs that a loss compares.
type views struct {
	network  nn.Encoder
	features int
}

// embed builds the features of the snapshots x.
func (v views) embed(scope *model.Scope, x *graph.Node) *graph.Node {
	return nn.Normalise(v.network.Encode(scope.At("encoder"), x, v.features))
}

// build builds both views, of the snapshots x and of their successors y, which go through the encoder as one batch.
func (v views) build(scope *model.Scope, x, y *graph.Node) (view, lagged *graph.Node) {
	n := x.Shape().Dim(0)
	z := v.embed(scope, graph.Concatenate([]*graph.Node{x, y}, 0))
	view = graph.Slice(z, graph.AxisRange(0, n))
	lagged = nn.LinearMap(scope.At("lagged"), graph.Slice(z, graph.AxisRange(n)), v.features)
	return view, lagged
}
