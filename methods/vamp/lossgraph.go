package vamp

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// Graph implements [nn.GraphLoss]. Bases, score and gradients are computed in float64, for both views at once.
func (Loss) Graph(x, y *graph.Node, options core.Options) (loss, degenerate *graph.Node) {
	n, d := x.Shape().Dim(0), x.Shape().Dim(1)
	schatten, centre, ridge := options.Int("schatten"), options.Bool("centre"), options.Float("ridge")
	scalar := func(v float64) *graph.Node { return graph.Scalar(x.Graph(), dtypes.Float64, v) }

	views := graph.Stack([]*graph.Node{x, y}, 0) // 2×n×d
	bases := nn.NewBases(views, centre, ridge)
	k := bases.Correlation()
	slope := k // half the derivative of the score by K for VAMP-2, the derivative for VAMP-1
	if schatten == 1 {
		slope = nn.PolarFactor(k, correlated)
	}
	value := graph.Mul(graph.ReduceAllSum(graph.Mul(slope, k)), scalar(-0.5))
	gradient := bases.Gradient(k, slope, -float64(schatten))

	switch {
	case nn.Saturated(n, d, centre, ridge):
		degenerate = scalar(1)
	case schatten == 1: // each canonical correlation that is not zero adds 2 to the squares of slope
		correlations := graph.Mul(graph.ReduceAllSum(graph.Square(slope)), scalar(0.5))
		degenerate = graph.Sub(scalar(float64(d)-0.5), correlations)
	default:
		degenerate = graph.ReduceAllSum(bases.Dropped)
	}
	return nn.Linearise(value, views, graph.Transpose(gradient, 1, 2)), graph.ConvertDType(degenerate, dtypes.Float32)
}
