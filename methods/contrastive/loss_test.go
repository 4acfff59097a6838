package contrastive_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/contrastive"
	"github.com/koopbench/koopbench/nn"
)

// random holds float32 numbers.
func random(r *rand.Rand, n, d int) *mat.Dense {
	m := mat.NewDense(n, d, nil)
	m.Apply(func(int, int, float64) float64 { return float64(float32(r.NormFloat64())) }, m)
	return m
}

func float32s(_, _ int, v float64) float64 { return float64(float32(v)) }

func flat(m *mat.Dense) *mat.VecDense {
	return mat.NewVecDense(len(m.RawMatrix().Data), m.RawMatrix().Data)
}

func evaluate(t testing.TB, x, y mat.Matrix) core.LossValue {
	t.Helper()
	loss, err := contrastive.Loss{}.Evaluate(context.Background(), x, y, core.Options{})
	require.NoError(t, err)
	return loss
}

// definition is the loss, pair by pair.
func definition(x, y *mat.Dense) float64 {
	n, _ := x.Dims()
	var together, apart float64
	for i := range n {
		for j := range n {
			product := mat.Dot(x.RowView(i), y.RowView(j))
			if i == j {
				together += product
			} else {
				apart += product * product
			}
		}
	}
	return apart/float64(max(n*(n-1), 1)) - 2*together/float64(n)
}

func TestDescription(t *testing.T) {
	assert.NoError(t, contrastive.Loss{}.Describe().Validate())
}

func TestValueAndGradient(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, 3, 12} {
		for _, d := range []int{1, 2, 5} {
			x, y := random(r, n, d), random(r, n, d)
			got := evaluate(t, x, y)
			assert.InDelta(t, definition(x, y), got.Value, 1e-12)
			assert.Equal(t, n == 1, len(got.Warnings) > 0)
			for _, view := range []struct{ entries, gradient *mat.Dense }{{x, got.GradX}, {y, got.GradY}} {
				for i := range view.entries.RawMatrix().Data {
					const step = 1e-3 // the loss is quadratic in each view: central differences are exact
					entry := &view.entries.RawMatrix().Data[i]
					was := *entry
					*entry = was + step
					above := definition(x, y)
					*entry = was - step
					below := definition(x, y)
					*entry = was
					assert.InDelta(t, (above-below)/(2*step), view.gradient.RawMatrix().Data[i], 1e-9)
				}
			}
		}
	}
}

// Features that tell c equally frequent classes apart, orthogonal between classes and of length √c
// within, reach −c where n is large (the pairs i ≠ j are then independent).
func TestLeastValue(t *testing.T) {
	const c, n = 5, 5000
	x := mat.NewDense(n, c, nil)
	for i := range n {
		x.Set(i, i%c, math.Sqrt(c))
	}
	assert.InDelta(t, -c, evaluate(t, x, x).Value, 1e-2)
}

func TestGraphEqualsEvaluate(t *testing.T) {
	for _, n := range []int{1, 2, 9, 55, 64} {
		for _, d := range []int{1, 2, 5, 10} {
			for name, scale := range map[string]float64{"random": 1, "small": 1e-6, "large": 1e6, "zero": 0} {
				t.Run(fmt.Sprintf("%d×%d %s", n, d, name), func(t *testing.T) {
					r := rand.New(rand.NewPCG(uint64(n), uint64(d)))
					x, y := random(r, n, d), random(r, n, d)
					x.Scale(scale, x)
					x.Apply(float32s, x)
					want := evaluate(t, x, y)
					got, degenerate, err := nn.EvaluateGraph(cpu.GetBackend(), contrastive.Loss{}, x, y, core.Options{})
					require.NoError(t, err)
					assert.Equal(t, len(want.Warnings) > 0, degenerate)
					// The two sums of the loss may cancel: what counts is their size.
					size := math.Abs(want.Value) + 4*math.Abs(mat.Dot(flat(x), flat(y)))/float64(n)
					assert.InDelta(t, want.Value, got.Value, 1e-6*size)
					assert.True(t, mat.EqualApprox(want.GradX, got.GradX, 1e-5*(1e-12+mat.Norm(want.GradX, 2))))
					assert.True(t, mat.EqualApprox(want.GradY, got.GradY, 1e-5*(1e-12+mat.Norm(want.GradY, 2))))
				})
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
		"rows":    {good, mat.NewDense(3, 2, nil), core.ErrShape},
		"columns": {good, mat.NewDense(2, 3, nil), core.ErrShape},
		"empty":   {&mat.Dense{}, &mat.Dense{}, core.ErrShape},
		"nil":     {nil, good, core.ErrShape},
		"NaN":     {good, mat.NewDense(2, 2, []float64{1, 2, 3, math.NaN()}), core.ErrNonFinite},
		"overflow": {mat.NewDense(2, 2, []float64{1e200, 2, 3, 1e200}), mat.NewDense(2, 2, []float64{1, 1e200, 3, -4}),
			core.ErrNonFinite},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := contrastive.Loss{}.Evaluate(context.Background(), c.x, c.y, core.Options{})
			assert.ErrorIs(t, err, c.want)
		})
	}
}

func FuzzEvaluate(f *testing.F) {
	for d := range 4 {
		f.Add(uint8(d), make([]byte, 200))
		var b []byte
		for i := range 40 {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(math.Pow(-10, float64(i*d))))
		}
		f.Add(uint8(d), b)
	}
	f.Fuzz(func(t *testing.T, features uint8, content []byte) {
		d := int(features%6) + 1
		n := min(len(content)/(16*d), 40)
		if n == 0 {
			t.Skip("no rows")
		}
		read := func(from int) *mat.Dense {
			m := mat.NewDense(n, d, nil)
			for i := range m.RawMatrix().Data {
				m.RawMatrix().Data[i] = math.Float64frombits(binary.LittleEndian.Uint64(content[8*(from+i):]))
			}
			return m
		}
		x, y := read(0), read(n*d)
		got, err := contrastive.Loss{}.Evaluate(context.Background(), x, y, core.Options{})
		if err != nil {
			require.ErrorIs(t, err, core.ErrNonFinite)
			largest := math.Max(mat.Norm(x, math.Inf(1)), mat.Norm(y, math.Inf(1)))
			require.False(t, largest < 1e70, "an error without a reason: %v", err)
			return
		}
		for _, v := range append(append([]float64{got.Value}, got.GradX.RawMatrix().Data...), got.GradY.RawMatrix().Data...) {
			require.False(t, math.IsNaN(v) || math.IsInf(v, 0))
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 3))
	x, y := random(r, 64, 5), random(r, 64, 5)
	for b.Loop() {
		evaluate(b, x, y)
	}
}

func BenchmarkGraph(b *testing.B) {
	r := rand.New(rand.NewPCG(4, 4))
	exec, err := graph.NewExec(cpu.GetBackend(), func(x, y *graph.Node) []*graph.Node {
		loss, _ := contrastive.Loss{}.Graph(x, y, core.Options{})
		return append(graph.Gradient(loss, x, y), loss)
	})
	require.NoError(b, err)
	input := func() *tensors.Tensor {
		values := make([]float32, 64*5)
		for i := range values {
			values[i] = float32(r.NormFloat64())
		}
		return tensors.FromFlatDataAndDimensions(values, 64, 5)
	}
	x, y := input(), input()
	exec.MustCall(x, y)
	for b.Loop() {
		exec.MustCall(x, y)
	}
}
