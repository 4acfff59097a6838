package kernel

import (
	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

// New returns the method "kernel".
func New() core.Method {
	return compose.New(Features(), linalg.Ridge{}, &compose.Options{
		Name:    "kernel",
		Summary: "regression of limited rank in the space of a kernel",
		Doc: "The evolution operator is fitted to the features of a kernel by ridge regression in float64, with the " +
			"snapshots as observable (Kostic, Novelli, Maurer, Ciliberto, Rosasco and Pontil, Learning dynamical " +
			"systems via Koopman operator regression in reproducing kernel Hilbert spaces, NeurIPS 2022; by centres, " +
			"Meanti, Chatalic, Kostic, Novelli, Pontil and Rosasco, Estimating Koopman operators with sketching to " +
			"provably learn large scale dynamical systems, NeurIPS 2023). The option alpha is added to the covariance " +
			"in the space of the kernel. " + doc + " Predictions are not clipped.",
		Precision: compose.Float64,
		Features:  centresOf,
	})
}
