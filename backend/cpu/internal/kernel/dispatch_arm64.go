package kernel

import "unsafe"

// All processors of arm64 have NEON.
func available(s Set) bool { return s == NEON }

func pointer[T any](x *T) *byte { return (*byte)(unsafe.Pointer(x)) }

// first is the address of the first element, in the form that the assembly takes.
func first[T float](x []T) *byte { return (*byte)(unsafe.Pointer(unsafe.SliceData(x))) }

func runTile[T float](s Set, t *tile[T]) {
	if s == Generic {
		genericTile(t)
		return
	}
	p, vector, single := pointer(t), 16/sizeof[T](), sizeof[T]() == 4
	for j := 0; j < t.cols; {
		switch rest := t.cols - j; {
		case rest >= 4*vector && t.rows <= 6 && single:
			tile4F32NEON(p, j)
			j += 4 * vector
		case rest >= 4*vector && t.rows <= 6:
			tile4F64NEON(p, j)
			j += 4 * vector
		case rest >= 2*vector && single:
			tile2F32NEON(p, j)
			j += 2 * vector
		case rest >= 2*vector:
			tile2F64NEON(p, j)
			j += 2 * vector
		case rest >= vector && single:
			tile1F32NEON(p, j)
			j += vector
		case rest >= vector:
			tile1F64NEON(p, j)
			j += vector
		case single:
			tile0F32NEON(p, j)
			j++
		default:
			tile0F64NEON(p, j)
			j++
		}
	}
}

func runDotTile[T float](s Set, t *tile[T]) {
	if s == Generic {
		genericDotTile(t)
		return
	}
	var sums [2 * maxDotCols]T
	for r := 0; r < t.rows; r += 2 {
		rows := min(2, t.rows-r)
		if sizeof[T]() == 4 {
			dotF32NEON(pointer(t), r, rows, pointer(&sums))
		} else {
			dotF64NEON(pointer(t), r, rows, pointer(&sums))
		}
		for i := range rows {
			for j, v := range sums[i*t.cols:][:t.cols] {
				t.finish(&t.c[(r+i)*t.cRow+j*t.cCol], v, j)
			}
		}
	}
}

func vectorBinary[T float](s Set, op BinaryOp, dst, a, b []T) bool {
	switch {
	case s == Generic:
		return false
	case len(dst) == 0:
	case sizeof[T]() == 4:
		binaryF32NEON(int(op), first(dst), first(a), first(b), len(dst))
	default:
		binaryF64NEON(int(op), first(dst), first(a), first(b), len(dst))
	}
	return true
}

func vectorUnary[T float](s Set, op UnaryOp, dst, a []T) bool {
	switch {
	case s == Generic || op > Sign:
		return false
	case len(dst) == 0:
	case sizeof[T]() == 4:
		unaryF32NEON(int(op), first(dst), first(a), len(dst))
	default:
		unaryF64NEON(int(op), first(dst), first(a), len(dst))
	}
	return true
}

// vectorSum writes the partial sums of whole blocks of x to acc and returns how many elements it has summed.
func vectorSum[T float](s Set, acc *[sumLanes]T, x []T) int {
	blocks := len(x) / sumLanes
	switch {
	case s == Generic || blocks == 0:
		return 0
	case sizeof[T]() == 4:
		sumF32NEON(first(acc[:]), first(x), blocks)
	default:
		sumF64NEON(first(acc[:]), first(x), blocks)
	}
	return blocks * sumLanes
}

// vectorExtreme is vectorSum for the maximum or, if smallest is 1, the minimum.
func vectorExtreme[T float](s Set, smallest int, acc *[sumLanes]T, x []T) int {
	blocks := len(x) / sumLanes
	switch {
	case s == Generic || blocks == 0:
		return 0
	case sizeof[T]() == 4 && smallest == 1:
		leastF32NEON(first(acc[:]), first(x), blocks)
	case sizeof[T]() == 4:
		mostF32NEON(first(acc[:]), first(x), blocks)
	case smallest == 1:
		leastF64NEON(first(acc[:]), first(x), blocks)
	default:
		mostF64NEON(first(acc[:]), first(x), blocks)
	}
	return blocks * sumLanes
}

