package lora

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// Loss is the loss of low-rank approximation (Jeong, Ryu, Yun and Wornell, Efficient parametric SVD of
// Koopman operator for stochastic dynamical systems, NeurIPS 2025, arXiv:2507.07222). With the second
// moments M_X = XᵀX/n, M_Y = YᵀY/n and T = XᵀY/n of the two views, it is
//
//	Σ_ij w_ij M_X,ij M_Y,ij − 2 Σ_i w_ii T_ii
//
// If all w_ij are 1, this is, up to a constant, the squared Hilbert–Schmidt distance of the evolution
// operator from the operator that the features make. With joint nesting, w is [nn.NestedWeights]: the
// loss is the mean of this one over the first feature, the first two, and so on to all d. It is least
// for singular functions in the order of their singular values.
//
// The zero value is ready to use.
type Loss struct{}

var _ nn.GraphLoss = Loss{}

// Values of the option nesting.
const (
	nestingNone  = "none"
	nestingJoint = "joint"
)

// Describe implements [core.Loss].
func (Loss) Describe() core.Description {
	return core.Description{
		Name:    "lora",
		Summary: "low-rank approximation of the evolution operator, with ordered features",
		Doc: "The squared distance, up to a constant, of the evolution operator from the operator that the features of a " +
			"batch and of its successors make; Jeong et al., 2025. With joint nesting it is the mean of this over the first " +
			"feature, the first two, and so on up to all. This puts the features in the order of their singular values.",
		Options: []core.Option{
			core.ChoiceOption("nesting",
				"joint: the mean over the first feature, the first two, and so on; none: all features at once",
				nestingJoint, nestingNone),
		},
	}
}

// weights returns w for d features.
func weights(d int, options core.Options) [][]float64 {
	w := nn.NestedWeights(d)
	if options.String("nesting") == nestingNone {
		for _, row := range w {
			for j := range row {
				row[j] = 1
			}
		}
	}
	return w
}

// Evaluate implements [core.Loss]. Views so large that the loss overflows are [core.ErrNonFinite] too.
func (Loss) Evaluate(ctx context.Context, x, y mat.Matrix, options core.Options) (_ core.LossValue, err error) {
	defer core.Recover(&err)
	if err := ctx.Err(); err != nil {
		return core.LossValue{}, err
	}
	if err := nn.CheckViews(x, y); err != nil {
		return core.LossValue{}, fmt.Errorf("lora: %w", err)
	}
	n, d := x.Dims()
	w := weights(d, options)
	moments := func(m mat.Matrix) *mat.Dense {
		var product mat.Dense
		product.Mul(m.T(), m)
		product.Scale(1/float64(n), &product)
		return &product
	}
	momentsX, momentsY := moments(x), moments(y)
	loss := core.LossValue{GradX: mat.NewDense(n, d, nil), GradY: mat.NewDense(n, d, nil)}
	for i := range d {
		for j := range d {
			loss.Value += w[i][j] * momentsX.At(i, j) * momentsY.At(i, j)
		}
		for row := range n {
			loss.Value -= 2 / float64(n) * w[i][i] * x.At(row, i) * y.At(row, i)
		}
	}
	slope := func(gradient *mat.Dense, view, other mat.Matrix, moments *mat.Dense) {
		moments.Apply(func(i, j int, v float64) float64 { return w[i][j] * v }, moments)
		gradient.Mul(view, moments)
		gradient.Apply(func(row, i int, v float64) float64 {
			return 2 / float64(n) * (v - w[i][i]*other.At(row, i))
		}, gradient)
	}
	slope(loss.GradX, x, y, momentsY)
	slope(loss.GradY, y, x, momentsX)
	if err := nn.CheckLoss(loss, x, y); err != nil {
		return core.LossValue{}, fmt.Errorf("lora: %w", err)
	}
	return loss, nil
}

// Graph implements [nn.GraphLoss].
func (Loss) Graph(x, y *graph.Node, options core.Options) (loss, degenerate *graph.Node) {
	g, dtype, n, d := x.Graph(), x.DType(), float64(x.Shape().Dim(0)), x.Shape().Dim(1)
	w := weights(d, options)
	diagonal := make([]float64, d)
	for i := range diagonal {
		diagonal[i] = 2 * w[i][i]
	}
	moments := func(m *graph.Node) *graph.Node {
		return graph.MulScalar(graph.DotGeneral(m, []int{0}, nil, m, []int{0}, nil), 1/n)
	}
	overlap := graph.Mul(graph.ConstAsDType(g, dtype, w), graph.Mul(moments(x), moments(y)))
	agreement := graph.ReduceMean(graph.Mul(x, y), 0) // T_ii
	return graph.Sub(
		graph.ReduceAllSum(overlap),
		graph.ReduceAllSum(graph.Mul(graph.ConstAsDType(g, dtype, diagonal), agreement))), nil
}
