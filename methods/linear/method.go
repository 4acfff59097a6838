package linear

import (
	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

// New returns the method "linear".
func New() core.Method {
	return compose.New(Pixels(), linalg.Ridge{}, &compose.Options{
		Name:    "linear",
		Summary: "reduced-rank ridge regression on the standardised values",
		Doc: "The features are the values of the snapshot, each standardised over the training snapshots. Reduced-rank " +
			"regression fits the evolution operator to them (Kostic, Novelli, Maurer, Ciliberto, Rosasco and Pontil, Learning " +
			"dynamical systems via Koopman operator regression in reproducing kernel Hilbert spaces, NeurIPS 2022). " +
			"Everything is computed in float64. Predictions have the units of the snapshot and are not clipped.",
		Precision: compose.Float64,
		Features:  func(t *core.Training) int { return t.Train.Size() },
	})
}
