package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

func available(s Set) bool {
	switch s {
	case AVX2:
		return cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasBMI2
	case AVX512:
		return cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && available(AVX2)
	}
	return false
}

func runTile[T float](s Set, t *tile[T]) {
	p := (*byte)(unsafe.Pointer(t))
	switch {
	case s == Generic:
		genericTile(t)
	case s == AVX2 && sizeof[T]() == 4:
		tileF32AVX2(p)
	case s == AVX2:
		tileF64AVX2(p)
	case sizeof[T]() == 4:
		tileF32AVX512(p)
	default:
		tileF64AVX512(p)
	}
}

func runDotTile[T float](s Set, t *tile[T]) {
	p := (*byte)(unsafe.Pointer(t))
	switch {
	case s == Generic:
		genericDotTile(t)
	case s == AVX2 && sizeof[T]() == 4:
		dotTileF32AVX2(p)
	case s == AVX2:
		dotTileF64AVX2(p)
	case sizeof[T]() == 4:
		dotTileF32AVX512(p)
	default:
		dotTileF64AVX512(p)
	}
}

// first is the address of the first element, in the form that the assembly takes.
func first[T float](x []T) *byte { return (*byte)(unsafe.Pointer(unsafe.SliceData(x))) }

func vectorBinary[T float](s Set, op BinaryOp, dst, a, b []T) bool {
	if s == Generic {
		return false
	}
	if len(dst) == 0 {
		return true
	}
	switch {
	case s == AVX2 && sizeof[T]() == 4:
		binaryF32AVX2(int(op), first(dst), first(a), first(b), len(dst))
	case s == AVX2:
		binaryF64AVX2(int(op), first(dst), first(a), first(b), len(dst))
	case sizeof[T]() == 4:
		binaryF32AVX512(int(op), first(dst), first(a), first(b), len(dst))
	default:
		binaryF64AVX512(int(op), first(dst), first(a), first(b), len(dst))
	}
	return true
}

func vectorUnary[T float](s Set, op UnaryOp, dst, a []T) bool {
	if s == Generic {
		return false
	}
	if len(dst) == 0 {
		return true
	}
	if op > Sign {
		which, ok := functionCode(op)
		if !ok || sizeof[T]() != 4 {
			return false
		}
		d, x := (*float32)(unsafe.Pointer(&dst[0])), (*float32)(unsafe.Pointer(&a[0]))
		if s == AVX2 {
			functionAVX2(which, d, x, len(dst))
		} else {
			functionAVX512(which, d, x, len(dst))
		}
		return true
	}
	switch {
	case s == AVX2 && sizeof[T]() == 4:
		unaryF32AVX2(int(op), first(dst), first(a), len(dst))
	case s == AVX2:
		unaryF64AVX2(int(op), first(dst), first(a), len(dst))
	case sizeof[T]() == 4:
		unaryF32AVX512(int(op), first(dst), first(a), len(dst))
	default:
		unaryF64AVX512(int(op), first(dst), first(a), len(dst))
	}
	return true
}

// functionCode is the number of an operation in gen/functions.go.
func functionCode(op UnaryOp) (which int, ok bool) {
	switch op {
	case Exp:
		return 0, true
	case Expm1:
		return 1, true
	case Log:
		return 2, true
	case Tanh:
		return 3, true
	case Sigmoid:
		return 4, true
	case Floor:
		return 5, true
	case Ceil:
		return 6, true
	case Round:
		return 7, true
	case Erf:
		return 8, true
	}
	return 0, false
}

// vectorSum writes the partial sums of whole blocks of x to acc and returns how many elements it has summed.
func vectorSum[T float](s Set, acc *[sumLanes]T, x []T) int {
	blocks := len(x) / sumLanes
	if s == Generic || blocks == 0 {
		return 0
	}
	switch {
	case s == AVX2 && sizeof[T]() == 4:
		sumF32AVX2(first(acc[:]), first(x), blocks)
	case s == AVX2:
		sumF64AVX2(first(acc[:]), first(x), blocks)
	case sizeof[T]() == 4:
		sumF32AVX512(first(acc[:]), first(x), blocks)
	default:
		sumF64AVX512(first(acc[:]), first(x), blocks)
	}
	return blocks * sumLanes
}

// vectorExtreme is vectorSum for the maximum or, if smallest is 1, the minimum.
func vectorExtreme[T float](s Set, smallest int, acc *[sumLanes]T, x []T) int {
	blocks := len(x) / sumLanes
	if s == Generic || blocks == 0 {
		return 0
	}
	switch {
	case s == AVX2 && sizeof[T]() == 4:
		extremeF32AVX2(smallest, first(acc[:]), first(x), blocks)
	case s == AVX2:
		extremeF64AVX2(smallest, first(acc[:]), first(x), blocks)
	case sizeof[T]() == 4:
		extremeF32AVX512(smallest, first(acc[:]), first(x), blocks)
	default:
		extremeF64AVX512(smallest, first(acc[:]), first(x), blocks)
	}
	return blocks * sumLanes
}

func vectorAddRows[T float](s Set, dst, x []T, rows int) bool {
	if s == Generic {
		return false
	}
	if len(dst) == 0 || rows == 0 {
		return true
	}
	switch {
	case s == AVX2 && sizeof[T]() == 4:
		addRowsF32AVX2(first(dst), first(x), rows, len(dst))
	case s == AVX2:
		addRowsF64AVX2(first(dst), first(x), rows, len(dst))
	case sizeof[T]() == 4:
		addRowsF32AVX512(first(dst), first(x), rows, len(dst))
	default:
		addRowsF64AVX512(first(dst), first(x), rows, len(dst))
	}
	return true
}

