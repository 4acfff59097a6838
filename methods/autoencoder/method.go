// Package autoencoder is the dynamical autoencoder. An encoder, a decoder and a linear map between
// latents are trained together.
package autoencoder

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/nn"
)

// Options are further options of the method.
type Options struct {
	// Network is the encoder and the decoder; nil for [nn.Reference].
	Network nn.Autoencoder
}

// New returns the method "autoencoder". Its operator is fitted to the trained latents, and the linear
// map of the training is discarded. Nil options are the defaults.
func New(runtime *nn.Runtime, o *Options) core.Method {
	return compose.New(newEmbedder(runtime, o), linalg.Ridge{}, &compose.Options{
		Features: func(t *core.Training) int { return t.States },
	})
}

func newEmbedder(runtime *nn.Runtime, o *Options) *nn.AutoencoderEmbedder {
	e := &nn.AutoencoderEmbedder{
		Runtime: runtime,
		Network: nn.Reference{},
		Description: core.Description{
			Name:    "autoencoder",
			Summary: "dynamical autoencoder: encoder, decoder and a linear map of the latents, trained together",
			Doc: "An encoder, a decoder and a matrix K are trained together. Three mean squared errors are added: " +
				"of the snapshot, decoded from its latents; of the latents of the next snapshot, predicted by " +
				"K; and of the next snapshot, decoded from the prediction of K (Lusch, Kutz and Brunton, Deep " +
				"learning for universal linear embeddings of nonlinear dynamics, Nature Communications 9, 2018). " +
				"Then an evolution operator is fitted to the latents by ridge regression, and replaces K. The " +
				"method consistent has a second matrix, for backwards in time, and predicts with K.",
			Options: []core.Option{
				core.FloatOption("reconstruction", 1, 0, 1e6, "weight of the error of reconstructing the snapshot"),
				core.FloatOption("linearity", 1, 0, 1e6, "weight of the error of the latents that K predicts"),
				core.FloatOption("prediction", 1, 0, 1e6, "weight of the error of predicting the next snapshot"),
			},
		},
		Schedule: nn.Schedule{Epochs: 50, BatchSize: 64, LearningRate: 2e-3, WeightDecay: 0.01},
		Examples: nn.Pairs,
		Loss:     loss,
	}
	if o != nil && o.Network != nil {
		e.Network = o.Network
	}
	return e
}

// loss builds the loss of the snapshots x and their successors y, [n, shape…].
func loss(c *nn.Coder, batch []*graph.Node, o core.Options) (loss, x, reconstruction *graph.Node) {
	x, y := batch[0], batch[1]
	encoded := c.Encode(x, y)
	evolved := nn.LinearMap(c.Scope.At("evolution"), encoded[0], encoded[0].Shape().Dim(1))
	decoded := c.Decode(encoded[0], evolved)
	loss = nn.AutoencoderGraph(nn.AutoencoderBatch[*graph.Node]{
		X: x, Y: y, Reconstruction: decoded[0], Encoded: encoded[1], Evolved: evolved, Prediction: decoded[1],
	}, &nn.AutoencoderWeights{
		Reconstruction: o.Float("reconstruction"),
		Linearity:      o.Float("linearity"),
		Prediction:     o.Float("prediction"),
	})
	return loss, x, decoded[0]
}
