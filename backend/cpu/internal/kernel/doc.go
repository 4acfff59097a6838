// Package kernel contains the arithmetic of the cpu backend: functions on slices that do not know
// graphs, buffers or workers. It imports only the standard library and golang.org/x/sys/cpu.
//
// # Sets
//
// A [Set] is one implementation of all kernels: [Generic] in plain Go, [AVX2] (with FMA3 and BMI2)
// and [AVX512] (F, BW, DQ, VL) in assembly for amd64, and [NEON] in assembly for arm64. [Best] picks
// the fastest set that the processor supports, and [ByName] finds the set that a setting names. A
// Set is a small value. Its methods, and the functions that take one, may be called from any number
// of goroutines if they write to distinct memory. Sets may differ in the last bits, because some
// fuse multiply and add. In all sets, these give the same bits: elementwise add, subtract, multiply,
// divide, max, min and square root, sums, and pooling.
//
// NaN and infinities propagate as IEEE 754 defines. The payload of a NaN is not defined, nor is the
// sign of a zero that comes out of a convolution, ReLU or a pool. A convolution's sums leave out
// pixels beside the image. Kernels that multiply zeros there check whether the other factor is
// finite: the weights when they are packed, and the gradient of the weights when it is done. If it
// is not, they compute without these zeros. Likewise, a gradient that ReLU stops is multiplied by
// zero. The gradients that skip such products check first what they skip.
//
// # Layout
//
// All arrays are dense and row-major. Images are NHWC ([N, height, width, channels]). Convolution
// weights are [kernel height, kernel width, in, out]. Matrices have leading dimensions as in BLAS.
// If a slice is too short, a function panics before it writes anything. Outputs must not overlap
// inputs unless a function allows it.
//
// # Splitting work
//
// Nothing here starts a goroutine. A function that takes a range lo, hi works only on that part. A
// caller may cut the range anywhere and run the parts at the same time, and the bits do not change.
// Kernel and bias gradients are sums over the range. For them, the caller uses the fixed chunks of
// [GradientChunks] and adds the partial sums with [Set.SumPartials].
//
// The caller provides scratch memory, one piece for each call in progress. The …Scratch function
// gives its length. Its contents need not be cleared.
//
// # Files
//
//   - tile.go: the two small matrix products on which the rest is built
//   - gemm.go, syrk.go: [Gemm], [Syrk]
//   - conv.go, convrows.go, convgrad.go: [Set.Conv], [Set.ConvKernelGradient],
//     [Set.ConvInputGradient]; sparse.go: the gradients behind ReLU and max-pool; upsample.go:
//     [FoldUpsampling]
//   - pool.go: [Set.MaxPool], [Set.Rectify] and their gradients
//   - elementwise.go, reduce.go, transpose.go: [Binary], [Unary], [Sum], [Reduce]
//   - dispatch_amd64.go, dispatch_arm64.go, dispatch_other.go: the calls from a set to its assembly
//
// # Rates
//
// GFLOP/s on one core of an AMD EPYC (Zen 5), float32, the best of several runs on a shared
// machine. For convolutions, the products with zeros around the image count. For gradients behind
// the pool, the products of the dense form count. Command: go test -bench 'Conv|Gemm|Syrk' -count
// 10.
//
//	                                                  AVX-512   AVX2   plain Go
//	convolution 5×5, 14×14, 16 → 32, ReLU, pool           270    125      3
//	its kernel gradient, dense / behind the pool      265/710  125/450    5
//	its input gradient, dense / behind the pool       250/525  125/310    3
//	convolution 5×5, 28×28, 1 → 16, ReLU, pool            155    100      2
//	its kernel gradient                                   195    100      2
//	convolution 5×5, 28×28, 16 → 1                        120     70      2
//	matrix product 784³, float32 / float64            245/120  115/55   3/3
//	symmetric product 784² × 3000, float64                100     50      2
//
// # Generated files
//
// The programs in gen, a module of its own, write *_amd64.s and stub_amd64.go:
//
//	go -C backend/cpu generate ./internal/kernel
package kernel

//go:generate sh -c "cd gen && go run . -dir .."
