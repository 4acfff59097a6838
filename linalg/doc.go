// Package linalg is the float64 linear algebra of evolution operators. It has ridge regression of
// the features one lag later on the features now, with its reduced-rank and principal-component
// variants, and the quantities that follow from the result.
//
// [FitRidge] fits a [Model] to trajectories of features. [Ridge] is the same as a
// [core.EvolutionOperator], and [FitCovariances] takes covariances instead of features. A model
// predicts features and an observable for any number of steps. It also gives eigenvalues and
// eigenfunctions, singular values, risk, score and dynamical modes. [Covariances] computes those of
// two sets of features.
//
// Rows are times and columns are features throughout. A step is one lag. C_X, C_Y and C_XY are the
// covariances and the cross-covariance of the N lagged pairs (x, y), divided by N. G is the d×d
// matrix of the operator, E[φ(y) | x] ≈ φ(x) G.
//
// Features may have any scale that a float64 holds: a result is right, or there is an error. No
// result is made of squares that overflowed or vanished. But alpha is absolute, and so are the
// thresholds below which directions are dropped.
//
// Results do not depend on GOMAXPROCS. What is computed for a row depends on that row alone, to the
// bit, whichever BLAS is installed with blas64.Use. Functions do not change or keep their
// arguments.
//
// The estimators and their risk are those of Kostic, Novelli, Maurer, Ciliberto, Rosasco, Pontil:
// "Learning Dynamical Systems via Koopman Operator Regression in Reproducing Kernel Hilbert
// Spaces", NeurIPS 2022 (arXiv:2205.14027), in their primal form. Kostic, Novelli, Grazzi, Lounici,
// Pontil use them on learned features: "Learning invariant representations of time-homogeneous
// stochastic dynamical systems", ICLR 2024 (arXiv:2307.09912). Scaling and thresholds follow
// kooplearn 2.0.3.
//
// linalg may import core and gonum.
package linalg
