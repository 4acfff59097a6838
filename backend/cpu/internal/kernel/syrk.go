package kernel

// RankUpdate describes the symmetric product C ← alpha·op(A)·op(A)ᵀ + beta·C of row-major matrices:
// op(A) is N×K, and of C, N×N, only one triangle (with the diagonal) is read and written. A is
// stored N×K, or K×N if Trans.
type RankUpdate struct {
	Upper, Trans bool
	N, K         int
	LDA, LDC     int
}

func (u *RankUpdate) product() MatMul {
	return MatMul{TransA: u.Trans, TransB: !u.Trans, M: u.N, N: u.N, K: u.K, LDA: u.LDA, LDB: u.LDA, LDC: u.LDC}
}

// SyrkBlocks returns the number of blocks of columns into which C is cut. They differ in size.
func SyrkBlocks[T float](s Set, u *RankUpdate) int {
	b := 6 * lanes[T](s)
	return (u.N + b - 1) / b
}

// SyrkScratch returns the length of the scratch slice for one call of [Syrk].
func SyrkScratch[T float](s Set, _ *RankUpdate) int {
	b := 6 * lanes[T](s)
	return depth*b + packedRows + b*b
}

// Syrk computes blocks lo ≤ i < hi of C, [SyrkBlocks] in all. If beta is zero, C is written without being read.
// Splitting changes no bits.
func Syrk[T float](s Set, u *RankUpdate, lo, hi int, alpha T, a []T, beta T, c []T, scratch []T) {
	if u.N <= 0 || lo >= hi {
		return
	}
	need("c", c, (u.N-1)*u.LDC+u.N)
	need("scratch", scratch, SyrkScratch[T](s, u))
	product := u.K > 0 && alpha != 0
	if product && u.Trans {
		need("a", a, (u.K-1)*u.LDA+u.N)
	} else if product {
		need("a", a, (u.N-1)*u.LDA+u.K)
	}
	b := 6 * lanes[T](s)
	g := u.product()
	square, scratch := scratch[:b*b], scratch[b*b:]
	diagonal := g
	diagonal.LDC = b
	for j := lo * b; j < min(hi*b, u.N); j += b {
		j1 := min(j+b, u.N)
		from, to := j1, u.N // the rows beside the block on the diagonal
		if u.Upper {
			from, to = 0, j
		}
		if product {
			if from < to {
				gemmTiles(s, &g, from, to, j, j1, alpha, a, a, beta, c, scratch)
			}
			rows := a[j:]
			if !u.Trans {
				rows = a[j*u.LDA:]
			}
			gemmTiles(s, &diagonal, 0, j1-j, 0, j1-j, alpha, rows, rows, 0, square, scratch)
		} else {
			clear(square)
			for i := from; i < to; i++ {
				scaleRow(beta, c[i*u.LDC+j:i*u.LDC+j1])
			}
		}
		for i := j; i < j1; i++ {
			first, last := j, i+1
			if u.Upper {
				first, last = i, j1
			}
			row := c[i*u.LDC+first : i*u.LDC+last]
			scaleRow(beta, row)
			for k := range row {
				row[k] += square[(i-j)*b+first-j+k]
			}
		}
	}
}

func scaleRow[T float](beta T, row []T) {
	for j := range row {
		if beta == 0 {
			row[j] = 0
		} else {
			row[j] *= beta
		}
	}
}
