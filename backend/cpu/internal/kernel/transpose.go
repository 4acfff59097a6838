package kernel

// Transpose writes the transposed of x to dst: x is rows × cols with rows ldx apart, dst is cols × rows with rows lddst
// apart. A caller may cut either dimension by passing a part of both matrices.
func Transpose[T float](s Set, dst []T, lddst int, x []T, ldx, rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	need("x", x, (rows-1)*ldx+cols)
	need("dst", dst, (cols-1)*lddst+rows)
	transpose(s, dst, lddst, x, ldx, rows, cols)
}

func transpose[T float](_ Set, dst []T, lddst int, x []T, ldx, rows, cols int) {
	const b = 8
	for i := 0; i < rows; i += b {
		in := min(b, rows-i)
		for j := 0; j < cols; j++ {
			d := dst[j*lddst+i:][:in]
			src := x[i*ldx+j:]
			for r := range d {
				d[r] = src[r*ldx]
			}
		}
	}
}
