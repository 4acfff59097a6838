// Package blas gives gonum's linear algebra the matrix products of backend/cpu. General products
// (Dgemm, Sgemm), symmetric products (Dsyrk) and triangular systems (Dtrsm, reduced to products)
// run on the kernels of internal/kernel. Everything else runs on gonum's own implementation.
//
//	err := blas.Use("")
//
// It imports only gonum and internal/kernel.
package blas

import (
	"runtime"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// Options configure an [Implementation].
type Options struct {
	// Set names the instruction set: generic, avx2, avx512 or neon. The default, "", is the fastest that the
	// processor has.
	Set string
	// Workers is the largest number of goroutines of one call. The default, zero, is GOMAXPROCS at the
	// time of the call. It does not change results, to the bit.
	Workers int
}

// Implementation is gonum's BLAS with faster matrix products and triangular systems. Like gonum's,
// it panics on invalid arguments. Its methods may be called at the same time. Each element of a
// product is summed in a fixed order.
type Implementation struct {
	gonum.Implementation
	set     kernel.Set
	workers int

	singles, doubles sync.Pool // scratch memory: *[]float32, *[]float64
}

var (
	_ blas.Float64Level3 = (*Implementation)(nil)
	_ blas.Float64       = (*Implementation)(nil)
	_ blas.Float32       = (*Implementation)(nil)
)

// New returns an implementation; nil means defaults. The error says that the instruction set is
// unknown or not available.
func New(o *Options) (*Implementation, error) {
	if o == nil {
		o = &Options{}
	}
	set := kernel.Best()
	if o.Set != "" {
		var err error
		if set, err = kernel.ByName(o.Set); err != nil {
			return nil, err
		}
	}
	return &Implementation{set: set, workers: o.Workers}, nil
}

// small is the number of multiplications below which gonum is as fast.
const small = 8 * 8 * 8

// Dgemm computes C ← alpha·op(A)·op(B) + beta·C, see [blas.Float64Level3].
func (b *Implementation) Dgemm(
	tA, tB blas.Transpose, m, n, k int, alpha float64, x []float64, lda int, y []float64, ldb int,
	beta float64, c []float64, ldc int,
) {
	if !validGemm(tA, tB, m, n, k, len(x), lda, len(y), ldb, len(c), ldc) || m*n*k <= small {
		b.Implementation.Dgemm(tA, tB, m, n, k, alpha, x, lda, y, ldb, beta, c, ldc)
		return
	}
	gemm(b, &b.doubles, tA, tB, m, n, k, alpha, x, lda, y, ldb, beta, c, ldc)
}

// Sgemm computes C ← alpha·op(A)·op(B) + beta·C, see [blas.Float32Level3].
func (b *Implementation) Sgemm(
	tA, tB blas.Transpose, m, n, k int, alpha float32, x []float32, lda int, y []float32, ldb int,
	beta float32, c []float32, ldc int,
) {
	if !validGemm(tA, tB, m, n, k, len(x), lda, len(y), ldb, len(c), ldc) || m*n*k <= small {
		b.Implementation.Sgemm(tA, tB, m, n, k, alpha, x, lda, y, ldb, beta, c, ldc)
		return
	}
	gemm(b, &b.singles, tA, tB, m, n, k, alpha, x, lda, y, ldb, beta, c, ldc)
}

// Dsyrk computes one triangle of C ← alpha·op(A)·op(A)ᵀ + beta·C, see [blas.Float64Level3].
func (b *Implementation) Dsyrk(
	ul blas.Uplo, t blas.Transpose, n, k int, alpha float64, x []float64, lda int, beta float64, c []float64, ldc int,
) {
	rows, cols := n, k
	if t != blas.NoTrans {
		rows, cols = k, n
	}
	valid := (ul == blas.Upper || ul == blas.Lower) && validTranspose(t) && fits(rows, cols, lda, len(x)) &&
		fits(n, n, ldc, len(c))
	if !valid || n*n*k <= small {
		b.Implementation.Dsyrk(ul, t, n, k, alpha, x, lda, beta, c, ldc)
		return
	}
	u := kernel.RankUpdate{Upper: ul == blas.Upper, Trans: t != blas.NoTrans, N: n, K: k, LDA: lda, LDC: ldc}
	blocks := kernel.SyrkBlocks[float64](b.set, &u)
	split(b, &b.doubles, blocks, blocks, n*n*k/2, kernel.SyrkScratch[float64](b.set, &u),
		func(lo, hi int, scratch []float64) {
			kernel.Syrk(b.set, &u, lo, hi, alpha, x, beta, c, scratch)
		})
}

// Dtrsm solves op(A)·X = alpha·B or X·op(A) = alpha·B for X, which replaces B, see
// [blas.Float64Level3].
func (b *Implementation) Dtrsm(
	side blas.Side, ul blas.Uplo, t blas.Transpose, unit blas.Diag, m, n int, alpha float64, a []float64, lda int,
	x []float64, ldb int,
) {
	order := m
	if side == blas.Right {
		order = n
	}
	valid := (side == blas.Left || side == blas.Right) && (ul == blas.Upper || ul == blas.Lower) && validTranspose(t) &&
		(unit == blas.Unit || unit == blas.NonUnit) && fits(order, order, lda, len(a)) && fits(m, n, ldb, len(x))
	if !valid || order <= triangle || alpha == 0 {
		b.Implementation.Dtrsm(side, ul, t, unit, m, n, alpha, a, lda, x, ldb)
		return
	}
	// The triangle is halved: X of one half first, then what that leaves of B for the other. op(A) of
	// the first half of the indices is a, of the second half corner; between lies the block that is
	// not zero.
	half := order / 2
	corner, between := a[half*lda+half:], a[half:]
	if ul == blas.Lower {
		between = a[half*lda:]
	}
	lower := (ul == blas.Lower) == (t == blas.NoTrans) // op(A) is
	if side == blas.Left {
		first, second := x, x[half*ldb:]
		if lower {
			b.Dtrsm(side, ul, t, unit, half, n, alpha, a, lda, first, ldb)
			b.Dgemm(t, blas.NoTrans, m-half, n, half, -1, between, lda, first, ldb, alpha, second, ldb)
			b.Dtrsm(side, ul, t, unit, m-half, n, 1, corner, lda, second, ldb)
		} else {
			b.Dtrsm(side, ul, t, unit, m-half, n, alpha, corner, lda, second, ldb)
			b.Dgemm(t, blas.NoTrans, half, n, m-half, -1, between, lda, second, ldb, alpha, first, ldb)
			b.Dtrsm(side, ul, t, unit, half, n, 1, a, lda, first, ldb)
		}
		return
	}
	first, second := x, x[half:]
	if lower {
		b.Dtrsm(side, ul, t, unit, m, n-half, alpha, corner, lda, second, ldb)
		b.Dgemm(blas.NoTrans, t, m, half, n-half, -1, second, ldb, between, lda, alpha, first, ldb)
		b.Dtrsm(side, ul, t, unit, m, half, 1, a, lda, first, ldb)
	} else {
		b.Dtrsm(side, ul, t, unit, m, half, alpha, a, lda, first, ldb)
		b.Dgemm(blas.NoTrans, t, m, n-half, half, -1, first, ldb, between, lda, alpha, second, ldb)
		b.Dtrsm(side, ul, t, unit, m, n-half, 1, corner, lda, second, ldb)
	}
}

// triangle is the order of triangular systems that are left to gonum.
const triangle = 24

func gemm[T float32 | float64](
	b *Implementation, pool *sync.Pool, tA, tB blas.Transpose, m, n, k int, alpha T, x []T, lda int, y []T, ldb int,
	beta T, c []T, ldc int,
) {
	g := kernel.MatMul{TransA: tA != blas.NoTrans, TransB: tB != blas.NoTrans, M: m, N: n, K: k, LDA: lda,
		LDB: ldb, LDC: ldc}
	blocks, length := kernel.GemmBlocks[T](b.set, &g), kernel.GemmScratch[T](b.set, &g)
	split(b, pool, blocks, b.limit(), m*n*k, length, func(lo, hi int, scratch []T) {
		kernel.Gemm(b.set, &g, lo, hi, alpha, x, y, beta, c, scratch)
	})
}

// limit is the largest number of goroutines.
func (b *Implementation) limit() int {
	if b.workers > 0 {
		return b.workers
	}
	return runtime.GOMAXPROCS(0)
}

// grain is the number of multiplications worth a goroutine.
const grain = 1 << 17

// split runs the blocks in at most parts ranges of consecutive blocks, on as many goroutines as the
// work is worth. length is that of the scratch slice of a call.
func split[T float32 | float64](
	b *Implementation, pool *sync.Pool, blocks, parts, work, length int, run func(lo, hi int, scratch []T),
) {
	parts = max(1, min(parts, blocks))
	workers := max(1, min(b.limit(), parts, work/grain))
	if workers == 1 {
		parts = 1
	}
	var next atomic.Int64
	loop := func() {
		scratch, _ := pool.Get().(*[]T)
		if scratch == nil || len(*scratch) < length {
			s := make([]T, length)
			scratch = &s
		}
		defer pool.Put(scratch)
		for p := int(next.Add(1)) - 1; p < parts; p = int(next.Add(1)) - 1 {
			run(p*blocks/parts, (p+1)*blocks/parts, *scratch)
		}
	}
	var wait sync.WaitGroup
	for range workers - 1 {
		wait.Go(loop)
	}
	loop()
	wait.Wait()
}

// validGemm reports whether the arguments are valid; gonum's own implementation says what is wrong with them.
func validGemm(tA, tB blas.Transpose, m, n, k, lenA, lda, lenB, ldb, lenC, ldc int) bool {
	rowsA, colsA, rowsB, colsB := m, k, k, n
	if tA != blas.NoTrans {
		rowsA, colsA = k, m
	}
	if tB != blas.NoTrans {
		rowsB, colsB = n, k
	}
	return validTranspose(tA) && validTranspose(tB) &&
		fits(rowsA, colsA, lda, lenA) && fits(rowsB, colsB, ldb, lenB) && fits(m, n, ldc, lenC)
}

func validTranspose(t blas.Transpose) bool {
	return t == blas.NoTrans || t == blas.Trans || t == blas.ConjTrans
}

// fits reports whether a matrix that is not empty lies in a slice of that length.
func fits(rows, cols, ld, length int) bool {
	if rows <= 0 || cols <= 0 || ld < cols || cols > length {
		return false
	}
	return rows == 1 || ld <= (length-cols)/(rows-1) // a product could overflow
}
