package edmd

import (
	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

// New returns the method "edmd".
func New() core.Method {
	return compose.New(Dictionary(), linalg.Ridge{}, &compose.Options{
		Name:    "edmd",
		Summary: "extended dynamic mode decomposition: ridge regression on a dictionary of functions",
		Doc: "The evolution operator is fitted to the functions of a dictionary by ridge regression in float64, with " +
			"the snapshots as observable (Williams, Kevrekidis and Rowley, A data-driven approximation of the Koopman " +
			"operator: extending dynamic mode decomposition, J. Nonlinear Sci. 25, 2015). The paper uses least squares: " +
			"variant=full with alpha=0. The default has a small alpha. variant=reduced-rank limits the rank, to the " +
			"number of states unless one is given, and is faster on large snapshots. " + doc +
			" Predictions are not clipped.",
		Precision: compose.Float64,
		Defaults:  map[string]any{"variant": string(linalg.Full)},
	})
}
