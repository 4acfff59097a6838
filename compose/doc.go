// Package compose makes methods out of parts. So a third party does not have to write a whole
// method.
//
// The general composition is [New]: an embedder, and an evolution operator that is fitted to its
// features. There is one composition for each kind of part:
//
//   - A loss trains the reference encoder ([LossEmbedder]), and an operator is fitted to its
//     features ([LossMethod]).
//   - An embedder is followed by an operator ([EmbedderMethod]).
//   - An operator works on reference features ([OperatorMethod]), which are trained once for all
//     operators ([Share]).
//
// Most built-in methods are compositions too. What New returns has a guard around it, and so do its
// parts ([core.Guard]). So nothing here checks what a part is given or returns.
//
// compose imports core, nn and linalg.
package compose
