package nn

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// NestedWeights returns the d×d weights min(m_i, m_j) with m_i = (d−i)/d, for i, j = 0 … d−1. A
// weight is the number of the d leading blocks of a matrix that contain the entry (i, j), divided
// by d.
func NestedWeights(d int) [][]float64 {
	weights := make([][]float64, d)
	for i := range weights {
		weights[i] = make([]float64, d)
		for j := range weights[i] {
			weights[i][j] = float64(d-max(i, j)) / float64(d)
		}
	}
	return weights
}

// Consistency returns the consistency loss of two d×d matrices and its gradients by both, in
// float64. k is the matrix of the evolution forwards in time, and b that of the evolution
// backwards.
//
//	(1/2d) Σ_{i=1…d} (‖k_{:i,:} b_{:,:i} − I‖²_F + ‖b_{:i,:} k_{:,:i} − I‖²_F)
//
// The source is Azencot, Erichson, Lin and Mahoney, Forecasting sequential data using consistent
// Koopman autoencoders, ICML 2020, who divide block i by 2i instead. The error is [core.ErrShape]
// unless both matrices are d×d with d at least 1, and [core.ErrNonFinite] for entries that are not
// finite and if the loss overflows. Consistency does not change k and b.
func Consistency(k, b mat.Matrix) (value float64, gradK, gradB *mat.Dense, err error) {
	defer core.Recover(&err)
	if err := CheckViews(k, b); err != nil {
		return 0, nil, nil, fmt.Errorf("consistency: %w", err)
	}
	d, columns := k.Dims()
	if d != columns {
		return 0, nil, nil, fmt.Errorf("consistency: %w: matrices of %d×%d; they must be square", core.ErrShape, d, columns)
	}
	gradK, gradB = mat.NewDense(d, d, nil), mat.NewDense(d, d, nil)
	weights := NestedWeights(d)
	for _, order := range []struct {
		left, right         mat.Matrix
		gradLeft, gradRight *mat.Dense
	}{{k, b, gradK, gradB}, {b, k, gradB, gradK}} {
		var weighted, g mat.Dense // the loss is half the sum of weight × (left·right − I)² over the entries
		weighted.Mul(order.left, order.right)
		weighted.Apply(func(i, j int, v float64) float64 {
			if i == j {
				v--
			}
			value += weights[i][j] * v * v / 2
			return weights[i][j] * v
		}, &weighted)
		g.Mul(&weighted, order.right.T())
		order.gradLeft.Add(order.gradLeft, &g)
		g.Mul(order.left.T(), &weighted)
		order.gradRight.Add(order.gradRight, &g)
	}
	if size := value + mat.Norm(gradK, 1) + mat.Norm(gradB, 1); math.IsNaN(size) || math.IsInf(size, 0) {
		return 0, nil, nil, fmt.Errorf("consistency: %w: the loss overflows", core.ErrNonFinite)
	}
	return value, gradK, gradB, nil
}

// ConsistencyGraph builds [Consistency] as a scalar node that autodiff can differentiate.
func ConsistencyGraph(k, b *graph.Node) *graph.Node {
	if shape := k.Shape(); shape.Rank() != 2 || shape.Dim(0) != shape.Dim(1) || !shape.Equal(b.Shape()) {
		panic(fmt.Errorf("%w: consistency: matrices of shape %s and %s; they must be square, of one size",
			core.ErrShape, shape, b.Shape()))
	}
	g, dtype, d := k.Graph(), k.DType(), k.Shape().Dim(0)
	weights := graph.ConstAsDType(g, dtype, NestedWeights(d))
	half := func(left, right *graph.Node) *graph.Node {
		off := graph.Sub(graph.Dot(left, right).Product(), graph.ConstAsDType(g, dtype, scaledIdentity(d, 1)))
		return graph.ReduceAllSum(graph.Mul(weights, graph.Square(off)))
	}
	return graph.MulScalar(graph.Add(half(k, b), half(b, k)), 0.5)
}
