package vamp_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/vamp"
	"github.com/koopbench/koopbench/nn"
)

func evaluateGraph(t testing.TB, x, y mat.Matrix, v variant) (core.LossValue, bool) {
	t.Helper()
	loss, degenerate, err := nn.EvaluateGraph(cpu.GetBackend(), vamp.Loss{}, x, y, v.options(t))
	require.NoError(t, err)
	return loss, degenerate
}

// batches are views of n×d float32 numbers that training may meet.
var batches = map[string]func(r *rand.Rand, d int) (x, y *mat.Dense){
	"random":     func(r *rand.Rand, d int) (x, y *mat.Dense) { return views(r, 64, d) },
	"last batch": func(r *rand.Rand, d int) (x, y *mat.Dense) { return views(r, 55, d) },
	"one row":    func(r *rand.Rand, d int) (x, y *mat.Dense) { return views(r, 1, d) },
	"two rows":   func(r *rand.Rand, d int) (x, y *mat.Dense) { return views(r, 2, d) },
	"as many":    func(r *rand.Rand, d int) (x, y *mat.Dense) { return views(r, d, d) },
	"one more":   func(r *rand.Rand, d int) (x, y *mat.Dense) { return views(r, d+1, d) },
	"two more":   func(r *rand.Rand, d int) (x, y *mat.Dense) { return views(r, d+2, d) },
	"zero": func(_ *rand.Rand, d int) (x, y *mat.Dense) {
		return mat.NewDense(9, d, nil),
			mat.NewDense(9, d, nil)
	},
	"large":        func(r *rand.Rand, d int) (x, y *mat.Dense) { return scaled(r, d, 1e18, 1e-18) },
	"small":        func(r *rand.Rand, d int) (x, y *mat.Dense) { return scaled(r, d, 1e-18, 1e-18) },
	"uncorrelated": func(r *rand.Rand, d int) (x, y *mat.Dense) { return gaussianPair(r, 64, d) },
	"identical": func(r *rand.Rand, d int) (x, y *mat.Dense) {
		x, _ = views(r, 64, d)
		return x, x
	},
	"unit rows": func(r *rand.Rand, d int) (x, y *mat.Dense) {
		x, y = views(r, 64, d)
		for _, m := range []*mat.Dense{x, y} {
			for i := range 64 {
				row := m.RowView(i).(*mat.VecDense)
				row.ScaleVec(1/mat.Norm(row, 2), row)
			}
			rounded(m)
		}
		return x, y
	},
	"duplicate rows": func(r *rand.Rand, d int) (x, y *mat.Dense) {
		x, y = views(r, 64, d)
		for i := range 64 {
			x.SetRow(i, x.RawRowView(i%(2*d+3)))
			y.SetRow(i, y.RawRowView(i%(2*d+3)))
		}
		return x, y
	},
	"equal rows": func(r *rand.Rand, d int) (x, y *mat.Dense) {
		x, y = views(r, 64, d)
		for i := range 64 {
			x.SetRow(i, x.RawRowView(0))
			y.SetRow(i, y.RawRowView(0))
		}
		return x, y
	},
	"dependent features": func(r *rand.Rand, d int) (x, y *mat.Dense) {
		x, y = views(r, 64, d)
		for i := range 64 {
			x.Set(i, d-1, 2*x.At(i, 0))
			y.Set(i, d/2, -y.At(i, 0))
		}
		return x, y
	},
	"constant features": func(r *rand.Rand, d int) (x, y *mat.Dense) {
		x, y = views(r, 64, d)
		for i := range 64 {
			x.Set(i, d-1, float64(float32(0.1)))
			y.Set(i, 0, 1)
		}
		return x, y
	},
	"almost constant": func(r *rand.Rand, d int) (x, y *mat.Dense) {
		x, y = views(r, 64, d)
		shift := func(_, j int, v float64) float64 { return float64(j+1) + 1e-3*v }
		x.Apply(shift, x)
		y.Apply(shift, y)
		return rounded(x), rounded(y)
	},
	"collinear 1e-2": func(r *rand.Rand, d int) (x, y *mat.Dense) { return collinear(r, d, 1e-2) },
	"collinear 1e-3": func(r *rand.Rand, d int) (x, y *mat.Dense) { return collinear(r, d, 1e-3) },
	"collinear 1e-4": func(r *rand.Rand, d int) (x, y *mat.Dense) { return collinear(r, d, 1e-4) },
	"collinear 1e-5": func(r *rand.Rand, d int) (x, y *mat.Dense) { return collinear(r, d, 1e-5) },
	"collinear 1e-9": func(r *rand.Rand, d int) (x, y *mat.Dense) { return collinear(r, d, 1e-9) },
}

