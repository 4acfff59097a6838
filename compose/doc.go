// Package compose makes methods out of parts, so that a third party need not write a whole one.
//
// The general composition is [New]: an embedder, and an evolution operator fitted to its features. A loss becomes a method
// as the reference encoder trained under it ([LossEmbedder]) and ridge regression ([LossMethod]); an embedder as itself and
// ridge regression ([EmbedderMethod]); an evolution operator on reference features that are trained once ([OperatorMethod],
// [Share]). The built-in methods are compositions too. What New returns, and its parts, have a guard around them
// ([core.Guard]), so that nothing here checks what a part is given and returns.
//
// compose imports core, nn and linalg.
package compose
