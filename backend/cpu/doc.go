// Package cpu is a GoMLX backend that runs graphs on the processor, on
// kernels of its own. Importing it registers it as "cpu":
//
//	import _ "github.com/koopbench/koopbench/backend/cpu"
//
//	backend, err := compute.NewWithConfig("cpu:threads=2")
//
// [New] documents the configuration. Every GoMLX program runs: what is not
// done here runs on GoMLX's Go backend, over the same memory.
//
// # How a graph becomes a plan
//
//   - [Builder] and [Function] record operations. A builder of the Go backend
//     receives the same operations, checks them and infers shapes; a graph
//     with closures, functions or dynamic shapes runs there whole.
//   - graph.go removes dead code, merges common subexpressions and folds
//     constants; convolve.go, pool.go and patterns.go give convolutions, pools,
//     matrix products and ReLU's gradients one form each; patterns.go joins
//     convolution, bias, ReLU and max-pool, forward and backward; upsample.go
//     folds enlarged images into convolutions.
//   - plan.go groups what remains: elementwise operations into loops (loop.go),
//     operations without a kernel into subgraphs for the Go backend, each other
//     operation into steps (steps.go); and it gives every value a place in memory.
//   - executable.go runs the steps, cut into parts by shape alone, on a fixed
//     pool of goroutines (internal/workers).
//
// docs/design/cpu-backend.md says why. [Backend.Profile] says what ran where
// and for how long.
//
// # Results
//
// The same graph, inputs and kernel set give the same bits for any number of threads and in any
// run. Kernel sets differ in the last bits from one another and from the Go backend.
//
// NaN and infinities spread as IEEE 754 says, and as on the Go backend: what lies beside an image is
// left out of sums, and a gradient that ReLU or a max-pool stops is multiplied by zero. There are two
// exceptions. A dilation puts zeros between elements, of a kernel or in the gradients of a strided
// convolution. They are multiplied like other values, so an infinity there makes NaN. And if the
// kernel of a convolution of an enlarged image has taps of both signs on one pixel of the small
// image, an infinite pixel may give an infinity where the sum of single products is NaN.
//
// # Imports
//
// The package may import GoMLX's compute modules and its own internal
// packages. Nothing of koopbench but cli imports it.
package cpu
