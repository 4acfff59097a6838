package dpnets_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/methods/dpnets"
)

// graphOf returns the loss of a batch with one bad entry, or with bad entries only, by the graph.
func graphOf(t *testing.T, v variant, bad float64, all bool) float64 {
	options := v.options(t)
	rows := [][]float32{{1, 2}, {3, 0}, {4, 1}, {0, 1}, {5, 9}}
	for i := range rows {
		for j := range rows[i] {
			if all || i == 1 && j == 1 {
				rows[i][j] = float32(bad)
			}
		}
	}
	loss, err := graph.CallOnce(cpu.GetBackend(), func(x *graph.Node) *graph.Node {
		loss, _ := dpnets.Loss{Relaxed: v.relaxed}.Graph(x, graph.OneMinus(graph.Square(x)), options)
		return loss
	}, rows)
	require.NoError(t, err)
	return float64(tensors.ToScalar[float32](loss))
}

// The graph is run at every step of a training: its size is what it costs.
func TestGraphIsSmall(t *testing.T) {
	for _, c := range []struct {
		v       variant
		d, most int
	}{{variant{false, false, 0.5}, 5, 175}, {variant{true, false, 0.5}, 5, 270}} {
		g := graph.NewGraph(cpu.GetBackend(), "size")
		shape := shapes.Make(dtypes.Float32, 64, c.d)
		x, y := graph.Parameter(g, "x", shape), graph.Parameter(g, "y", shape)
		loss, _ := dpnets.Loss{Relaxed: c.v.relaxed}.Graph(x, y, c.v.options(t))
		graph.Gradient(loss, x, y)
		assert.LessOrEqual(t, len(g.Nodes()), c.most, "%v", c.v)
		g.Finalize()
	}
}

func BenchmarkGraph(b *testing.B) {
	r := rand.New(rand.NewPCG(6, 6))
	for _, v := range []variant{{false, false, 0.5}, {true, false, 0.5}} {
		b.Run(v.String(), func(b *testing.B) {
			options := v.options(b)
			exec, err := graph.NewExec(cpu.GetBackend(), func(x, y *graph.Node) []*graph.Node {
				loss, degenerate := dpnets.Loss{Relaxed: v.relaxed}.Graph(x, y, options)
				return append(graph.Gradient(loss, x, y), loss, degenerate)
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
		})
	}
}
