package contrastive

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

// New returns the method "contrastive". Nil options are the defaults.
func New(runtime *nn.Runtime, o *Options) core.Method {
	return compose.LossMethod(runtime, Loss{}, linalg.Ridge{}, o.loss())
}

// Features returns the embedder of the method "contrastive". Evolution operators are compared on its features. Nil
// options are the defaults.
func Features(runtime *nn.Runtime, o *Options) core.Embedder {
	return compose.LossEmbedder(runtime, Loss{}, o.loss())
}

func (o *Options) loss() *compose.LossOptions {
	if o == nil {
		o = &Options{}
	}
	return &compose.LossOptions{
		Name:    "contrastive",
		Summary: "an encoder trained under the spectral contrastive loss",
		Doc: "The encoder is trained to span the leading singular functions of the evolution operator. Its loss " +
			"distinguishes a snapshot's successor from those of other snapshots (HaoChen, Wei, Gaidon and Ma, Provable " +
			"guarantees for self-supervised deep learning with spectral contrastive loss, NeurIPS 2021; for evolution " +
			"operators Turri and others, Self-supervised evolution operator learning for high-dimensional dynamical systems, " +
			"arXiv:2505.18671, 2025). The relaxed score of DPNets is related (the method dpnets-relaxed). By default features " +
			"have length 1, and in training those of successors are multiplied by a matrix, which is trained too. Then the " +
			"evolution operator is fitted to the features by ridge regression, with the snapshots as observable.",
		Network: o.Network,
	}
}
