package vamp

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

// New returns the method "vamp". Nil options are the defaults.
func New(runtime *nn.Runtime, o *Options) core.Method {
	if o == nil {
		o = &Options{}
	}
	return compose.LossMethod(runtime, Loss{}, linalg.Ridge{}, &compose.LossOptions{
		Name:    "vamp",
		Summary: "VAMPnet: an encoder trained under the VAMP score",
		Doc: "The encoder is trained to span the leading singular functions of the evolution operator. Its loss is the " +
			"negative score of the variational approach for Markov processes (Mardt, Pasquali, Wu and Noé, VAMPnets for deep " +
			"learning of molecular kinetics, Nature Communications 9, 2018; Wu and Noé, Variational approach for learning " +
			"Markov processes from time series data, Journal of Nonlinear Science 30, 2020). By default features have length " +
			"1, and in training those of successors are multiplied by a matrix, which is trained too. Then the evolution " +
			"operator is fitted to the features by ridge regression, with the snapshots as observable.",
		Network: o.Network,
	})
}
