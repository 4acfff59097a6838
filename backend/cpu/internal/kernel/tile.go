package kernel

// tile is the one small matrix product on which GEMM, convolutions and their dense gradients stand:
//
//	acc[r, j] = Σ_s Σ_k a[r·aRow + k·aCol + s·aSeg] · b[j + k·bCol + s·bSeg],  0 ≤ r < rows, 0 ≤ j < cols,
//
// s over segs segments of steps steps each, summed in that order from zero; then, by mode, the result is
// scaled, added to c, given a bias and rectified, and stored at c[r·cRow + j]. Strides count elements.
// The value of an element does not depend on which tile computes it.
//
// Assembly reads the fields by their offsets (gen/tile.go; TestTileLayout).
type tile[T float] struct {
	a, b, c, bias           []T
	aRow, aCol, aSeg        int
	bCol, bSeg              int
	cRow, cCol              int // cCol: dotTile only
	rows, cols, steps, segs int
	mode                    int
	alpha, beta             T
}

// Modes of a tile, applied in this order.
const (
	modeScale = 1 << iota // acc ← alpha·acc
	modeAdd               // acc ← acc + beta·c
	modeBias              // acc ← acc + bias[j]
	modeReLU              // acc ← max(acc, 0), NaN stays
)

// maxRows is the largest number of rows of a tile that is vectors vectors (1 or 2) wide.
func (s Set) maxRows(vectors int) int {
	switch {
	case s == AVX512:
		return 14
	case (s == AVX2 || s == NEON) && vectors == 1:
		return 12
	case s == AVX2 || s == NEON:
		return 6
	}
	return 8
}

// genericTile runs a tile in plain Go: two rows by four columns in registers.
func genericTile[T float](t *tile[T]) {
	for r := 0; r < t.rows; r += 2 {
		r1 := min(r+1, t.rows-1)
		for j := 0; j < t.cols; j += 4 {
			n := min(4, t.cols-j)
			var acc [2][4]T
			if n == 4 {
				acc = genericTile2x4(t, r, r1, j)
			} else {
				for s := range t.segs {
					for k := range t.steps {
						a := s*t.aSeg + k*t.aCol
						b := t.b[s*t.bSeg+k*t.bCol+j:]
						for q := range n {
							acc[0][q] += t.a[a+r*t.aRow] * b[q]
							acc[1][q] += t.a[a+r1*t.aRow] * b[q]
						}
					}
				}
			}
			for h, row := range [2]int{r, r1} {
				if h == 1 && r1 == r {
					break
				}
				c := t.c[row*t.cRow+j:]
				for q := range n {
					t.finish(&c[q], acc[h][q], j+q)
				}
			}
		}
	}
}

func genericTile2x4[T float](t *tile[T], r0, r1, j int) [2][4]T {
	var a00, a01, a02, a03, a10, a11, a12, a13 T
	for s := range t.segs {
		x0, x1 := t.a[s*t.aSeg+r0*t.aRow:], t.a[s*t.aSeg+r1*t.aRow:]
		b := t.b[s*t.bSeg+j:]
		for k := range t.steps {
			w := b[k*t.bCol : k*t.bCol+4 : k*t.bCol+4]
			u, v := x0[k*t.aCol], x1[k*t.aCol]
			a00 += u * w[0]
			a01 += u * w[1]
			a02 += u * w[2]
			a03 += u * w[3]
			a10 += v * w[0]
			a11 += v * w[1]
			a12 += v * w[2]
			a13 += v * w[3]
		}
	}
	return [2][4]T{{a00, a01, a02, a03}, {a10, a11, a12, a13}}
}

// dotTile is the same product for few columns, vectorised along k: b holds one row a column,
//
//	acc[r, j] = Σ_s Σ_k a[r·aRow + s·aSeg + k] · b[j·bCol + s·bSeg + k].
//
// Each segment is summed in lanes, k ↦ lane k mod lanes; the lanes are added in a fixed order at
// the end. cols is at most maxDotCols; the result goes to c[r·cRow + j·cCol].
const maxDotCols = 6

func genericDotTile[T float](t *tile[T]) {
	const lanes = 4
	for r := range t.rows {
		for j := range t.cols {
			var acc [lanes]T
			for s := range t.segs {
				a := t.a[r*t.aRow+s*t.aSeg:][:t.steps]
				b := t.b[j*t.bCol+s*t.bSeg:][:t.steps]
				for len(a) >= lanes && len(b) >= lanes {
					acc[0] += a[0] * b[0]
					acc[1] += a[1] * b[1]
					acc[2] += a[2] * b[2]
					acc[3] += a[3] * b[3]
					a, b = a[lanes:], b[lanes:]
				}
				for k := range a {
					acc[k] += a[k] * b[k]
				}
			}
			v := (acc[0] + acc[2]) + (acc[1] + acc[3])
			t.finish(&t.c[r*t.cRow+j*t.cCol], v, j)
		}
	}
}

// finish does to a sum of column j what the mode says, and stores it.
func (t *tile[T]) finish(c *T, v T, j int) {
	if t.mode&modeScale != 0 {
		v *= t.alpha
	}
	if t.mode&modeAdd != 0 {
		v += t.beta * *c
	}
	if t.mode&modeBias != 0 {
		v += t.bias[j]
	}
	if t.mode&modeReLU != 0 && v < 0 {
		v = 0
	}
	*c = v
}

// balanced cuts n rows into tiles of at most limit rows that differ by at most one: it returns the number of tiles.
func balanced(n, limit int) int { return (n + limit - 1) / limit }
