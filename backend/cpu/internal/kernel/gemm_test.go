package kernel

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// naive is alpha·op(A)·op(B) + beta·C in float64, as an M×N array without gaps.
func (g *MatMul) naive(alpha float64, a, b func(i int) float64, beta float64, c func(i int) float64) []float64 {
	out := make([]float64, g.M*g.N)
	for i := range g.M {
		for j := range g.N {
			var sum float64
			for k := range g.K {
				ai, bi := i*g.LDA+k, k*g.LDB+j
				if g.TransA {
					ai = k*g.LDA + i
				}
				if g.TransB {
					bi = j*g.LDB + k
				}
				sum += a(ai) * b(bi)
			}
			v := alpha * sum
			if beta != 0 {
				v += beta * c(i*g.LDC+j)
			}
			out[i*g.N+j] = v
		}
	}
	return out
}

// checkGemm compares a product of random matrices with the naive one, whole and cut into single blocks.
func checkGemm[T float](t testing.TB, s Set, g MatMul, pad int, alpha, beta T) {
	t.Helper()
	r := seeded(uint64(g.M*1000003 + g.N*1009 + g.K))
	g.LDC = g.N + pad
	rowsA, rowsB := g.M, g.K
	g.LDA, g.LDB = g.K+pad, g.N+2*pad
	if g.TransA {
		rowsA, g.LDA = g.K, g.M+pad
	}
	if g.TransB {
		rowsB, g.LDB = g.N, g.K+pad
	}
	a := random[T](t, r, max(0, rowsA*g.LDA-pad))
	b := random[T](t, r, max(0, rowsB*g.LDB-(g.LDB-map[bool]int{true: g.K, false: g.N}[g.TransB])))
	c := guard[T]((g.M-1)*g.LDC + g.N)
	start := random[T](t, r, len(c.slice()))
	if beta == 0 {
		for i := range start {
			start[i] = T(math.NaN())
		}
	}
	want := g.naive(float64(alpha), func(i int) float64 { return float64(a[i]) },
		func(i int) float64 { return float64(b[i]) },
		float64(beta), func(i int) float64 { return float64(start[i]) })
	blocks := GemmBlocks[T](s, &g)
	scratch := guard[T](GemmScratch[T](s, &g))
	var whole []T
	for _, step := range []int{blocks, 1, 2} {
		copy(c.slice(), start)
		for lo := 0; lo < blocks; lo += step {
			Gemm(s, &g, lo, min(lo+step, blocks), alpha, a, b, beta, c.slice(), scratch.slice())
			c.check(t)
			scratch.check(t)
		}
		got := make([]T, 0, len(want))
		for i := range g.M {
			got = append(got, c.slice()[i*g.LDC:][:g.N]...)
			if i+1 < g.M {
				for j := g.N; j < g.LDC; j++ {
					if x, y := c.slice()[i*g.LDC+j], start[i*g.LDC+j]; x != y && x == x {
						t.Fatalf("%+v: the gap after row %d was overwritten", g, i)
					}
				}
			}
		}
		within(t, want, got, tolerance[T](g.K)*math.Max(1, math.Abs(float64(alpha))), "%+v", g)
		if whole == nil {
			whole = got
		}
		require.Equal(t, whole, got, "%+v in parts of %d blocks", g, step)
	}
}

func testGemm[T float](t *testing.T, s Set) {
	r := seeded(7)
	shapes := [][3]int{{1, 1, 1}, {2, 2, 0}, {14, 32, 256}, {15, 33, 257}, {3, 200, 70}, {113, 7, 300}, {7, 113, 300}}
	n := 2
	if !testing.Short() {
		shapes = append(shapes, [][3]int{{128, 5, 1568}, {1568, 5, 128}, {5, 1568, 128}, {64, 1568, 5}, {28, 64, 513},
			{30, 100, 100}}...)
		n = 8
	}
	for range n {
		shapes = append(shapes, [3]int{1 + r.IntN(80), 1 + r.IntN(80), 1 + r.IntN(300)})
	}
	for _, x := range shapes {
		for k := range 4 {
			checkGemm[T](t, s, MatMul{TransA: k&1 != 0, TransB: k&2 != 0, M: x[0], N: x[1], K: x[2]}, r.IntN(4), 1, 0)
		}
		checkGemm[T](t, s, MatMul{TransA: r.IntN(2) == 0, TransB: r.IntN(2) == 0, M: x[0], N: x[1], K: x[2]}, 1, -1.5, 0.5)
		checkGemm[T](t, s, MatMul{TransA: r.IntN(2) == 0, TransB: r.IntN(2) == 0, M: x[0], N: x[1], K: x[2]}, 0, 0, 2)
	}
}