func vectorFinite(s Set, x []float32) (finite, ok bool) {
	switch {
	case s == Generic:
		return false, false
	case len(x) == 0:
		return true, true
	case s == AVX2:
		return finiteF32AVX2(first(x), len(x)), true
	}
	return finiteF32AVX512(first(x), len(x)), true
}

func vectorPoolRow(s Set, e Epilogue, cells, channels int, row0, row1, out []float32, winner []uint8) bool {
	if s == Generic {
		return false
	}
	_, _, _ = row0[2*cells*channels-1], row1[2*cells*channels-1], out[cells*channels-1]
	var win *uint8
	if winner != nil {
		win = &winner[:cells*channels][0]
	}
	if s == AVX2 {
		poolRowAVX2(&row0[0], &row1[0], &out[0], win, cells, channels, reluMode(e))
	} else {
		poolRowAVX512(&row0[0], &row1[0], &out[0], win, cells, channels, reluMode(e))
	}
	return true
}

func vectorUnpoolRow(s Set, cells, channels int, g []float32, winner []uint8, row0, row1 []float32) bool {
	if s == Generic {
		return false
	}
	_, _, _, _ = row0[2*cells*channels-1], row1[2*cells*channels-1], g[cells*channels-1], winner[cells*channels-1]
	if s == AVX2 {
		unpoolRowAVX2(&g[0], &winner[0], &row0[0], &row1[0], cells, channels)
	} else {
		unpoolRowAVX512(&g[0], &winner[0], &row0[0], &row1[0], cells, channels)
	}
	return true
}

func vectorReLUGradient(s Set, dst, g []float32, winner []uint8) bool {
	switch s {
	case AVX2:
		reluGradientAVX2(&dst[0], &g[0], &winner[0], len(dst))
	case AVX512:
		reluGradientAVX512(&dst[0], &g[0], &winner[0], len(dst))
	default:
		return false
	}
	return true
}

func vectorRectify(s Set, e Epilogue, y []float32, winner []uint8) bool {
	switch s {
	case AVX2:
		rectifyAVX2(&y[0], &winner[0], len(y), reluMode(e|ReLU))
	case AVX512:
		rectifyAVX512(&y[0], &winner[0], len(y), reluMode(e|ReLU))
	default:
		return false
	}
	return true
}

// vectorSparseList lists the pixels with a gradient of output channel o and returns how many there are.
func vectorSparseList(_ Set, c *Conv, h, w int, g []float32, winner []uint8, o int, list []float32) int {
	pixel, row := 4*c.In, 4*c.In*c.padWidth()
	windows := [8]int{0, pixel, row, row + pixel}
	_, _, _ = list[entry*h*w-1], g[h*w*c.Out-1], winner[h*w*c.Out-1]
	return sparseList(first(list), &winner[o], &g[o], &windows[0], h, w, c.Out, 2*pixel, 2*row) / (4 * entry)
}

func vectorSparseKernel(s Set, c *Conv, acc, sum, image, list []float32, entries int) {
	pixel, row := 4*c.In, 4*c.In*c.padWidth()
	switch {
	case s == AVX512 && c.KernelWidth == 3:
		sparseKernel3AVX512(&acc[0], &sum[0], &image[0], first(list), entries, pixel, row)
	case s == AVX512:
		sparseKernel5AVX512(&acc[0], &sum[0], &image[0], first(list), entries, pixel, row)
	default:
		n := c.KernelWidth * sparseChannels
		var rest [1]float32
		for u := range c.KernelHeight {
			if u > 0 {
				sum = rest[:]
			}
			if c.KernelWidth == 3 {
				sparseKernel3AVX2(&acc[u*n], &sum[0], &image[u*row/4], first(list), entries, pixel, row)
			} else {
				sparseKernel5AVX2(&acc[u*n], &sum[0], &image[u*row/4], first(list), entries, pixel, row)
			}
		}
	}
}

// vectorSparseInput adds one channel's gradients times its weights to the image. The weights of the
// taps are stride apart, the last tap first.
func vectorSparseInput(s Set, c *Conv, weights []float32, stride int, image, list []float32, entries int) {
	pixel, row := 4*c.In, 4*c.In*c.padWidth()
	switch {
	case s == AVX512 && c.KernelWidth == 3:
		sparseInput3AVX512(&weights[0], &image[0], first(list), entries, pixel, row, 4*stride)
	case s == AVX512:
		sparseInput5AVX512(&weights[0], &image[0], first(list), entries, pixel, row, 4*stride)
	default:
		for u := range c.KernelHeight {
			w := &weights[(c.KernelHeight-1-u)*c.KernelWidth*stride]
			if c.KernelWidth == 3 {
				sparseInput3AVX2(w, &image[u*row/4], first(list), entries, pixel, row, 4*stride)
			} else {
				sparseInput5AVX2(w, &image[u*row/4], first(list), entries, pixel, row, 4*stride)
			}
		}
	}
}

// vectorTaps adds the gradient of the weights of a convolution of one input channel, see gen/taps.go.
func vectorTaps(s Set, c *Conv, image, g, dw []float32) bool {
	if s != AVX512 || c.KernelHeight != c.KernelWidth || c.KernelWidth != 3 && c.KernelWidth != 5 {
		return false
	}
	row := 4 * c.padWidth()
	for j := 0; j < c.Out; j += 16 {
		if c.KernelWidth == 3 {
			taps3AVX512(&dw[j], &image[0], &g[j], c.OutHeight(), c.OutWidth(), row, c.Out, min(16, c.Out-j))
		} else {
			taps5AVX512(&dw[j], &image[0], &g[j], c.OutHeight(), c.OutWidth(), row, c.Out, min(16, c.Out-j))
		}
	}
	return true
}
