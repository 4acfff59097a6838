package dpnets

import (
	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/nn"
)

// Options are further options of the methods.
type Options struct {
	// Network is the encoder; nil for [nn.Reference] with an orthogonal last layer.
	Network nn.Encoder
}

// New returns the method "dpnets". Nil options are the defaults.
func New(runtime *nn.Runtime, o *Options) core.Method {
	return method(
		runtime,
		Loss{},
		o,
		"DPNet: an encoder trained under a projection score",
		"The encoder is trained to span the leading singular functions of the evolution operator. Its loss is the negative "+
			"score ",
	)
}

// NewRelaxed returns the method "dpnets-relaxed". Its score inverts no covariance. Nil options are the
// defaults.
func NewRelaxed(runtime *nn.Runtime, o *Options) core.Method {
	return method(
		runtime,
		Loss{Relaxed: true},
		o,
		"DPNet: an encoder trained under the relaxed projection score",
		"The encoder is trained to span the leading singular functions of the evolution operator. Its loss is the negative "+
			"relaxed score ",
	)
}

func method(runtime *nn.Runtime, loss Loss, o *Options, summary, doc string) core.Method {
	network := nn.Encoder(nn.Reference{Orthogonal: true})
	if o != nil && o.Network != nil {
		network = o.Network
	}
	return compose.LossMethod(runtime, loss, linalg.Ridge{}, &compose.LossOptions{
		Name:    loss.name(),
		Summary: summary,
		Doc: doc + "of deep projection networks (Kostic, Novelli, Grazzi, Lounici and Pontil, Learning invariant " +
			"representations of time-homogeneous stochastic dynamical systems, ICLR 2024). A part of the score, the metric " +
			"distortion, keeps the covariances of the features near the identity. By default features are not normalised, " +
			"and snapshots and successors have the same encoder. Then the evolution operator is fitted to the features by " +
			"ridge regression, with the snapshots as observable.",
		Network:  network,
		Views:    &compose.Views{Normalise: compose.NormaliseNone, Lagged: compose.LaggedNone},
		Schedule: &nn.Schedule{Epochs: 50, BatchSize: 64, LearningRate: 1e-3, Optimiser: nn.Adam},
	})
}
