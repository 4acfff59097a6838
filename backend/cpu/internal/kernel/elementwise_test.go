package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var binaryNames = map[BinaryOp]string{Add: "add", Sub: "sub", Mul: "mul", Div: "div", Max: "max", Min: "min"}

// exact is what an operation must give to the bit, but for the sign of zero and the payload of NaN.
func exact[T float](op BinaryOp, a, b T) T {
	switch op {
	case Add:
		return a + b
	case Sub:
		return a - b
	case Mul:
		return a * b
	case Div:
		return a / b
	case Max:
		return max(a, b)
	}
	return min(a, b)
}

// values draws numbers, a third of them special, at the end of a page.
func values[T float](t testing.TB, r *rand.Rand, n int) []T {
	x := random[T](t, r, n)
	for i := range x {
		switch r.IntN(15) {
		case 0:
			x[i] = T(math.NaN())
		case 1:
			x[i] = T(math.Inf(1))
		case 2:
			x[i] = T(math.Inf(-1))
		case 3:
			x[i] = 0
		case 4:
			x[i] = T(math.Copysign(0, -1))
		}
	}
	return x
}

func requireSame[T float](t testing.TB, want, got []T, what string) {
	t.Helper()
	for i := range want {
		if want[i] != got[i] && (want[i] == want[i] || got[i] == got[i]) {
			t.Fatalf("%s: element %d of %d is %v, want %v", what, i, len(want), got[i], want[i])
		}
	}
}

func testElementwise[T float](t *testing.T, s Set) {
	r := seeded(3)
	for n := range 150 {
		a, b := values[T](t, r, n), values[T](t, r, n)
		dst := guard[T](n)
		want := make([]T, n)
		for op := range binaryOps {
			for i := range want {
				want[i] = exact(op, a[i], b[i])
			}
			Binary(s, op, dst.slice(), a, b)
			dst.check(t)
			requireSame(t, want, dst.slice(), binaryNames[op])
			copy(dst.slice(), a) // in place
			Binary(s, op, dst.slice(), dst.slice(), b)
			requireSame(t, want, dst.slice(), binaryNames[op]+" in place")
		}
		for op, f := range map[UnaryOp]func(x T) T{
			Neg: func(x T) T { return -x }, Abs: func(x T) T { return T(math.Abs(float64(x))) },
			Sqrt: func(x T) T { return T(math.Sqrt(float64(x))) }, Rsqrt: func(x T) T { return 1 / T(math.Sqrt(float64(x))) },
			NotNegative: func(x T) T {
				if x < 0 {
					return 0
				}
				return 1
			},
			Positive: func(x T) T {
				if x > 0 {
					return 1
				}
				return 0
			},
			Sign: func(x T) T {
				if x != x || x == 0 {
					return 0
				}
				return T(math.Copysign(1, float64(x)))
			},
			Floor: func(x T) T { return T(math.Floor(float64(x))) }, Ceil: func(x T) T { return T(math.Ceil(float64(x))) },
			Round: func(x T) T { return T(math.RoundToEven(float64(x))) },
		} {
			for i := range want {
				want[i] = f(a[i])
			}
			Unary(s, op, dst.slice(), a)
			dst.check(t)
			requireSame(t, want, dst.slice(), fmt.Sprint("unary ", op))
		}
	}
}

func TestElementwise(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		t.Run("float32", func(t *testing.T) { testElementwise[float32](t, s) })
		t.Run("float64", func(t *testing.T) { testElementwise[float64](t, s) })
	})
}

func testTranscendental[T float](t *testing.T, s Set) {
	r := seeded(8)
	x := guardEnd[T](t, 4003)
	for i := range x {
		x[i] = T(r.NormFloat64() * math.Exp(r.NormFloat64()*3))
	}
	copy(x, []T{
		0, T(math.Copysign(0, -1)), T(math.Inf(1)), T(math.Inf(-1)), T(math.NaN()), 88.6, 88.8, 89, -87.4, -103, -104, -110,
		1e-30, -1e-30, 300, -300, 1, -1,
		1e-40, 5e-45, 0.7071, 0.7072, 0.99999, 1.00001, 3e38, -1e-40, -88, -95, 19, 9, -17,
	})
	dst := guard[T](len(x))
	for op, f := range map[UnaryOp]func(float64) float64{
		Exp: math.Exp, Expm1: math.Expm1, Log: math.Log, Log1p: math.Log1p, Tanh: math.Tanh, Sin: math.Sin, Cos: math.Cos,
		Erf:     math.Erf,
		Sigmoid: func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	} {
		Unary(s, op, dst.slice(), x)
		dst.check(t)
		for i, v := range x {
			want, got := f(float64(v)), float64(dst.slice()[i])
			if float64(T(want)) == got || math.IsNaN(want) && math.IsNaN(got) {
				continue
			}
			eps := map[int]float64{4: 3e-7, 8: 1e-15}[sizeof[T]()]
			tiny := map[int]float64{4: 3e-45, 8: 1e-322}[sizeof[T]()]
			require.InDelta(t, want, got, eps*math.Abs(want)+tiny, "operation %d of %v", op, v)
		}
	}
}

