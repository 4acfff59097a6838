package lora_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/lora"
	"github.com/koopbench/koopbench/nn"
)

// random holds float32 numbers.
func random(r *rand.Rand, n, d int) *mat.Dense {
	m := mat.NewDense(n, d, nil)
	m.Apply(func(int, int, float64) float64 { return float64(float32(r.NormFloat64())) }, m)
	return m
}

func options(t testing.TB, nesting string) core.Options {
	t.Helper()
	o, err := lora.Loss{}.Describe().Resolve(map[string]any{"nesting": nesting})
	require.NoError(t, err)
	return o
}

func evaluate(t testing.TB, x, y mat.Matrix, nesting string) core.LossValue {
	t.Helper()
	loss, err := lora.Loss{}.Evaluate(context.Background(), x, y, options(t, nesting))
	require.NoError(t, err)
	return loss
}

// definition is the loss of all features, or the mean over the first, the first two and so on.
func definition(x, y *mat.Dense, nesting string) float64 {
	n, d := x.Dims()
	if nesting == "joint" {
		sum := 0.0
		for k := 1; k <= d; k++ {
			sum += definition(x.Slice(0, n, 0, k).(*mat.Dense), y.Slice(0, n, 0, k).(*mat.Dense), "none")
		}
		return sum / float64(d)
	}
	var overlap, agreement float64
	for i := range n {
		agreement += mat.Dot(x.RowView(i), y.RowView(i))
	}
	var momentsX, momentsY mat.Dense
	momentsX.Mul(x.T(), x)
	momentsY.Mul(y.T(), y)
	momentsX.MulElem(&momentsX, &momentsY)
	overlap = mat.Sum(&momentsX)
	return overlap/float64(n*n) - 2*agreement/float64(n)
}

func TestDescription(t *testing.T) {
	require.NoError(t, lora.Loss{}.Describe().Validate())
	_, err := lora.Loss{}.Describe().Resolve(map[string]any{"nesting": "sequential"})
	assert.ErrorIs(t, err, core.ErrOption)
}

func TestValueAndGradient(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, nesting := range []string{"none", "joint"} {
		for _, n := range []int{1, 2, 12} {
			for _, d := range []int{1, 2, 5} {
				x, y := random(r, n, d), random(r, n, d)
				got := evaluate(t, x, y, nesting)
				assert.InDelta(t, definition(x, y, nesting), got.Value, 1e-11)
				assert.Empty(t, got.Warnings)
				for _, view := range []struct{ entries, gradient *mat.Dense }{{x, got.GradX}, {y, got.GradY}} {
					for i := range view.entries.RawMatrix().Data {
						const step = 1e-3 // the loss is quadratic in each view: central differences are exact
						entry := &view.entries.RawMatrix().Data[i]
						was := *entry
						*entry = was + step
						above := definition(x, y, nesting)
						*entry = was - step
						below := definition(x, y, nesting)
						*entry = was
						assert.InDelta(t, (above-below)/(2*step), view.gradient.RawMatrix().Data[i], 1e-8)
					}
				}
			}
		}
	}
}

// With none, only the span of the features counts; with joint, the order too.
func TestNestingOrders(t *testing.T) {
	const n, d = 400, 3
	r := rand.New(rand.NewPCG(2, 2))
	var qr mat.QR
	qr.Factorize(random(r, n, d))
	var q mat.Dense
	qr.QTo(&q)
	values := []float64{0.9, 0.6, 0.2} // singular values of an operator with these singular functions
	x, y := mat.NewDense(n, d, nil), mat.NewDense(n, d, nil)
	x.Apply(func(i, j int, _ float64) float64 { return q.At(i, j) * math.Sqrt(n*values[j]) }, x)
	y.Copy(x)
	swapped := func(m *mat.Dense) *mat.Dense {
		s := mat.DenseCopyOf(m)
		s.SetCol(0, mat.Col(nil, 2, m))
		s.SetCol(2, mat.Col(nil, 0, m))
		return s
	}
	difference := func(nesting string) float64 {
		return evaluate(t, swapped(x), swapped(y), nesting).Value - evaluate(t, x, y, nesting).Value
	}
	assert.InDelta(t, 0, difference("none"), 1e-12)
	assert.Greater(t, difference("joint"), 0.1)
}

func TestGraphEqualsEvaluate(t *testing.T) {
	for _, nesting := range []string{"none", "joint"} {
		for _, n := range []int{1, 2, 9, 64} {
			for _, d := range []int{1, 2, 5, 10} {
				for name, scale := range map[string]float64{"random": 1, "small": 1e-6, "large": 1e6, "zero": 0} {
					t.Run(fmt.Sprintf("%s %d×%d %s", nesting, n, d, name), func(t *testing.T) {
						r := rand.New(rand.NewPCG(uint64(n), uint64(d)))
						x, y := random(r, n, d), random(r, n, d)
						x.Apply(func(_, _ int, v float64) float64 { return float64(float32(scale * v)) }, x)
						want := evaluate(t, x, y, nesting)
						got, degenerate, err := nn.EvaluateGraph(cpu.GetBackend(), lora.Loss{}, x, y, options(t, nesting))
						require.NoError(t, err)
						assert.False(t, degenerate)
						// The sums of the loss may cancel: what counts is their size.
						lengths := mat.Norm(x, 2) * mat.Norm(y, 2) / float64(n)
						size := lengths*lengths + 2*lengths
						assert.InDelta(t, want.Value, got.Value, 1e-6*size)
						assert.True(t, mat.EqualApprox(want.GradX, got.GradX, 1e-5*(1e-12+mat.Norm(want.GradX, 2))))
						assert.True(t, mat.EqualApprox(want.GradY, got.GradY, 1e-5*(1e-12+mat.Norm(want.GradY, 2))))
					})
				}
			}
		}
	}
}

func TestErrors(t *testing.T) {
	good := mat.NewDense(2, 2, []float64{1, 2, 3, 4})
	for name, c := range map[string]struct {
		x, y mat.Matrix
		want error
	}{
		"rows":     {good, mat.NewDense(3, 2, nil), core.ErrShape},
		"empty":    {&mat.Dense{}, &mat.Dense{}, core.ErrShape},
		"nil":      {nil, good, core.ErrShape},
		"NaN":      {good, mat.NewDense(2, 2, []float64{1, 2, 3, math.NaN()}), core.ErrNonFinite},
		"overflow": {mat.NewDense(2, 2, []float64{1e200, 2, 3, 1e200}), good, core.ErrNonFinite},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := lora.Loss{}.Evaluate(context.Background(), c.x, c.y, options(t, "joint"))
			assert.ErrorIs(t, err, c.want)
		})
	}
}
