package kernel

// transpose writes the transposed of x to dst: x is rows × cols with rows ldx apart, dst is cols × rows with rows lddst
// apart.
func transpose[T float](dst []T, lddst int, x []T, ldx, rows, cols int) {
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