func TestTranscendental(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		t.Run("float32", func(t *testing.T) { testTranscendental[float32](t, s) })
		t.Run("float64", func(t *testing.T) { testTranscendental[float64](t, s) })
	})
}

// testEdges has the numbers at the edges of single and of double precision.
func testEdges[T float](t *testing.T, s Set, least, normal, largest T) {
	x := []T{
		0, least, 2 * least, 3 * least, 5 * least, 1021 * least, normal / 2, normal - least, normal, 3 * normal,
		largest, T(math.Inf(1)),
	}
	for _, v := range x {
		x = append(x, -v)
	}
	x[12] = T(math.Copysign(0, -1))
	x = append(x, T(math.NaN()))
	dst := make([]T, len(x))
	for op, f := range map[UnaryOp]func(float64) float64{
		Exp: math.Exp, Expm1: math.Expm1, Log: math.Log, Log1p: math.Log1p, Tanh: math.Tanh, Sin: math.Sin, Cos: math.Cos,
		Erf:     math.Erf,
		Sigmoid: func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
		Sqrt:    math.Sqrt, Rsqrt: func(x float64) float64 { return 1 / float64(T(math.Sqrt(x))) },
		Abs: math.Abs, Neg: func(x float64) float64 { return -x }, Floor: math.Floor, Ceil: math.Ceil,
	} {
		Unary(s, op, dst, x)
		for i, v := range x {
			want, got := float64(T(f(float64(v)))), float64(dst[i])
			if math.IsNaN(want) {
				require.True(t, math.IsNaN(got), "operation %d of %v is %v, want NaN", op, v, got)
				continue
			}
			require.Equal(t, math.Signbit(want), math.Signbit(got), "the sign of operation %d of %v, %v", op, v, got)
			if math.Abs(want) < float64(normal) || math.IsInf(want, 0) {
				require.Equal(t, want, got, "operation %d of %v", op, v)
				continue
			}
			relative := map[int]float64{4: 3e-7, 8: 1e-15}[sizeof[T]()]
			require.InEpsilon(t, want, got, relative, "operation %d of %v", op, v)
		}
	}
}

func TestFunctionsAtTheEdges(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		t.Run("float32", func(t *testing.T) {
			testEdges[float32](t, s, math.SmallestNonzeroFloat32, 0x1p-126, math.MaxFloat32)
		})
		t.Run("float64", func(t *testing.T) {
			testEdges(t, s, math.SmallestNonzeroFloat64, 0x1p-1022, math.MaxFloat64)
		})
	})
}

// TestExpm1OfSubnormals is of all of them: each is its own result.
func TestExpm1OfSubnormals(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		const block = 1 << 16
		x, dst := make([]float32, block), make([]float32, block)
		for _, sign := range []uint32{0, 1 << 31} {
			for from := uint32(0); from < 1<<23; from += block {
				for i := range x {
					x[i] = math.Float32frombits(sign | from + uint32(i))
				}
				Unary(s, Expm1, dst, x)
				require.True(t, slices.Equal(x, dst), "one of the %d after %v", block, x[0])
			}
		}
	})
}

