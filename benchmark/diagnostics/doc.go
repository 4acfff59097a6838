// Package diagnostics measures how close an estimated evolution operator is to the true one, if
// that is known, and how well it agrees with itself on data that it has not seen. It works on
// numbers alone: eigenvalues, and values of eigenfunctions at snapshots. Its functions are pure.
//
// Eigenfunctions are right eigenfunctions, those of the operator itself: E[ψ(x_lag) | x_0] = λ
// ψ(x_0).
package diagnostics