func scaled(r *rand.Rand, d int, a, b float64) (x, y *mat.Dense) {
	x, y = views(r, 64, d)
	x.Scale(a, x)
	y.Scale(b, y)
	return rounded(x), rounded(y)
}

func gaussianPair(r *rand.Rand, n, d int) (x, y *mat.Dense) {
	return rounded(gaussian(r, n, d)), rounded(gaussian(r, n, d))
}

// collinear makes features that differ from multiples of the first by the given size.
func collinear(r *rand.Rand, d int, size float64) (x, y *mat.Dense) {
	x, y = views(r, 64, d)
	for _, m := range []*mat.Dense{x, y} {
		for i := range 64 {
			for j := 1; j < d; j++ {
				m.Set(i, j, float64(j)*m.At(i, 0)+size*m.At(i, j))
			}
		}
		rounded(m)
	}
	return x, y
}

func TestGraphEqualsEvaluate(t *testing.T) {
	for name, make := range batches {
		t.Run(name, func(t *testing.T) {
			for i, d := range []int{1, 2, 5, 10} {
				r := rand.New(rand.NewPCG(20, uint64(i)))
				x, y := make(r, d)
				for _, v := range variants {
					what := fmt.Sprintf("%v d=%d", v, d)
					want := evaluate(t, x, y, v)
					got, degenerate := evaluateGraph(t, x, y, v)
					assert.InDelta(t, want.Value, got.Value, 1e-6*float64(d), what)
					if v.schatten == 1 && onKink(correlations(x, y, v)) {
						assert.False(t, math.IsNaN(mat.Sum(got.GradX)+mat.Sum(got.GradY)), what)
						continue
					}
					assert.Equal(t, len(want.Warnings) > 0, degenerate, "%s: %q", what, want.Warnings)
					for _, gradients := range [][2]*mat.Dense{{want.GradX, got.GradX}, {want.GradY, got.GradY}} {
						tolerance := 1e-6*mat.Norm(gradients[0], 2) + nothing[v.schatten]*steepest(want)
						assert.LessOrEqual(t, difference(gradients[1], gradients[0]), tolerance, what)
					}
				}
			}
		})
	}
}

// onKink tells of a canonical correlation around 1e-8, where Evaluate takes VAMP-1's derivative for
// 0 all at once, and the graph does so gradually.
func onKink(correlations []float64) bool {
	for _, s := range correlations {
		if s > 1e-12 && s < 2e-8 {
			return true
		}
	}
	return false
}

// nothing is how large a gradient may be, by the norm, that is zero but for rounding. VAMP-1's
// iteration raises rounding errors of zero correlations, 1e-15, a hundred million times.
var nothing = map[int]float64{1: 2e-6, 2: 1e-9}

func difference(a, b *mat.Dense) float64 {
	var c mat.Dense
	c.Sub(a, b)
	return mat.Norm(&c, 2)
}

// steepest is the norm of the larger gradient, or 1.
func steepest(loss core.LossValue) float64 {
	return math.Max(1, math.Max(mat.Norm(loss.GradX, 2), mat.Norm(loss.GradY, 2)))
}

// Almost collinear features are where VAMP's training fails with a solver in float32. Here x = w·m
// with small integers w and a triangular m of powers of two, all exact in float32: the gradient by
// x is the well-conditioned one by w, times m⁻ᵀ.
func TestGradientsOfAlmostCollinearFeatures(t *testing.T) {
	const n, d = 64, 5
	r := rand.New(rand.NewPCG(21, 21))
	integers := func() *mat.Dense {
		w := mat.NewDense(n, d, nil)
		w.Apply(func(int, int, float64) float64 { return float64(r.IntN(255) - 127) }, w)
		return w
	}
	w, y := integers(), integers()
	y.Apply(func(i, j int, v float64) float64 { return v + math.Floor(w.At(i, j)/2) }, y)
	for _, v := range variants[:4] {
		exact := evaluate(t, w, y, v)
		for _, bits := range []int{7, 10, 13, 15} {
			epsilon := math.Ldexp(1, -bits)
			m, inverse := mat.NewDense(d, d, nil), mat.NewDense(d, d, nil)
			for j := range d {
				m.Set(0, j, 1)
				m.Set(j, j, epsilon)
				inverse.Set(0, j, -1/epsilon)
				inverse.Set(j, j, 1/epsilon)
			}
			m.Set(0, 0, 1)
			inverse.Set(0, 0, 1)
			var x, want mat.Dense
			x.Mul(w, m)
			require.True(t, mat.Equal(&x, rounded(mat.DenseCopyOf(&x))), "x is exact in float32")
			want.Mul(exact.GradX, inverse.T())

			condition := mat.Cond(centred(&x, v.centre), 2)
			t.Run(fmt.Sprintf("%v,condition=%.0e", v, condition*condition), func(t *testing.T) {
				loss := evaluate(t, &x, y, v)
				assert.Empty(t, loss.Warnings)
				assert.InDelta(t, exact.Value, loss.Value, 1e-9)
				assert.Less(t, distance(loss.GradX, &want), 1e-9, "in float64")
				assert.Less(t, distance(loss.GradY, exact.GradY), 1e-9, "in float64")

				loss, degenerate := evaluateGraph(t, &x, y, v)
				assert.False(t, degenerate)
				assert.InDelta(t, exact.Value, loss.Value, 1e-6)
				assert.Less(t, distance(loss.GradX, &want), 1e-6, "graph")
				assert.Less(t, distance(loss.GradY, exact.GradY), 1e-6, "graph")

				if v == (variant{2, false, 0}) && condition*condition > 1e8 {
					// Exact algebra on covariances rounded to float32, better than what any solver in float32 can do.
					assert.Greater(t, distance(gradientFromRoundedCovariances(&x, y), &want), 0.5, "covariances in float32")
				}
			})
		}
	}
}