func vectorAddRows[T float](s Set, dst, x []T, rows int) bool {
	switch {
	case s == Generic:
		return false
	case len(dst) == 0 || rows == 0:
	case sizeof[T]() == 4:
		addRowsF32NEON(first(dst), first(x), rows, len(dst))
	default:
		addRowsF64NEON(first(dst), first(x), rows, len(dst))
	}
	return true
}

func vectorFinite(s Set, x []float32) (finite, ok bool) {
	if s == Generic {
		return false, false
	}
	if len(x) == 0 {
		return true, true
	}
	var sums [4]float32
	finiteF32NEON(pointer(&sums), first(x), len(x))
	return sums[0]+sums[1]+sums[2]+sums[3] == 0, true
}

// The assembly works on four channels or values at a time.

func vectorPoolRow(s Set, e Epilogue, cells, channels int, row0, row1, out []float32, winner []uint8) bool {
	if s == Generic || channels%4 != 0 {
		return false
	}
	_, _, _ = row0[2*cells*channels-1], row1[2*cells*channels-1], out[cells*channels-1]
	var win *uint8
	if winner != nil {
		win = &winner[:cells*channels][0]
	}
	poolRowNEON(&row0[0], &row1[0], &out[0], win, cells, channels, reluMode(e))
	return true
}

func vectorUnpoolRow(s Set, cells, channels int, g []float32, winner []uint8, row0, row1 []float32) bool {
	if s == Generic || channels%4 != 0 {
		return false
	}
	_, _, _, _ = row0[2*cells*channels-1], row1[2*cells*channels-1], g[cells*channels-1], winner[cells*channels-1]
	unpoolRowNEON(&g[0], &winner[0], &row0[0], &row1[0], cells, channels)
	return true
}

func vectorReLUGradient(s Set, dst, g []float32, winner []uint8) bool {
	n := len(dst)
	if s == Generic || n%4 != 0 {
		return false
	}
	_, _ = g[n-1], winner[n-1]
	reluGradientNEON(&dst[0], &g[0], &winner[0], n)
	return true
}

func vectorRectify(s Set, e Epilogue, y []float32, winner []uint8) bool {
	if s == Generic || len(y)%4 != 0 {
		return false
	}
	_ = winner[len(y)-1]
	rectifyNEON(&y[0], &winner[0], len(y), reluMode(e|ReLU))
	return true
}

func vectorTaps(Set, *Conv, []float32, []float32, []float32) bool { return false }

// vectorSparseList lists the pixels with a gradient of output channel o and returns how many there are.
func vectorSparseList(_ Set, c *Conv, h, w int, g []float32, winner []uint8, o int, list []float32) int {
	pixel, row := 4*c.In, 4*c.In*c.padWidth()
	windows := [4]int{0, pixel, row, row + pixel}
	n := 0
	for i := range h {
		for j := range w {
			at := (i*w+j)*c.Out + o
			if winner[at]&Dead != 0 {
				continue
			}
			e := list[entry*n:][:entry]
			*(*int)(unsafe.Pointer(&e[0])) = 2*i*row + 2*j*pixel + windows[winner[at]&3]
			e[2] = g[at]
			n++
		}
	}
	return n
}

func vectorSparseKernel(_ Set, c *Conv, acc, sum, image, list []float32, entries int) {
	pixel, row := 4*c.In, c.In*c.padWidth()
	n := c.KernelWidth * sparseChannels
	var rest [1]float32
	for u := range c.KernelHeight {
		if u > 0 {
			sum = rest[:]
		}
		if c.KernelWidth == 3 {
			sparseKernel3NEON(&acc[u*n], &sum[0], &image[u*row], first(list), entries, pixel)
		} else {
			sparseKernel5NEON(&acc[u*n], &sum[0], &image[u*row], first(list), entries, pixel)
		}
	}
}

// vectorSparseInput adds one channel's gradients times its weights to the image. The weights of the
// taps are stride apart, the last tap first.
func vectorSparseInput(_ Set, c *Conv, weights []float32, stride int, image, list []float32, entries int) {
	pixel, row := 4*c.In, c.In*c.padWidth()
	for u := range c.KernelHeight {
		w := &weights[(c.KernelHeight-1-u)*c.KernelWidth*stride]
		if c.KernelWidth == 3 {
			sparseInput3NEON(w, &image[u*row], first(list), entries, pixel, 4*stride)
		} else {
			sparseInput5NEON(w, &image[u*row], first(list), entries, pixel, 4*stride)
		}
	}
}
