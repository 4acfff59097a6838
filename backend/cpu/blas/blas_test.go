package blas

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/floats/scalar"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

func random(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.Float64()*2 - 1
	}
	return x
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

func requireClose(t *testing.T, want, got []float64, tol float64) {
	t.Helper()
	for i := range want {
		require.True(t, scalar.EqualWithinAbsOrRel(want[i], got[i], tol, tol), "element %d is %v, want %v", i,
			got[i], want[i])
	}
}

// TestProducts compares with gonum, for every set, and workers with each other.
func TestProducts(t *testing.T) {
	var native gonum.Implementation
	for _, set := range kernel.Sets() {
		one, err := New(&Options{Set: set.String(), Workers: 1})
		require.NoError(t, err)
		three, err := New(&Options{Set: set.String(), Workers: 3})
		require.NoError(t, err)
		r := rand.New(rand.NewPCG(1, 2))
		shapes := [][3]int{{130, 5, 200}, {5, 300, 90}, {1, 1, 1}, {200, 3, 64}}
		for range 4 {
			shapes = append(shapes, [3]int{1 + r.IntN(150), 1 + r.IntN(150), 1 + r.IntN(150)})
		}
		for i, shape := range shapes {
			m, n, k := shape[0], shape[1], shape[2]
			ld := max(m, n, k) + i%3
			a, b, c := random(r, ld*ld), random(r, ld*ld), random(r, ld*ld)
			for _, tA := range []blas.Transpose{blas.NoTrans, blas.Trans} {
				for _, tB := range []blas.Transpose{blas.NoTrans, blas.ConjTrans} {
					want, got, same := append([]float64{}, c...), append([]float64{}, c...), append([]float64{}, c...)
					native.Dgemm(tA, tB, m, n, k, 1.5, a, ld, b, ld, 0.5, want, ld)
					one.Dgemm(tA, tB, m, n, k, 1.5, a, ld, b, ld, 0.5, got, ld)
					three.Dgemm(tA, tB, m, n, k, 1.5, a, ld, b, ld, 0.5, same, ld)
					requireClose(t, want, got, 1e-12)
					require.Equal(t, got, same, "workers")
					single, wide := narrow(c), make([]float64, len(c))
					one.Sgemm(tA, tB, m, n, k, 1.5, narrow(a), ld, narrow(b), ld, 0.5, single, ld)
					for i, v := range single {
						wide[i] = float64(v)
					}
					requireClose(t, want, wide, 1e-4)
				}
				for _, ul := range []blas.Uplo{blas.Upper, blas.Lower} {
					want, got, same := append([]float64{}, c...), append([]float64{}, c...), append([]float64{}, c...)
					native.Dsyrk(ul, tA, n, k, 1.5, a, ld, 0.5, want, ld)
					one.Dsyrk(ul, tA, n, k, 1.5, a, ld, 0.5, got, ld)
					three.Dsyrk(ul, tA, n, k, 1.5, a, ld, 0.5, same, ld)
					requireClose(t, want, got, 1e-12)
					require.Equal(t, got, same, "workers")
				}
			}
		}
	}
}

// TestTriangularSystems compares with gonum, for every set, and workers with each other.
func TestTriangularSystems(t *testing.T) {
	var native gonum.Implementation
	for _, set := range kernel.Sets() {
		one, err := New(&Options{Set: set.String(), Workers: 1})
		require.NoError(t, err)
		three, err := New(&Options{Set: set.String(), Workers: 3})
		require.NoError(t, err)
		r := rand.New(rand.NewPCG(1, 2))
		for _, shape := range [][2]int{{130, 97}, {97, 130}, {1, 200}, {200, 1}, {25, 25}, {24, 70}, {150, 151}} {
			m, n := shape[0], shape[1]
			for _, side := range []blas.Side{blas.Left, blas.Right} {
				order := m
				if side == blas.Right {
					order = n
				}
				lda, ldb := order+1, n+2
				a, x := random(r, order*lda), random(r, m*ldb)
				for i := range order {
					for j := range order {
						a[i*lda+j] /= float64(order) // that the unit triangle is regular too
					}
					a[i*lda+i] += 2
				}
				for _, ul := range []blas.Uplo{blas.Upper, blas.Lower} {
					for _, tA := range []blas.Transpose{blas.NoTrans, blas.ConjTrans} {
						for _, unit := range []blas.Diag{blas.Unit, blas.NonUnit} {
							for _, alpha := range []float64{0, -1.5} {
								want, got, same := append([]float64{}, x...), append([]float64{}, x...), append([]float64{}, x...)
								native.Dtrsm(side, ul, tA, unit, m, n, alpha, a, lda, want, ldb)
								one.Dtrsm(side, ul, tA, unit, m, n, alpha, a, lda, got, ldb)
								three.Dtrsm(side, ul, tA, unit, m, n, alpha, a, lda, same, ldb)
								requireClose(t, want, got, 1e-12)
								require.Equal(t, got, same, "workers")
							}
						}
					}
				}
			}
		}
	}
}

