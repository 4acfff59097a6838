package dpnets_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/dpnets"
	"github.com/koopbench/koopbench/nn"
)

// variant is a loss with a choice of options.
type variant struct {
	relaxed, centre bool
	gamma           float64
}

func (v variant) String() string {
	return fmt.Sprintf("relaxed=%t,centre=%t,gamma=%v", v.relaxed, v.centre, v.gamma)
}

var variants = []variant{
	{false, false, 0}, {false, false, 0.5}, {false, true, 0}, {false, true, 0.5},
	{true, false, 0}, {true, false, 0.5}, {true, true, 0}, {true, true, 0.5},
}

func (v variant) options(t testing.TB) core.Options {
	t.Helper()
	options, err := dpnets.Loss{
		Relaxed: v.relaxed}.Describe().Resolve(map[string]any{"centre": v.centre, "gamma": v.gamma})
	require.NoError(t, err)
	return options
}

func (v variant) evaluate(t testing.TB, x, y mat.Matrix) core.LossValue {
	t.Helper()
	loss, err := dpnets.Loss{Relaxed: v.relaxed}.Evaluate(context.Background(), x, y, v.options(t))
	require.NoError(t, err)
	return loss
}

func (v variant) evaluateGraph(t testing.TB, x, y mat.Matrix) (core.LossValue, bool) {
	t.Helper()
	loss, degenerate, err := nn.EvaluateGraph(cpu.GetBackend(), dpnets.Loss{Relaxed: v.relaxed}, x, y, v.options(t))
	require.NoError(t, err)
	return loss, degenerate
}

func rounded(m *mat.Dense) *mat.Dense {
	m.Apply(func(_, _ int, v float64) float64 { return float64(float32(v)) }, m)
	return m
}

// views returns two dependent views, the entries float32 numbers.
func views(r *rand.Rand, n, d int) (x, y *mat.Dense) {
	x, y = mat.NewDense(n, d, nil), mat.NewDense(n, d, nil)
	x.Apply(func(int, int, float64) float64 { return r.NormFloat64() }, x)
	y.Apply(func(i, j int, _ float64) float64 { return r.NormFloat64() + 0.7*x.At(i, j) + 0.3 }, y)
	return rounded(x), rounded(y)
}

// covariances returns C_X, C_Y and C_XY.
func covariances(x, y *mat.Dense, centre bool) [3]*mat.Dense {
	n, d := x.Dims()
	centred := func(m *mat.Dense) *mat.Dense {
		c := mat.DenseCopyOf(m)
		for j := range d {
			mean := mat.Sum(m.ColView(j)) / float64(n)
			for i := range n {
				if centre {
					c.Set(i, j, m.At(i, j)-mean)
				}
			}
		}
		return c
	}
	var all [3]*mat.Dense
	for i, pair := range [][2]*mat.Dense{{x, x}, {y, y}, {x, y}} {
		all[i] = &mat.Dense{}
		all[i].Mul(centred(pair[0]).T(), centred(pair[1]))
		all[i].Scale(1/float64(n), all[i])
	}
	return all
}

// definition computes the loss as the paper writes it.
func definition(x, y *mat.Dense, v variant) float64 {
	c := covariances(x, y, v.centre)
	_, d := x.Dims()
	var score float64
	if v.relaxed {
		score = math.Pow(mat.Norm(c[2], 2), 2) / norm2(c[0]) / norm2(c[1])
	} else { // tr C_X⁻¹ C_XY C_Y⁻¹ C_YX
		var forX, forY, product mat.Dense
		_ = forX.Solve(c[0], c[2])
		_ = forY.Solve(c[1], c[2].T())
		product.Mul(&forX, &forY)
		score = mat.Trace(&product)
	}
	distortion := 0.0
	for _, c := range c[:2] {
		logDet, _ := mat.LogDet(c)
		distortion += (math.Pow(mat.Norm(c, 2), 2) - mat.Trace(c) - logDet) / float64(d)
	}
	return -score + v.gamma/2*distortion
}

func norm2(m mat.Matrix) float64 {
	var svd mat.SVD
	svd.Factorize(m, mat.SVDNone)
	return svd.Values(nil)[0]
}

func TestDescription(t *testing.T) {
	for _, relaxed := range []bool{false, true} {
		d := dpnets.Loss{Relaxed: relaxed}.Describe()
		require.NoError(t, d.Validate())
		for _, bad := range []map[string]any{{"gamma": -1e-9}, {"gamma": math.NaN()}, {"center": true}} {
			_, err := d.Resolve(bad)
			assert.ErrorIs(t, err, core.ErrOption, "%v", bad)
		}
	}
}

func TestValueAndGradientAreTheDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, v := range variants {
		for _, d := range []int{1, 2, 5} {
			x, y := views(r, 12, d)
			got := v.evaluate(t, x, y)
			assert.Empty(t, got.Warnings)
			assert.InDelta(t, definition(x, y, v), got.Value, 1e-10, "%v d=%d", v, d)
			for _, view := range []struct{ entries, gradient *mat.Dense }{{x, got.GradX}, {y, got.GradY}} {
				for i := range view.entries.RawMatrix().Data {
					const step = 1e-5
					entry := &view.entries.RawMatrix().Data[i]
					was := *entry
					*entry = was + step
					above := definition(x, y, v)
					*entry = was - step
					below := definition(x, y, v)
					*entry = was
					assert.InDelta(t, (above-below)/(2*step), view.gradient.RawMatrix().Data[i], 1e-7, "%v d=%d", v, d)
				}
			}
		}
	}
}

// batches are views of n×d float32 numbers that training may meet.
var batches = map[string]func(r *rand.Rand, d int) (x, y *mat.Dense){
	"random":   func(r *rand.Rand, d int) (x, y *mat.Dense) { return views(r, 64, d) },
	"one row":  func(r *rand.Rand, d int) (x, y *mat.Dense) { return views(r, 1, d) },
	"two rows": func(r *rand.Rand, d int) (x, y *mat.Dense) { return views(r, 2, d) },
	"as many":  func(r *rand.Rand, d int) (x, y *mat.Dense) { return views(r, d, d) },
	"two more": func(r *rand.Rand, d int) (x, y *mat.Dense) { return views(r, d+2, d) },
	"zero":     func(_ *rand.Rand, d int) (x, y *mat.Dense) { return mat.NewDense(9, d, nil), mat.NewDense(9, d, nil) },
	"one view is zero": func(r *rand.Rand, d int) (x, y *mat.Dense) {
		x, _ = views(r, 9, d)
		return x, mat.NewDense(9, d, nil)
	},
	"small": func(r *rand.Rand, d int) (x, y *mat.Dense) {
		x, y = views(r, 64, d)
		x.Scale(1e-12, x)
		y.Scale(1e-9, y)
		return rounded(x), rounded(y)
	},
	"large": func(r *rand.Rand, d int) (x, y *mat.Dense) {
		x, y = views(r, 64, d)
		x.Scale(1e4, x)
		return rounded(x), y
	},
	"equal rows": func(r *rand.Rand, d int) (x, y *mat.Dense) {
		x, y = views(r, 16, d)
		for i := range 16 {
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
	"one-hot rows": func(_ *rand.Rand, d int) (x, y *mat.Dense) { // the covariance is a multiple of the identity
		x, y = mat.NewDense(6*d, d, nil), mat.NewDense(6*d, d, nil)
		for i := range 6 * d {
			x.Set(i, i%d, 1)
			y.Set(i, (i+1)%d, 1)
		}
		return x, y
	},
	"collinear": func(r *rand.Rand, d int) (x, y *mat.Dense) {
		x, y = views(r, 64, d)
		for i := range 64 {
			for j := 1; j < d; j++ {
				x.Set(i, j, x.At(i, 0)+1e-3*x.At(i, j))
			}
		}
		return rounded(x), y
	},
}

func TestGraphEqualsEvaluate(t *testing.T) {
	for name, make := range batches {
		t.Run(name, func(t *testing.T) {
			zero := 1e-9 // how large the norm of a gradient may be that is zero but for rounding
			if name == "one-hot rows" {
				zero = 1e-7 // at the kink rounding errors are raised by 2²⁴
			}
			for i, d := range []int{1, 2, 5, 10} {
				x, y := make(rand.New(rand.NewPCG(2, uint64(i))), d)
				for _, v := range variants {
					what := fmt.Sprintf("%v d=%d", v, d)
					want := v.evaluate(t, x, y)
					got, degenerate := v.evaluateGraph(t, x, y)
					assert.Equal(t, len(want.Warnings) > 0, degenerate, "%s: %q", what, want.Warnings)
					assert.InDelta(t, want.Value, got.Value, 1e-6*(math.Abs(want.Value)+1), what)
					for _, gradients := range [][2]*mat.Dense{{want.GradX, got.GradX}, {want.GradY, got.GradY}} {
						var difference mat.Dense
						difference.Sub(gradients[0], gradients[1])
						assert.LessOrEqual(t, mat.Norm(&difference, 2), 1e-6*mat.Norm(gradients[0], 2)+zero, what)
					}
				}
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		batch string
		of    variant
		want  []string // how the warnings begin
	}{
		{"dependent features", variant{false, false, 0}, []string{"1 of 5 features of the view (4)",
			"1 of 5 features of the lagged view (2)"}},
		{"dependent features", variant{true, false, 0.5}, []string{"1 of 5 features of the view (4)",
			"1 of 5 features of the lagged view (2)"}},
		{"dependent features", variant{true, false, 0}, nil},
		{"constant features", variant{true, true, 0.5}, []string{"1 of 5 features of the view (4)",
			"1 of 5 features of the lagged view (0)"}},
		{"constant features", variant{true, false, 0.5}, nil},
		{"one view is zero", variant{true, false, 0}, []string{"5 of 5 features of the lagged view"}},
		{"as many", variant{false, false, 0}, []string{"in a batch of 5 rows, any 5 features"}},
		{"as many", variant{true, false, 0.5}, nil},
	} {
		x, y := batches[c.batch](rand.New(rand.NewPCG(3, 3)), 5)
		got := c.of.evaluate(t, x, y).Warnings
		require.Len(t, got, len(c.want), "%s %v: %q", c.batch, c.of, got)
		for i, start := range c.want {
			assert.True(t, strings.HasPrefix(got[i], start), got[i])
		}
	}
}

// A left-out feature gets no gradient from what inverts covariances; that of the others is as if it were not there.
func TestDependentFeaturesAreLeftOut(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	x, y := views(r, 32, 3)
	wide := func(m *mat.Dense) *mat.Dense {
		n, d := m.Dims()
		w := mat.NewDense(n, d+1, nil)
		w.Slice(0, n, 0, d).(*mat.Dense).Copy(m)
		return w
	}
	for _, centre := range []bool{false, true} {
		v := variant{false, centre, 0}
		want, got := v.evaluate(t, x, y), v.evaluate(t, wide(x), wide(y))
		assert.InDelta(t, want.Value, got.Value, 1e-12)
		assert.True(t, mat.EqualApprox(wide(want.GradX), got.GradX, 1e-12))

		v.gamma = 1
		zero := v.evaluate(t, wide(x), wide(y))
		logs := -math.Log(nn.LeastDistance(4)) * 2 // for the zero features of both views
		forThree := 3 * (v.evaluate(t, x, y).Value - want.Value)
		assert.InDelta(t, want.Value+(forThree+logs)/4, zero.Value, 1e-10)
	}
}

// Where the largest eigenvalues meet, the gradient does not depend on the basis of the features.
func TestGradientAtTheKink(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	x, y := batches["one-hot rows"](r, 4)
	v := variant{true, false, 0}
	var qr mat.QR
	random, _ := views(r, 4, 4)
	qr.Factorize(random)
	var q, xq, yq, back mat.Dense
	qr.QTo(&q)
	xq.Mul(x, &q)
	yq.Mul(y, &q)
	want, got := v.evaluate(t, x, y), v.evaluate(t, &xq, &yq)
	assert.InDelta(t, -4, want.Value, 1e-12)
	assert.InDelta(t, want.Value, got.Value, 1e-12)
	back.Mul(got.GradX, q.T())
	assert.True(t, mat.EqualApprox(want.GradX, &back, 1e-6))
	assert.Less(t, mat.Norm(want.GradX, 2), 1e-12, "no direction is better than others, and the score is at its most")
}

func TestErrors(t *testing.T) {
	good := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 5})
	for _, v := range []variant{{false, false, 0.5}, {true, false, 0}} {
		for name, c := range map[string]struct {
			x, y mat.Matrix
			want error
		}{
			"rows":     {good, mat.NewDense(2, 2, nil), core.ErrShape},
			"empty":    {&mat.Dense{}, &mat.Dense{}, core.ErrShape},
			"nil":      {nil, good, core.ErrShape},
			"NaN":      {good, mat.NewDense(3, 2, []float64{1, 2, 3, math.NaN(), 1, 1}), core.ErrNonFinite},
			"overflow": {mat.NewDense(3, 2, []float64{1e200, 2, 3, 1e200, 1, 1}), good, core.ErrNonFinite},
		} {
			_, err := dpnets.Loss{Relaxed: v.relaxed}.Evaluate(context.Background(), c.x, c.y, v.options(t))
			assert.ErrorIs(t, err, c.want, "%s %v", name, v)
		}
	}
}

func TestGraphShowsThatFeaturesAreNotFinite(t *testing.T) {
	for _, v := range variants {
		for _, bad := range []float64{math.NaN(), math.Inf(1)} {
			for _, all := range []bool{false, true} {
				loss := graphOf(t, v, bad, all)
				assert.True(t, math.IsNaN(loss) || math.IsInf(loss, 0), "%v %v: %v", v, bad, loss)
			}
		}
	}
}
