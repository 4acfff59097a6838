// Package linalg is the float64 linear algebra of evolution operators. It fits ridge regressions from
// features to the features one lag later, also of reduced rank and by principal components, and
// computes spectra and predictions from them.
//
// [FitRidge] fits a [Model] to trajectories of features; [Ridge] is the same as a
// [core.EvolutionOperator], and [FitCovariances] takes covariances instead of features. A model
// predicts features and an observable for any number of steps, and has eigenvalues and
// eigenfunctions, singular values, risk, score and dynamical modes. [Covariances] are those of two
// sets of features.
//
// Rows are times and columns are features throughout. A step is one lag. C_X, C_Y and C_XY are the
// covariances and the cross-covariance of the N lagged pairs (x, y), divided by N; G is the d×d
// matrix of the operator, E[φ(y) | x] ≈ φ(x) G.
//
// Results are right at any scale of the features that a float64 holds, or an error: none is made of
// squares that overflowed or vanished. But alpha, and the thresholds below which directions are
// dropped, are absolute.
//
// Results do not depend on GOMAXPROCS. What is computed for a row depends on that row alone, to the
// bit, whichever BLAS is installed with blas64.Use. No function changes its arguments or keeps
// them.
//
// The estimators and their risk are those of Kostic, Novelli, Maurer, Ciliberto, Rosasco, Pontil:
// "Learning Dynamical Systems via Koopman Operator Regression in Reproducing Kernel Hilbert
// Spaces", NeurIPS 2022 (arXiv:2205.14027), in their primal form, as Kostic, Novelli, Grazzi,
// Lounici, Pontil use them on learned features: "Learning invariant representations of
// time-homogeneous stochastic dynamical systems", ICLR 2024 (arXiv:2307.09912). Scaling and
// thresholds follow kooplearn 2.0.3.
//
// linalg may import core and gonum.
package linalg
