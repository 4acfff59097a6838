package kernel

// MatMul describes the matrix product C ← alpha·op(A)·op(B) + beta·C of row-major matrices, where
// op(A) is M×K, op(B) is K×N and C is M×N. A is stored M×K, or K×M if TransA; B is stored K×N, or
// N×K if TransB.
//
// C is cut into blocks by the shape alone; blocks may be computed in any order and at the same time. Every element is
// a sum in a fixed order of k, in segments of 256 that are added to C one after the other.
type MatMul struct {
	TransA, TransB bool
	M, N, K        int
	LDA, LDB, LDC  int // distances between rows as stored, in elements
}

// depth is the length of the segments of k: a tile's part of packed B, depth × two vectors, is 32 KiB.
const depth = 256

// scheme is the way a product is computed.
type scheme int

const (
	byColumns   scheme = iota // tiles of C, blocks are ranges of columns
	byRows                    // tiles of C, blocks are ranges of rows
	dots                      // few columns: inner products along k
	dotsSwapped               // few rows, Bᵀ stored: the same for Cᵀ
	swapped                   // few columns, Aᵀ stored: tiles of Cᵀ
)

func (g *MatMul) scheme(vector int) scheme {
	switch {
	case g.N <= maxDotCols && !g.TransA && g.K >= 4*vector:
		return dots
	case g.M <= maxDotCols && g.TransB && g.K >= 4*vector:
		return dotsSwapped
	case g.N <= maxDotCols && g.TransA && g.M > g.N:
		return swapped
	case g.M > 2*g.N:
		return byRows
	}
	return byColumns
}

// block is the number of rows or columns of C in a block.
func (g *MatMul) block(vector int) int {
	switch g.scheme(vector) {
	case dots, dotsSwapped:
		return 32
	case byRows:
		return 112
	case swapped:
		return 16 * vector
	}
	if g.N >= 48*vector {
		return 12 * vector
	}
	return 6 * vector
}

// rowBlocks reports whether C is cut into ranges of rows, not of columns.
func (g *MatMul) rowBlocks(vector int) bool {
	switch g.scheme(vector) {
	case dots, byRows, swapped:
		return true
	}
	return false
}

// extent is the number of rows or columns that is cut into blocks.
func (g *MatMul) extent(vector int) int {
	if g.rowBlocks(vector) {
		return g.M
	}
	return g.N
}

// GemmBlocks returns the number of blocks of C for products of T.
func GemmBlocks[T float](s Set, g *MatMul) int {
	v := lanes[T](s)
	return (g.extent(v) + g.block(v) - 1) / g.block(v)
}

// GemmScratch returns the length of the scratch slice for one call of [Gemm].
func GemmScratch[T float](s Set, g *MatMul) int {
	v := lanes[T](s)
	switch g.scheme(v) {
	case dots:
		return g.N * g.K
	case dotsSwapped:
		return g.M * g.K
	case swapped:
		return g.N * 2 * v
	case byRows:
		return depth*roundUp(g.N, v) + packedRows
	}
	return depth*g.block(v) + packedRows
}

// packedRows is the room for a tile's rows of A: up to 14 rows of depth values.
const packedRows = 16 * depth

// Gemm computes blocks lo ≤ i < hi of C, [GemmBlocks] in all. a, b and c hold the matrices that g
// describes; scratch has at least [GemmScratch] elements. If beta is zero, C is written without
// being read; if alpha is zero, A and B are not read.
func Gemm[T float](s Set, g *MatMul, lo, hi int, alpha T, a, b []T, beta T, c []T, scratch []T) {
	if g.M <= 0 || g.N <= 0 || lo >= hi {
		return
	}
	v := lanes[T](s)
	from, to := lo*g.block(v), min(hi*g.block(v), g.extent(v))
	need("c", c, (g.M-1)*g.LDC+g.N)
	if g.K <= 0 || alpha == 0 {
		scaleC(g, v, from, to, beta, c)
		return
	}
	if g.TransA {
		need("a", a, (g.K-1)*g.LDA+g.M)
	} else {
		need("a", a, (g.M-1)*g.LDA+g.K)
	}
	if g.TransB {
		need("b", b, (g.N-1)*g.LDB+g.K)
	} else {
		need("b", b, (g.K-1)*g.LDB+g.N)
	}
	need("scratch", scratch, GemmScratch[T](s, g))
	switch g.scheme(v) {
	case dots:
		gemmDots(s, g, from, to, alpha, a, b, beta, c, g.LDC, 1, scratch)
	case dotsSwapped:
		t := MatMul{TransA: !g.TransB, TransB: !g.TransA, M: g.N, N: g.M, K: g.K, LDA: g.LDB, LDB: g.LDA, LDC: g.LDC}
		gemmDots(s, &t, from, to, alpha, b, a, beta, c, 1, g.LDC, scratch)
	case swapped:
		gemmSwapped(s, g, from, to, alpha, a, b, beta, c, scratch)
	case byRows:
		gemmTiles(s, g, from, to, 0, g.N, alpha, a, b, beta, c, scratch)
	default:
		for j := from; j < to; j += g.block(v) {
			gemmTiles(s, g, 0, g.M, j, min(j+g.block(v), to), alpha, a, b, beta, c, scratch)
		}
	}
}

