//go:build !amd64

package kernel

func vectorPoolRow(Set, Epilogue, int, int, []float32, []float32, []float32, []uint8) bool {
	return false
}

func vectorUnpoolRow(Set, int, int, []float32, []uint8, []float32, []float32) bool { return false }

func vectorReLUGradient(Set, []float32, []float32, []uint8) bool { return false }

func vectorRectify(Set, Epilogue, []float32, []uint8) bool { return false }

func vectorTaps(Set, *Conv, []float32, []float32, []float32) bool { return false }