func testReductions[T float](t *testing.T, s Set) {
	r := seeded(9)
	for _, n := range []int{0, 1, 31, 32, 33, 64, 100, 1000} {
		x := random[T](t, r, n)
		var sum float64
		largest, smallest := math.Inf(-1), math.Inf(1)
		for _, v := range x {
			sum += float64(v)
			largest, smallest = max(largest, float64(v)), min(smallest, float64(v))
		}
		assert.InDelta(t, sum, float64(Sum(s, x)), 10*tolerance[T](n))
		assert.Equal(t, Sum(Generic, x), Sum(s, x), "the same bits in every set")
		assert.Equal(t, T(largest), MaxOf(s, x))
		assert.Equal(t, T(smallest), MinOf(s, x))
		for _, at := range []int{0, n / 2, n - 1} {
			if n == 0 {
				break
			}
			y := append([]T{}, x...)
			y[at] = T(math.NaN())
			for _, v := range []T{Sum(s, y), MaxOf(s, y), MinOf(s, y)} {
				assert.True(t, v != v, "NaN at %d of %d", at, n)
			}
		}
	}
	for _, shape := range [][3]int{{3, 5, 7}, {2, 100, 1}, {1, 40, 130}, {4, 1, 3}, {2, 0, 3}, {1, 784, 16}} {
		outer, n, inner := shape[0], shape[1], shape[2]
		x := random[T](t, r, outer*n*inner)
		for op := range ReduceProduct + 1 {
			want := make([]float64, outer*inner)
			for o := range outer {
				for j := range inner {
					acc := [...]float64{0, math.Inf(-1), math.Inf(1), 1}[op]
					for k := range n {
						v := float64(x[(o*n+k)*inner+j])
						acc = [...]float64{acc + v, max(acc, v), min(acc, v), acc * v}[op]
					}
					want[o*inner+j] = acc
				}
			}
			dst := guard[T](outer * inner)
			for o := range outer {
				Reduce(s, op, o, o+1, n, inner, dst.slice(), x)
			}
			dst.check(t)
			within(t, want, dst.slice(), 10*tolerance[T](n), "reduction %d of %v", op, shape)
		}
	}
}

func TestReductions(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		t.Run("float32", func(t *testing.T) { testReductions[float32](t, s) })
		t.Run("float64", func(t *testing.T) { testReductions[float64](t, s) })
	})
}

func TestTranspose(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		r := seeded(6)
		for range 40 {
			rows, cols := 1+r.IntN(70), 1+r.IntN(70)
			ldx, ldd := cols+r.IntN(3), rows+r.IntN(3)
			x, dst := random[float32](t, r, (rows-1)*ldx+cols), guard[float32]((cols-1)*ldd+rows)
			transpose(dst.slice(), ldd, x, ldx, rows, cols)
			dst.check(t)
			for i := range rows {
				for j := range cols {
					require.Equal(t, x[i*ldx+j], dst.slice()[j*ldd+i])
				}
			}
		}
	})
}

func TestSets(t *testing.T) {
	for _, s := range Sets() {
		got, err := ByName(s.String())
		require.NoError(t, err)
		assert.Equal(t, s, got)
	}
	_, err := ByName("sse")
	assert.ErrorContains(t, err, "generic")
	assert.True(t, Generic.Available())
	assert.False(t, Set(9).Available())
	assert.True(t, Best().Available())
}

func BenchmarkElementwise(b *testing.B) {
	const n = 4096
	benchSets(b, func(b *testing.B, s Set) {
		r := seeded(1)
		x, y, dst := random[float32](b, r, n), random[float32](b, r, n), make([]float32, n)
		run := func(name string, f func()) {
			b.Run(name, func(b *testing.B) {
				b.SetBytes(4 * n)
				for b.Loop() {
					f()
				}
			})
		}
		run("add", func() { Binary(s, Add, dst, x, y) })
		run("max", func() { Binary(s, Max, dst, x, y) })
		run("exp", func() { Unary(s, Exp, dst, x) })
		run("tanh", func() { Unary(s, Tanh, dst, x) })
		run("sum", func() { dst[0] = Sum(s, x) })
		run("max-of", func() { dst[0] = MaxOf(s, x) })
		run("transpose", func() { transpose(dst, 64, x, 64, 64, 64) })
	})
}

// TestSplit cuts elementwise work at odd places and expects the same bits.
func TestSplit(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		const n = 333
		r := seeded(14)
		a, b := random[float32](t, r, n), random[float32](t, r, n)
		for name, f := range map[string]func(dst []float32, lo, hi int){
			"add":     func(dst []float32, lo, hi int) { Binary(s, Add, dst[lo:hi], a[lo:hi], b[lo:hi]) },
			"exp":     func(dst []float32, lo, hi int) { Unary(s, Exp, dst[lo:hi], a[lo:hi]) },
			"tanh":    func(dst []float32, lo, hi int) { Unary(s, Tanh, dst[lo:hi], a[lo:hi]) },
			"sigmoid": func(dst []float32, lo, hi int) { Unary(s, Sigmoid, dst[lo:hi], a[lo:hi]) },
			"partial sums": func(dst []float32, lo, hi int) {
				s.SumPartials(dst, append(append([]float32{}, a...), b...), 2, n, lo, hi)
			},
		} {
			whole, parts := make([]float32, n), make([]float32, n)
			f(whole, 0, n)
			for _, cut := range [][2]int{{0, 1}, {1, 18}, {18, 150}, {150, 151}, {151, n}} {
				f(parts, cut[0], cut[1])
			}
			assert.Equal(t, whole, parts, name)
		}
	})
}
