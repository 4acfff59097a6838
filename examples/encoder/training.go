package main

import (
	"context"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// Next is an embedder: the features from which a linear layer predicts the next snapshot best.
type Next struct {
	Runtime *nn.Runtime
	Network nn.Encoder
}

var (
	_ core.Embedder        = (*Next)(nil)
	_ core.EmbeddingLoader = (*Next)(nil)
)

// Describe implements [core.Embedder].
func (e *Next) Describe() core.Description {
	return core.Description{
		Name:    "next",
		Summary: "features from which a linear layer predicts the next snapshot",
		Doc:     "An encoder and a linear layer are trained together by the mean squared error of the next snapshot.",
		Options: nn.ScheduleOptions(nn.Schedule{Epochs: 20, BatchSize: 64, LearningRate: 2e-3, WeightDecay: 0.01}),
	}
}

// Fit implements [core.Embedder].
func (e *Next) Fit(ctx context.Context, t *core.Training) (_ core.Embedding, err error) {
	defer core.Recover(&err) // functions that build graphs panic
	if err := e.Network.CheckShape(t.Train.Shape()); err != nil {
		return nil, err
	}
	backend, err := e.Runtime.BackendFor(ctx)
	if err != nil {
		return nil, err
	}
	store := nn.NewStore(t.Seed, t.Name) // parameters are drawn from the streams of this seed and name
	history, err := (&nn.Trainer{
		Backend:  backend,
		Store:    store,
		Schedule: nn.ReadSchedule(t.Options),
		Loss: func(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
			x, y := batch[0], batch[1] // snapshots and their successors
			next := nn.Linear(scope.At("next"), encode(e.Network, t.States)(scope, x), t.Train.Size())
			y = graph.Reshape(y, y.Shape().Dim(0), -1)
			return graph.ReduceAllMean(graph.Square(graph.Sub(next, y))), nil
		},
		Train:       nn.Pairs(t.Train, t.Lag),
		Validation:  nn.Pairs(t.Validation, t.Lag),
		Shuffle:     t.Stream("shuffle"),
		Progress:    t.Progress,
		Checkpoints: t.Checkpoints, // a fit that is killed continues, to the same bits
	}).Run(ctx)
	if err != nil {
		return nil, err
	}
	inference, err := nn.NewInference(backend, store, t.Train.Shape(), encode(e.Network, t.States))
	if err != nil {
		return nil, err
	}
	return nn.NewEmbedding(e.Network, inference, core.Report{
		History: history.Epochs, Warnings: history.Warnings, Parameters: nn.NumParameters(store),
		CompileSeconds: history.CompileSeconds + inference.CompileSeconds,
	}), nil
}

// encode builds the network that gives the features.
func encode(network nn.Encoder, features int) func(scope *model.Scope, x *graph.Node) *graph.Node {
	return func(scope *model.Scope, x *graph.Node) *graph.Node {
		return network.Encode(scope.At("encoder"), x, features)
	}
}

// Load implements [core.EmbeddingLoader]: the network is the one that was saved, whatever e has.
func (e *Next) Load(ctx context.Context, s *core.Saved) (_ core.Embedding, err error) {
	defer core.Recover(&err)
	saved, err := nn.LoadNetwork(&s.State)
	if err != nil {
		return nil, err
	}
	network, err := nn.SavedEncoder(saved, e.Network)
	if err != nil {
		return nil, err
	}
	if err := network.CheckShape(saved.Shape); err != nil {
		return nil, err
	}
	backend, err := e.Runtime.BackendFor(ctx)
	if err != nil {
		return nil, err
	}
	inference, err := nn.NewInference(backend, saved.Store, saved.Shape, encode(network, saved.Features))
	if err != nil {
		return nil, err
	}
	return nn.NewEmbedding(network, inference, core.Report{Parameters: nn.NumParameters(saved.Store)}), nil
}
