package main

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// Slow is the loss of slow feature analysis (Wiskott and Sejnowski, Slow feature analysis:
// unsupervised learning of invariances, Neural Computation 14, 2002), its constraint as a penalty:
// ‖X − Y‖²/n + weight·‖d·XᵀX/n − I‖² of n×d views.
type Slow struct{}

var _ nn.GraphLoss = Slow{}

// Describe implements [core.Loss].
func (Slow) Describe() core.Description {
	return core.Description{
		Name:    "slow",
		Summary: "features that change slowly and are uncorrelated",
		Doc: "The mean squared distance of a snapshot's features to those of its successor, and how far the " +
			"features of a batch are from uncorrelated: Wiskott and Sejnowski, Slow feature analysis: unsupervised " +
			"learning of invariances, Neural Computation 14, 2002, with the constraint as a penalty.",
		Options: []core.Option{core.FloatOption("weight", 1, 0, 1e6, "weight of the penalty")},
	}
}

// Evaluate implements [core.Loss]. The derivatives are 2(X − Y)/n + 4·weight·d/n·X(d·XᵀX/n − I) by
// X, and −2(X − Y)/n by Y.
func (Slow) Evaluate(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
	if err := ctx.Err(); err != nil {
		return core.LossValue{}, err
	}
	if err := nn.CheckViews(x, y); err != nil {
		return core.LossValue{}, fmt.Errorf("slow: %w", err)
	}
	rows, columns := x.Dims()
	n, d, weight := float64(rows), float64(columns), options.Float("weight")

	var change, excess, penalty mat.Dense
	change.Sub(x, y)
	excess.Mul(x.T(), x)
	excess.Apply(func(i, j int, v float64) float64 {
		if i == j {
			return d*v/n - 1
		}
		return d * v / n
	}, &excess)
	value := square(&change)/n + weight*square(&excess)
	if value-value != 0 {
		return core.LossValue{}, fmt.Errorf("%w: slow: the loss overflows", core.ErrNonFinite)
	}
	change.Scale(2/n, &change)
	penalty.Mul(x, &excess)
	penalty.Scale(4*weight*d/n, &penalty)

	loss := core.LossValue{Value: value, GradX: &mat.Dense{}, GradY: &mat.Dense{}}
	loss.GradX.Add(&change, &penalty)
	loss.GradY.Scale(-1, &change)
	return loss, nil
}

func square(m *mat.Dense) float64 { norm := mat.Norm(m, 2); return norm * norm }

// Graph implements [nn.GraphLoss]: with it a training step is one graph, and autodiff finds the
// derivatives.
func (Slow) Graph(x, y *graph.Node, options core.Options) (loss, degenerate *graph.Node) {
	n, d := float64(x.Shape().Dim(0)), x.Shape().Dim(1)
	change := graph.DivScalar(graph.ReduceAllSum(graph.Square(graph.Sub(x, y))), n)
	covariance := graph.MulScalar(graph.MatMul(graph.Transpose(x, 0, 1), x), float64(d)/n)
	excess := graph.Sub(covariance, graph.DiagonalWithValue(graph.ScalarOne(x.Graph(), x.DType()), d))
	penalty := graph.MulScalar(graph.ReduceAllSum(graph.Square(excess)), options.Float("weight"))
	return graph.Add(change, penalty), nil
}
