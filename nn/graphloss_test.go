package nn_test

import (
	"context"
	"math"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

func TestCheckViews(t *testing.T) {
	good := mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6})
	with := func(v float64) *mat.Dense { return mat.NewDense(2, 3, []float64{1, 2, v, 4, 5, 6}) }
	for name, c := range map[string]struct {
		x, y mat.Matrix
		want error
	}{
		"good":           {good, good, nil},
		"transposed":     {good.T(), good.T(), nil},
		"rows differ":    {good, mat.NewDense(3, 3, nil), core.ErrShape},
		"columns differ": {good, mat.NewDense(2, 2, nil), core.ErrShape},
		"empty":          {&mat.Dense{}, &mat.Dense{}, core.ErrShape},
		"nil":            {nil, good, core.ErrShape},
		"nil pointer":    {good, (*mat.Dense)(nil), core.ErrPanic},
		"NaN":            {good, with(math.NaN()), core.ErrNonFinite},
		"infinite":       {with(math.Inf(-1)), good, core.ErrNonFinite},
	} {
		t.Run(name, func(t *testing.T) {
			err := nn.CheckViews(c.x, c.y)
			if c.want == nil {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, c.want)
		})
	}
}

func TestLineariseGivesValueAndGradientInAnyPrecision(t *testing.T) {
	outputs, err := graph.CallOnceN(cpu.GetBackend(), func(x *graph.Node) []*graph.Node {
		g := x.Graph()
		value := graph.Const(g, 7.0) // float64, beside float32 x
		gradient := graph.MulScalar(graph.ConvertDType(x, dtypes.Float64), 3.0)
		loss := nn.Linearise(value, x, gradient)
		twice := graph.MulScalar(loss, float32(2)) // the chain rule goes on from the loss
		return []*graph.Node{loss, graph.Gradient(twice, x)[0]}
	}, [][]float32{{1, -2}, {0, 1 << 100}})
	require.NoError(t, err)
	assert.Equal(t, float32(7), tensors.ToScalar[float32](outputs[0]))
	assert.Equal(t, [][]float32{{6, -12}, {0, 6 * (1 << 100)}}, outputs[1].Value())
}

func TestLineariseShowsThatFeaturesAreNotFinite(t *testing.T) {
	loss, err := graph.CallOnce(cpu.GetBackend(), func(x *graph.Node) *graph.Node {
		return nn.Linearise(graph.Const(x.Graph(), 7.0), x, graph.OnesLike(x))
	}, []float32{1, float32(math.NaN())})
	require.NoError(t, err)
	assert.True(t, math.IsNaN(float64(tensors.ToScalar[float32](loss))))
}

// sum is the loss Σx − Σy; broken in its graph where asked to be.
type sum struct{ panics bool }

func (sum) Describe() core.Description { return core.Description{Name: "sum", Summary: "sum"} }

func (sum) Evaluate(_ context.Context, x, y mat.Matrix, _ core.Options) (core.LossValue, error) {
	panic("not needed here")
}

func (s sum) Graph(x, y *graph.Node, _ core.Options) (loss, degenerate *graph.Node) {
	if s.panics {
		return graph.Add(x, graph.Const(x.Graph(), []float32{1, 2, 3, 4, 5})), nil
	}
	return graph.Sub(graph.ReduceAllSum(x), graph.ReduceAllSum(y)), nil
}

func TestEvaluateGraph(t *testing.T) {
	backend := cpu.GetBackend()
	x, y := mat.NewDense(2, 2, []float64{1, 2, 3, 4}), mat.NewDense(2, 2, []float64{1, 1, 1, 0.5})
	got, degenerate, err := nn.EvaluateGraph(backend, sum{}, x.T(), y, core.Options{})
	require.NoError(t, err)
	assert.False(t, degenerate, "a loss without a flag is never degenerate")
	assert.Equal(t, 6.5, got.Value)
	assert.True(t, mat.Equal(mat.NewDense(2, 2, []float64{1, 1, 1, 1}), got.GradX))
	assert.True(t, mat.Equal(mat.NewDense(2, 2, []float64{-1, -1, -1, -1}), got.GradY))

	_, _, err = nn.EvaluateGraph(backend, sum{panics: true}, x, y, core.Options{})
	assert.Error(t, err, "a panic while the graph is built is an error")
	_, _, err = nn.EvaluateGraph(backend, sum{}, x, mat.NewDense(3, 2, nil), core.Options{})
	assert.ErrorIs(t, err, core.ErrShape)
}
