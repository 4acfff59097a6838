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
		Doc: "Regresses the functions of a dictionary one lag on from those now, and with them the snapshot itself, " +
			"in float64 (Williams, Kevrekidis and Rowley, A data-driven approximation of the Koopman operator: " +
			"extending dynamic mode decomposition, J. Nonlinear Sci. 25, 2015). variant=full with alpha=0 is least " +
			"squares as it stands there; the default differs by a small alpha. variant=reduced-rank limits the " +
			"rank, to that of the task unless one is given, and is faster on large snapshots. " + doc +
			" Predictions are not clipped.",
		Precision: compose.Float64,
		Defaults:  map[string]any{"variant": string(linalg.Full)},
	})
}
