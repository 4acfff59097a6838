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
		Doc: "Regresses the functions of a dictionary one lag on from those now, and with them the snapshot itself, in " +
			"float64 (Williams, Kevrekidis and Rowley, A data-driven approximation of the Koopman operator: extending " +
			"dynamic mode decomposition, J. Nonlinear Sci. 25, 2015). variant=full with alpha=0 is least squares as it " +
			"stands there; alpha regularises it, and the rank is limited as in the other methods here. " + doc +
			" Predictions are not clipped.",
		Precision: compose.Float64,
	})
}