// gemmTiles computes rows i0…i1 and columns j0…j1 of C; j0 is a multiple of two vectors.
func gemmTiles[T float](s Set, g *MatMul, i0, i1, j0, j1 int, alpha T, a, b []T, beta T, c, scratch []T) {
	v := lanes[T](s)
	limit := s.maxRows(2)
	direct := !g.TransB && g.M <= 2*limit
	panel := scratch[:depth*roundUp(j1-j0, v)]
	rows := scratch[len(panel):]
	t := tile[T]{cRow: g.LDC, segs: 1, alpha: alpha, beta: beta}
	for k0 := 0; k0 < g.K; k0 += depth {
		kc := min(depth, g.K-k0)
		if !direct {
			packPanel(s, panel, b, g.LDB, g.TransB, k0, kc, j0, j1)
		}
		t.steps, t.mode = kc, 0
		if alpha != 1 {
			t.mode |= modeScale
		}
		if k0 > 0 {
			t.beta = 1
		}
		if t.beta != 0 {
			t.mode |= modeAdd
		}
		tiles := balanced(i1-i0, limit)
		for n := range tiles {
			i, next := i0+n*(i1-i0)/tiles, i0+(n+1)*(i1-i0)/tiles
			t.rows = next - i
			switch {
			case !g.TransA:
				t.a, t.aRow, t.aCol = a[i*g.LDA+k0:], g.LDA, 1
			case g.LDA*sizeof[T]()%1024 != 0:
				t.a, t.aRow, t.aCol = a[k0*g.LDA+i:], 1, g.LDA
			default:
				// The rows of A would share a few cache lines.
				packRows(rows, a[k0*g.LDA+i:], g.LDA, kc, t.rows)
				t.a, t.aRow, t.aCol = rows, 1, t.rows
			}
			for j := j0; j < j1; j += 2 * v {
				t.cols = min(2*v, j1-j)
				t.c = c[i*g.LDC+j:]
				if direct {
					t.b, t.bCol = b[k0*g.LDB+j:], g.LDB
				} else {
					t.b, t.bCol = panel[(j-j0)*kc:], roundUp(t.cols, v)
				}
				runTile(s, &t)
			}
		}
	}
}

// packRows copies kc pieces of n elements, lda apart, to dst without gaps.
func packRows[T float](dst, a []T, lda, kc, n int) {
	if n == 14 {
		for k := range kc {
			*(*[14]T)(dst[k*14:]) = [14]T(a[k*lda:])
		}
		return
	}
	for k := range kc {
		copy(dst[k*n:(k+1)*n], a[k*lda:])
	}
}

// packPanel copies rows k0…k0+kc and columns j0…j1 of op(B) to strips of two vectors of columns,
// each strip [kc][width], the last one one vector wide if that suffices and padded with zeros.
func packPanel[T float](s Set, dst, b []T, ldb int, trans bool, k0, kc, j0, j1 int) {
	v := lanes[T](s)
	for j := j0; j < j1; j += 2 * v {
		cols := min(2*v, j1-j)
		width := roundUp(cols, v)
		strip := dst[(j-j0)*kc:][:kc*width]
		if cols < width {
			clear(strip)
		}
		if trans {
			transpose(strip, width, b[j*ldb+k0:], ldb, cols, kc)
			continue
		}
		for k := range kc {
			copy(strip[k*width:][:cols], b[(k0+k)*ldb+j:])
		}
	}
}

// gemmDots computes rows i0…i1 of C, which has few columns, from rows of A and columns of op(B).
func gemmDots[T float](s Set, g *MatMul, i0, i1 int, alpha T, a, b []T, beta T, c []T, cRow, cCol int, scratch []T) {
	t := tile[T]{aRow: g.LDA, cRow: cRow, cCol: cCol, cols: g.N, steps: g.K, segs: 1, alpha: alpha, beta: beta}
	if g.TransB {
		t.b, t.bCol = b, g.LDB
	} else {
		t.b, t.bCol = scratch[:g.N*g.K], g.K
		transpose(t.b, g.K, b, g.LDB, g.K, g.N)
	}
	if alpha != 1 {
		t.mode |= modeScale
	}
	if beta != 0 {
		t.mode |= modeAdd
	}
	t.rows, t.a, t.c = i1-i0, a[i0*g.LDA:], c[i0*cRow:]
	runDotTile(s, &t)
}

// gemmSwapped computes rows i0…i1 of C, which has few columns, as columns of Cᵀ; A is stored transposed.
func gemmSwapped[T float](s Set, g *MatMul, i0, i1 int, alpha T, a, b []T, beta T, c, scratch []T) {
	v := lanes[T](s)
	t := tile[T]{bCol: g.LDA, cRow: 2 * v, rows: g.N, segs: 1, c: scratch[:g.N*2*v]}
	for i := i0; i < i1; i += 2 * v {
		t.cols = min(2*v, i1-i)
		t.mode = 0
		for k0 := 0; k0 < g.K; k0 += depth {
			t.steps = min(depth, g.K-k0)
			t.b = a[k0*g.LDA+i:]
			if g.TransB {
				t.a, t.aRow, t.aCol = b[k0:], g.LDB, 1
			} else {
				t.a, t.aRow, t.aCol = b[k0*g.LDB:], 1, g.LDB
			}
			runTile(s, &t)
			t.mode, t.beta = modeAdd, 1
		}
		for r := range t.cols {
			out := c[(i+r)*g.LDC:][:g.N]
			for j := range out {
				w := alpha * t.c[j*2*v+r]
				if beta != 0 {
					w += beta * out[j]
				}
				out[j] = w
			}
		}
	}
}

// scaleC is the product without A and B: C ← beta·C in the rows or columns from…to.
func scaleC[T float](g *MatMul, v, from, to int, beta T, c []T) {
	i0, i1, j0, j1 := from, to, 0, g.N
	if !g.rowBlocks(v) {
		i0, i1, j0, j1 = 0, g.M, from, to
	}
	for i := i0; i < i1; i++ {
		scaleRow(beta, c[i*g.LDC+j0:i*g.LDC+j1])
	}
}

func roundUp(n, m int) int { return (n + m - 1) / m * m }
