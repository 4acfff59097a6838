// Package cpu is a GoMLX backend that runs graphs on the processor with its own kernels. Importing
// it registers it as "cpu":
//
//	import _ "github.com/koopbench/koopbench/backend/cpu"
//
//	backend, err := compute.NewWithConfig("cpu:threads=2")
//
// [New] documents the configuration. Every GoMLX program runs. Operations that this package does
// not implement run on GoMLX's Go backend, in the same memory.
//
// # How a graph becomes a plan
//
//   - [Builder] and [Function] record operations. A builder of the Go backend receives the same
//     operations, checks them and infers shapes. A graph with named functions or dynamic shapes
//     runs on the Go backend as a whole.
//   - graph.go removes dead code, merges common subexpressions and folds constants. convolve.go,
//     pool.go and patterns.go bring convolutions, pools, matrix products and ReLU's gradients into
//     one form each. patterns.go also joins convolution, bias, ReLU and max-pool, forward and
//     backward. upsample.go folds enlarged images into convolutions.
//   - plan.go groups what remains and gives every value a place in memory. Elementwise operations
//     become loops (loop.go). Operations without a kernel become subgraphs for the Go backend. Each
//     other operation becomes steps (steps.go).
//   - executable.go runs the steps on a fixed pool of goroutines (internal/workers). It cuts a step
//     into parts by shape alone.
//
// docs/design/cpu-backend.md gives the reasons. [Backend.Profile] reports where each operation ran
// and how long it took.
//
// # Results
//
// The same graph, inputs and kernel set give the same bits, in any run and with any number of
// threads. The last bits differ between kernel sets, and between each of them and the Go backend.
//
// NaN and infinities propagate as IEEE 754 defines, and as on the Go backend: sums leave out pixels
// beside an image, and a gradient that ReLU or a max-pool stops is multiplied by zero. There are
// two differences:
//
//   - A dilation puts zeros between elements, of a kernel or in the gradients of a strided
//     convolution. These zeros are multiplied like other values, so they turn infinities into NaN.
//   - The kernel of a convolution of an enlarged image may have taps of both signs on one pixel of
//     the small image. If that pixel is infinite, the result may be an infinity where the sum of
//     single products is NaN.
//
// # Imports
//
// The package may import GoMLX's compute modules and its own internal packages. In koopbench, only
// cli imports it.
package cpu
