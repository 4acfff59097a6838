package lora

import (
	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/nn"
)

// Options are further options of the method.
type Options struct {
	// Network is the encoder; nil for [nn.Reference].
	Network nn.Encoder
}

// New returns the method "lora". Nil options are the defaults.
func New(runtime *nn.Runtime, o *Options) core.Method {
	return compose.LossMethod(runtime, Loss{}, linalg.Ridge{}, o.loss())
}

// Features returns the embedder of the method "lora". Its features are ordered, and the constant 1 is
// the first. Nil options are the defaults.
func Features(runtime *nn.Runtime, o *Options) core.Embedder {
	return compose.LossEmbedder(runtime, Loss{}, o.loss())
}

func (o *Options) loss() *compose.LossOptions {
	if o == nil {
		o = &Options{}
	}
	return &compose.LossOptions{
		Name:    "lora",
		Summary: "an encoder trained by low-rank approximation of the evolution operator, with ordered features",
		Doc: "Two encoders, of snapshots and of their successors, are trained to be the singular functions of the " +
			"evolution operator. Their loss is that of low-rank approximation (Jeong, Ryu, Yun and Wornell, Efficient " +
			"parametric SVD of Koopman operator for stochastic dynamical systems, NeurIPS 2025, arXiv:2507.07222). Nesting " +
			"puts the features in the order of their singular values. By default the first is the constant 1, and features " +
			"are not normalised. Then the evolution operator is fitted to the features of snapshots by ridge regression, with " +
			"the snapshots as observable.",
		Network:  o.Network,
		Views:    &compose.Views{Normalise: compose.NormaliseNone, Lagged: compose.LaggedEncoder, Constant: true},
		Schedule: &nn.Schedule{Epochs: 50, BatchSize: 64, LearningRate: 1e-3, Optimiser: nn.Adam},
	}
}
