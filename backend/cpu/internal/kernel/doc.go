// Package kernel holds the arithmetic of the cpu backend: functions on slices that know nothing of graphs, buffers or
// workers. It imports the standard library and golang.org/x/sys/cpu only.
//
// # Sets
//
// A [Set] is one implementation of all kernels: [Generic] in plain Go, [AVX2] (with FMA3 and BMI2)
// and [AVX512] (F, BW, DQ, VL) in assembly. [Best] picks the fastest that the processor runs;
// [ByName] serves a setting. A Set is a small value; its methods, and the functions that take one,
// may be called from any number of goroutines as long as they write to distinct memory. Sets may
// differ in the last bits, because some fuse multiply and add; elementwise add, subtract, multiply,
// divide, max, min and square root, sums and pooling are the same bits in each.
//
// NaN and infinities propagate as IEEE 754 says; the sign of a zero and the payload of a NaN are
// not defined. What lies beside an image is not part of a convolution's sums: kernels that multiply
// zeros there look whether the other factor is finite (the weights when they are packed, the
// gradient of the weights when it is there) and else take a way without these zeros. Likewise a
// gradient that ReLU stops is multiplied by zero, and the gradients that skip such products first
// look at what they skip.
//
// # Layout
//
// All arrays are dense and row-major. Images are NHWC ([N, height, width, channels]); convolution weights are [kernel
// height, kernel width, in, out]; matrices have leading dimensions as in BLAS. Slices that are too short panic
// before anything is written; outputs must not overlap inputs unless a function says so.
//
// # Splitting work
//
// Nothing here starts a goroutine. A function that takes a range lo, hi works on that part only, and a caller may
// cut the range anywhere and run the parts at the same time: the bits do not change. Where a result is a sum over the
// range (kernel and bias gradients), the caller uses the fixed chunks of [GradientChunks] and adds the partial sums
// with [Set.SumPartials].
//
// Scratch memory is the caller's, one piece for each call in flight, of the length that the
// …Scratch function gives; its contents need not be cleared.
//
// # What is where
//
//   - tile.go: the two small matrix products on which the rest stands
//   - gemm.go, syrk.go: [Gemm], [Syrk]
//   - conv.go, convrows.go, convgrad.go: [Set.Conv], [Set.ConvKernelGradient], [Set.ConvInputGradient];
//     sparse.go: the gradients behind ReLU and max-pool; upsample.go: [FoldUpsampling]
//   - pool.go: [Set.MaxPool], [Set.Rectify] and their gradients
//   - elementwise.go, reduce.go, transpose.go: [Binary], [Unary], [Sum], [Reduce]
//   - dispatch_amd64.go, dispatch_other.go: the way from a set to its assembly
//
// # Rates
//
// GFLOP/s on one core of an AMD EPYC (Zen 5), float32, the best of several runs on a shared
// machine. Convolutions count the products with zeros around the image, gradients behind the pool
// those of the dense form. Command: go test -bench 'Conv|Gemm|Syrk' -count 10.
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
// *_amd64.s and stub_amd64.go are written by the programs in gen, a module of its own:
//
//	go generate ./backend/cpu/internal/kernel
package kernel

//go:generate sh -c "cd gen && go run . -dir .."