// TestInvalid checks that bad arguments panic as gonum's do, and that empty products do nothing.
func TestInvalid(t *testing.T) {
	b, err := New(nil)
	require.NoError(t, err)
	x := make([]float64, 100)
	assert.Panics(t, func() { b.Dgemm(blas.NoTrans, blas.NoTrans, 10, 10, 10, 1, x, 9, x, 10, 0, x, 10) })
	assert.Panics(t, func() { b.Dgemm(blas.NoTrans, blas.NoTrans, 10, 10, 11, 1, x, 11, x, 10, 0, x, 10) })
	const wraps = 1 << 62 // four rows of it are 2⁶⁴, which is 0; such a call is gonum's, in Go with its bounds checks
	assert.False(t, fits(5, 10, wraps, 100))
	assert.Panics(t, func() { b.Dgemm('x', blas.NoTrans, 10, 10, 10, 1, x, 10, x, 10, 0, x, 10) })
	assert.Panics(t, func() { b.Dsyrk(blas.Upper, blas.NoTrans, 10, 10, 1, x, 9, 0, x, 10) })
	assert.Panics(t, func() { b.Dtrsm(blas.Left, blas.Upper, blas.NoTrans, blas.NonUnit, 10, 10, 1, x, 9, x, 10) })
	assert.Panics(t, func() { b.Dtrsm('x', blas.Upper, blas.NoTrans, blas.NonUnit, 10, 10, 1, x, 10, x, 10) })
	assert.NotPanics(t, func() { b.Dtrsm(blas.Left, blas.Upper, blas.NoTrans, blas.NonUnit, 0, 10, 1, nil, 1, x, 10) })
	assert.NotPanics(t, func() { b.Dgemm(blas.NoTrans, blas.NoTrans, 0, 10, 10, 1, nil, 10, x, 10, 0, nil, 10) })
	_, err = New(&Options{Set: "sse9"})
	assert.ErrorContains(t, err, "generic")
}

func BenchmarkDgemm(b *testing.B) {
	for _, n := range []int{64, 256, 784} {
		x, c := random(rand.New(rand.NewPCG(1, 2)), n*n), make([]float64, n*n)
		ours, err := New(nil)
		require.NoError(b, err)
		for name, impl := range map[string]blas.Float64Level3{"gonum": gonum.Implementation{}, "koopbench": ours} {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				for b.Loop() {
					impl.Dgemm(blas.NoTrans, blas.Trans, n, n, n, 1, x, n, x, n, 0, c, n)
				}
				b.ReportMetric(2*float64(n*n*n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

func BenchmarkDsyrk(b *testing.B) {
	const n, k = 784, 3000
	x, c := random(rand.New(rand.NewPCG(1, 2)), n*k), make([]float64, n*n)
	ours, err := New(nil)
	require.NoError(b, err)
	for name, impl := range map[string]blas.Float64Level3{"gonum": gonum.Implementation{}, "koopbench": ours} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				impl.Dsyrk(blas.Upper, blas.Trans, n, k, 1, x, n, 0, c, n)
			}
			b.ReportMetric(float64(n*(n+1)*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func BenchmarkDtrsm(b *testing.B) {
	const n = 784
	r := rand.New(rand.NewPCG(1, 2))
	a, x, c := random(r, n*n), random(r, n*n), make([]float64, n*n)
	for i := range n {
		a[i*n+i] += n
	}
	ours, err := New(nil)
	require.NoError(b, err)
	for name, impl := range map[string]blas.Float64Level3{"gonum": gonum.Implementation{}, "koopbench": ours} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				copy(c, x)
				impl.Dtrsm(blas.Left, blas.Upper, blas.Trans, blas.NonUnit, n, n, 1, a, n, c, n)
			}
			b.ReportMetric(float64(n*n*n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