// gradientFromRoundedCovariances is VAMP-2's gradient by x, 2(x C⁻¹ A D⁻¹ Aᵀ C⁻¹ − y D⁻¹ Aᵀ C⁻¹)/n, with C, A and D the
// covariances of x, of x with y, and of y, each rounded to float32.
func gradientFromRoundedCovariances(x, y *mat.Dense) *mat.Dense {
	n, _ := x.Dims()
	covariance := func(a, b *mat.Dense) *mat.Dense {
		var c mat.Dense
		c.Mul(a.T(), b)
		c.Scale(1/float64(n), &c)
		return rounded(&c)
	}
	var c, d, right, left, sum mat.Dense
	_ = c.Inverse(covariance(x, x)) // the error is a condition number
	_ = d.Inverse(covariance(y, y))
	right.Product(y, &d, covariance(x, y).T(), &c)
	left.Product(x, &c, covariance(x, y), &d, covariance(x, y).T(), &c)
	sum.Sub(&left, &right)
	sum.Scale(2/float64(n), &sum)
	return &sum
}

func TestGraphShowsThatFeaturesAreNotFinite(t *testing.T) {
	for _, v := range variants {
		options := v.options(t)
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
			loss, err := graph.CallOnce(cpu.GetBackend(), func(x *graph.Node) *graph.Node {
				loss, _ := vamp.Loss{}.Graph(x, graph.OneMinus(graph.Square(x)), options)
				return loss
			}, [][]float32{{1, 2}, {3, bad}, {4, 1}, {0, 1}, {5, 9}})
			require.NoError(t, err)
			value := float64(tensors.ToScalar[float32](loss))
			assert.True(t, math.IsNaN(value) || math.IsInf(value, 0), "%v %v: %v", v, bad, value)
		}
	}
}

// The graph is run at every step of a training: its size is what it costs.
func TestGraphIsSmall(t *testing.T) {
	for _, c := range []struct {
		v       variant
		d, most int
	}{
		{variant{2, false, 0}, 5, 130}, {variant{2, true, 1e-6}, 5, 130}, {variant{1, false, 0}, 5, 290},
		{variant{2, false, 0}, 10, 200}, {variant{1, false, 0}, 10, 360},
	} {
		g := graph.NewGraph(cpu.GetBackend(), "size")
		shape := shapes.Make(dtypes.Float32, 64, c.d)
		x, y := graph.Parameter(g, "x", shape), graph.Parameter(g, "y", shape)
		loss, _ := vamp.Loss{}.Graph(x, y, c.v.options(t))
		graph.Gradient(loss, x, y)
		assert.LessOrEqual(t, len(g.Nodes()), c.most, "%v d=%d", c.v, c.d)
		g.Finalize()
	}
}

func BenchmarkGraph(b *testing.B) {
	r := rand.New(rand.NewPCG(22, 22))
	for _, v := range []variant{{2, false, 0}, {1, false, 0}} {
		for _, d := range []int{5, 10} {
			b.Run(fmt.Sprintf("%v,d=%d", v, d), func(b *testing.B) {
				options := v.options(b)
				exec, err := graph.NewExec(cpu.GetBackend(), func(x, y *graph.Node) []*graph.Node {
					loss, degenerate := vamp.Loss{}.Graph(x, y, options)
					return append(graph.Gradient(loss, x, y), loss, degenerate)
				})
				require.NoError(b, err)
				input := func() *tensors.Tensor {
					values := make([]float32, 64*d)
					for i := range values {
						values[i] = float32(r.NormFloat64())
					}
					return tensors.FromFlatDataAndDimensions(values, 64, d)
				}
				x, y := input(), input()
				exec.MustCall(x, y)
				for b.Loop() {
					exec.MustCall(x, y)
				}
			})
		}
	}
}
