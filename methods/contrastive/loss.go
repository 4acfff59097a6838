package contrastive

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// Loss is the spectral contrastive loss (HaoChen, Wei, Gaidon and Ma, Provable guarantees for self-supervised deep
// learning with spectral contrastive loss, NeurIPS 2021, §3.2; for evolution operators Turri and others,
// Self-supervised evolution operator learning for high-dimensional dynamical systems, arXiv:2505.18671). The successor
// of a snapshot is its positive example, the successors of the other snapshots of the batch are the negative ones:
//
//	1/(n(n−1)) Σ_{i≠j} (x_i·y_j)² − (2/n) Σ_i x_i·y_i
//
// A batch of one pair is degenerate: it has no i ≠ j, and its first sum is left out.
//
// The zero value is ready to use.
type Loss struct{}

var _ nn.GraphLoss = Loss{}

// Describe implements [core.Loss].
func (Loss) Describe() core.Description {
	return core.Description{
		Name:    "spectral-contrastive",
		Summary: "spectral contrastive loss: lagged pairs agree, other pairs are orthogonal",
		Doc: "The mean of (x_i·y_j)² over the pairs i ≠ j of a batch, less twice the mean of x_i·y_i over its lagged pairs " +
			"(HaoChen et al., 2021; Turri et al., 2025). It is least if the features span the leading singular functions of " +
			"the evolution operator.",
	}
}

// Evaluate implements [core.Loss]. Views so large that the loss overflows are [core.ErrNonFinite] too.
func (Loss) Evaluate(ctx context.Context, x, y mat.Matrix, _ core.Options) (_ core.LossValue, err error) {
	defer core.Recover(&err)
	if err := ctx.Err(); err != nil {
		return core.LossValue{}, err
	}
	if err := nn.CheckViews(x, y); err != nil {
		return core.LossValue{}, fmt.Errorf("spectral-contrastive: %w", err)
	}
	n, d := x.Dims()
	var products mat.Dense // x_i·y_j
	products.Mul(x, y.T())
	agreement := mat.Trace(&products) / float64(n)
	for i := range n {
		products.Set(i, i, 0)
	}
	loss := core.LossValue{Value: -2 * agreement, GradX: mat.NewDense(n, d, nil), GradY: mat.NewDense(n, d, nil)}
	if n > 1 {
		others := 1 / float64(n*(n-1))
		for _, p := range products.RawMatrix().Data {
			loss.Value += others * p * p
		}
		loss.GradX.Mul(&products, y)
		loss.GradX.Scale(2*others, loss.GradX)
		loss.GradY.Mul(products.T(), x)
		loss.GradY.Scale(2*others, loss.GradY)
	} else {
		loss.Warnings = []string{
			"a batch of one pair has no other pairs to compare with, so only x·y counts; use batches of at least two pairs"}
	}
	var pull mat.Dense
	pull.Scale(2/float64(n), y)
	loss.GradX.Sub(loss.GradX, &pull)
	pull.Scale(2/float64(n), x)
	loss.GradY.Sub(loss.GradY, &pull)
	if err := nn.CheckLoss(loss, x, y); err != nil {
		return core.LossValue{}, fmt.Errorf("spectral-contrastive: %w", err)
	}
	return loss, nil
}

// Graph implements [nn.GraphLoss].
func (Loss) Graph(x, y *graph.Node, _ core.Options) (loss, degenerate *graph.Node) {
	n := x.Shape().Dim(0)
	pull := graph.MulScalar(graph.ReduceAllSum(graph.Mul(x, y)), -2/float64(n))
	if n == 1 {
		return pull, graph.ScalarOne(x.Graph(), x.DType())
	}
	products := graph.DotGeneral(x, []int{1}, nil, y, []int{1}, nil)
	products = graph.Where(graph.Diagonal(x.Graph(), n), graph.ScalarZero(x.Graph(), x.DType()), products)
	squares := graph.ReduceAllSum(graph.ReduceSum(graph.Square(products), 1)) // row by row, for the sake of rounding
	push := graph.MulScalar(squares, 1/float64(n*(n-1)))
	return graph.Add(push, pull), nil
}
