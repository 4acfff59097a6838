// Package randomnetwork is ridge regression on the features of an untrained network.
package randomnetwork

import (
	"context"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/nn"
)

// Options are further options of the method.
type Options struct {
	// Network is the encoder; nil for [nn.Reference] with hidden layers of 512 units.
	Network nn.Encoder
}

// New returns the method "random-network". Nil options are the defaults.
func New(runtime *nn.Runtime, o *Options) core.Method {
	return compose.New(Features(runtime, o), linalg.Ridge{}, &compose.Options{
		Name:    "random-network",
		Summary: "ridge regression on many features of a network that is not trained",
		Doc: "The network is the one that other methods train, but with many features. Its parameters are drawn with the " +
			"seed of " +
			"the run and are not trained. The evolution operator is fitted to the features by ridge regression, with the " +
			"snapshots as observable (after randomised neural networks for operators, RaNNDy, 2025). Compare it with the " +
			"other methods to see what training adds.",
		Features: func(t *core.Training) int { return t.Options.Int(featuresOption) },
	})
}

// Features returns the embedder "random-features". Its features are those of a network that is not trained. Nil
// options are the defaults.
func Features(runtime *nn.Runtime, o *Options) core.Embedder {
	e := &embedder{runtime, nn.Reference{Width: 512}}
	if o != nil && o.Network != nil {
		e.network = o.Network
	}
	return core.GuardEmbedder(e)
}

type embedder struct {
	runtime *nn.Runtime
	network nn.Encoder
}

var (
	_ core.Embedder        = (*embedder)(nil)
	_ core.EmbeddingLoader = (*embedder)(nil)
	_ core.Checker         = (*embedder)(nil)
)

const featuresOption = "features"

// Describe implements [core.Embedder].
func (e *embedder) Describe() core.Description {
	return core.Description{
		Name:    "random-features",
		Summary: "many features of a network that is not trained",
		Doc: "The network is the one that other methods train, but with many features. Its parameters are drawn with the " +
			"seed of " +
			"the run and are not trained.",
		Options: append([]core.Option{core.IntOption(featuresOption, 300, 1, 4096, "number of features")},
			nn.EncoderOptions(e.network)...),
	}
}

// Fit implements [core.Embedder].
func (e *embedder) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
	network, err := nn.Choose(e.network, t.Train.Shape(), t.Options)
	if err != nil {
		return nil, err
	}
	return e.embedding(ctx, network, &nn.Network{
		Store: nn.NewStore(t.Seed, t.Name), Shape: t.Train.Shape(), Features: t.Options.Int(featuresOption),
	})
}

// Check implements [core.Checker].
func (e *embedder) Check(t *core.Training) error {
	_, err := nn.Choose(e.network, t.Train.Shape(), t.Options)
	return err
}

// Load implements [core.EmbeddingLoader].
func (e *embedder) Load(ctx context.Context, s *core.Saved) (core.Embedding, error) {
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
	return e.embedding(ctx, network, n)
}

// embedding returns the network with the parameters of n. Parameters that n has not are drawn.
func (e *embedder) embedding(ctx context.Context, network nn.Encoder, n *nn.Network) (_ core.Embedding, err error) {
	defer core.Recover(&err)
	backend, err := e.runtime.BackendFor(ctx)
	if err != nil {
		return nil, err
	}
	encoder, err := nn.NewInference(backend, n.Store, n.Shape, func(scope *model.Scope, x *graph.Node) *graph.Node {
		return network.Encode(scope.At("encoder"), x, n.Features)
	})
	if err != nil {
		return nil, err
	}
	return nn.NewEmbedding(network, encoder, core.Report{
		Parameters: nn.NumParameters(n.Store), CompileSeconds: encoder.CompileSeconds,
	}), nil
}
