//go:build !amd64 && !arm64

package kernel

func available(Set) bool { return false }

func runTile[T float](_ Set, t *tile[T]) { genericTile(t) }

func runDotTile[T float](_ Set, t *tile[T]) { genericDotTile(t) }

func vectorBinary[T float](Set, BinaryOp, []T, []T, []T) bool { return false }

func vectorUnary[T float](Set, UnaryOp, []T, []T) bool { return false }

func vectorSum[T float](Set, *[sumLanes]T, []T) int { return 0 }

func vectorExtreme[T float](Set, int, *[sumLanes]T, []T) int { return 0 }

func vectorAddRows[T float](Set, []T, []T, int) bool { return false }

func vectorFinite(Set, []float32) (finite, ok bool) { return false, false }

func vectorPoolRow(Set, Epilogue, int, int, []float32, []float32, []float32, []uint8) bool {
	return false
}

func vectorUnpoolRow(Set, int, int, []float32, []uint8, []float32, []float32) bool { return false }

func vectorReLUGradient(Set, []float32, []float32, []uint8) bool { return false }

func vectorRectify(Set, Epilogue, []float32, []uint8) bool { return false }

func vectorTaps(Set, *Conv, []float32, []float32, []float32) bool { return false }

// The sparse forms exist in assembly only; Set.sparse says so.

func vectorSparseList(Set, *Conv, int, int, []float32, []uint8, int, []float32) int {
	panic("kernel: no sparse form")
}

func vectorSparseKernel(Set, *Conv, []float32, []float32, []float32, []float32, int) {
	panic("kernel: no sparse form")
}

func vectorSparseInput(Set, *Conv, []float32, int, []float32, []float32, int) {
	panic("kernel: no sparse form")
}
