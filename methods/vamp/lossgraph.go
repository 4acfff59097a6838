package vamp

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// Graph implements [nn.GraphLoss]. Bases, score and gradients are computed in float64, for both views at once.
func (Loss) Graph(x, y *graph.Node, options core.Options) (loss, degenerate *graph.Node) {
	g := x.Graph()
	n, d := x.Shape().Dim(0), x.Shape().Dim(1)
	schatten, centre, ridge := options.Int("schatten"), options.Bool("centre"), options.Float("ridge")

	views := graph.Stack([]*graph.Node{x, y}, 0)                             // 2×n×d
	rows := graph.Transpose(graph.ConvertDType(views, dtypes.Float64), 1, 2) // 2×d×n
	scalar := func(v float64) *graph.Node { return graph.Scalar(g, dtypes.Float64, v) }

	lengths := graph.InsertAxes(graph.ReduceSum(graph.Square(rows), 2), -1) // 2×d×1, squared
	if ridge > 0 {
		lengths = graph.Add(lengths, scalar(float64(n)*ridge))
	}
	scale := graph.Where(graph.GreaterThan(lengths, scalar(smallest*smallest)), graph.Rsqrt(lengths), scalar(0))
	rows = graph.Mul(rows, scale)
	if centre {
		rows = graph.Sub(rows, graph.ReduceAndKeep(rows, graph.ReduceMean, 2))
	}

	// Behind the features stands √(nρ)I, which counts as d more rows of the batch, or I, which does not count.
	diagonal, length := math.Sqrt(float64(n)*ridge), n+d
	if ridge == 0 {
		diagonal, length = 1, n
	}
	rows = graph.Concatenate([]*graph.Node{rows, graph.Mul(scaledIdentity(g, d, diagonal), scale)}, 2)
	q, dropped := nn.Orthonormalise(rows, length, tolerance(d))
	bases := graph.SliceAxis(q, 2, graph.AxisRange(0, n)) // Uᵀ and Vᵀ
	t := graph.SliceAxis(q, 2, graph.AxisRange(n, n+d))   // bases are t·(features of both views)/diagonal

	others := graph.Reverse(bases, 0) // Vᵀ and Uᵀ
	k := product(bases, 2, others, 2) // K and Kᵀ
	slope := k                        // half the derivative of the score by K for VAMP-2, the derivative for VAMP-1
	if schatten == 1 {
		slope = nn.PolarFactor(k, correlated)
	}
	value := graph.Mul(graph.ReduceAllSum(graph.Mul(slope, k)), scalar(-0.5))
	residual := graph.Sub(others, product(k, 1, bases, 1))
	gradient := product(product(t, 1, slope, 1), 2, residual, 1) // 2×d×n
	gradient = graph.Mul(gradient, scalar(-float64(schatten)/diagonal))

	switch {
	case saturated(n, d, centre, ridge):
		degenerate = scalar(1)
	case schatten == 1: // each canonical correlation that is not zero adds 2 to the squares of slope
		correlations := graph.Mul(graph.ReduceAllSum(graph.Square(slope)), scalar(0.5))
		degenerate = graph.Sub(scalar(float64(d)-0.5), correlations)
	default:
		degenerate = graph.ReduceAllSum(dropped)
	}
	return nn.Linearise(value, views, graph.Transpose(gradient, 1, 2)), graph.ConvertDType(degenerate, dtypes.Float32)
}

// product multiplies the matrices of two batches, contracting the given axes, 1 or 2.
func product(a *graph.Node, axisA int, b *graph.Node, axisB int) *graph.Node {
	return graph.DotGeneral(a, []int{axisA}, []int{0}, b, []int{axisB}, []int{0})
}

// scaledIdentity is a 1×d×d constant.
func scaledIdentity(g *graph.Graph, d int, scale float64) *graph.Node {
	rows := make([][]float64, d)
	for i := range rows {
		rows[i] = make([]float64, d)
		rows[i][i] = scale
	}
	return graph.Const(g, [][][]float64{rows})
}