func TestGemm(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		t.Run("float32", func(t *testing.T) { testGemm[float32](t, s) })
		t.Run("float64", func(t *testing.T) { testGemm[float64](t, s) })
	})
}

func TestGemmNonFinite(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		for _, n := range []int{3, 40} {
			g := MatMul{M: 20, N: n, K: 70, LDA: 70, LDB: n, LDC: n}
			a, b, c := make([]float32, 20*70), make([]float32, 70*n), make([]float32, 20*n)
			a[5*70+3], b[3*n+1] = float32(math.Inf(1)), 0
			a[7*70+9], b[9*n+2] = 2, float32(math.Inf(-1))
			Gemm(s, &g, 0, GemmBlocks[float32](s, &g), 1, a, b, 0, c, make([]float32, GemmScratch[float32](s, &g)))
			require.True(t, math.IsNaN(float64(c[5*n+1])), "∞·0")
			require.True(t, math.IsInf(float64(c[7*n+2]), -1), "2·−∞")
			require.Zero(t, c[0])
		}
	})
}

func FuzzGemm(f *testing.F) {
	f.Add(uint8(3), uint8(5), uint16(70), uint8(1), uint8(0))
	f.Fuzz(func(t *testing.T, m, n uint8, k uint16, trans, pad uint8) {
		for _, s := range Sets() {
			g := MatMul{TransA: trans&1 != 0, TransB: trans&2 != 0, M: 1 + int(m), N: 1 + int(n), K: int(k % 600)}
			checkGemm[float32](t, s, g, int(pad%5), 1, 0)
			checkGemm[float64](t, s, g, int(pad%5), 2, 1)
		}
	})
}

func benchGemm[T float](b *testing.B, s Set, g MatMul) {
	g.LDA, g.LDB, g.LDC = g.K, g.N, g.N
	if g.TransA {
		g.LDA = g.M
	}
	if g.TransB {
		g.LDB = g.K
	}
	r := seeded(1)
	x, y, c := random[T](b, r, g.M*g.K), random[T](b, r, g.K*g.N), make([]T, g.M*g.N)
	scratch := make([]T, GemmScratch[T](s, &g))
	b.ReportAllocs()
	for b.Loop() {
		Gemm(s, &g, 0, GemmBlocks[T](s, &g), 1, x, y, 0, c, scratch)
	}
	rate(b, 2*float64(g.M)*float64(g.N)*float64(g.K))
}

func BenchmarkGemm(b *testing.B) {
	for _, g := range []MatMul{
		{M: 784, N: 784, K: 784}, {M: 784, N: 784, K: 784, TransA: true}, {M: 784, N: 784, K: 784, TransB: true},
		{M: 128, N: 5, K: 1568}, {M: 1568, N: 5, K: 128, TransA: true}, {M: 5, N: 1568, K: 128, TransA: true},
		{M: 128, N: 1568, K: 5, TransB: true}, {M: 128, N: 1568, K: 5},
	} {
		b.Run(fmt.Sprintf("%dx%dx%d,%v,%v", g.M, g.N, g.K, g.TransA, g.TransB), func(b *testing.B) {
			benchSets(b, func(b *testing.B, s Set) {
				b.Run("float32", func(b *testing.B) { benchGemm[float32](b, s, g) })
				b.Run("float64", func(b *testing.B) { benchGemm[float64](b, s, g) })
			})
		})
	}
}
