// Package diagnostics says how near an estimated evolution operator is to the true one, where that
// is known, and how far it agrees with itself on data that it has not seen. It knows numbers alone:
// eigenvalues, and values of eigenfunctions at snapshots. Its functions are pure.
//
// Eigenfunctions are right ones, those of the operator itself: E[ψ(x_lag) | x_0] = λ ψ(x_0).
package diagnostics
