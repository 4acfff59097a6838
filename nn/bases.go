package nn

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/koopbench/koopbench/core"
)

// Bases is a [Basis] for each of two views in a graph, in float64. Features that are left out are
// rows of zeros. Autodiff does not go through it. Pass the gradients that it gives to [Linearise].
type Bases struct {
	Q       *graph.Node // 2×d×n, the bases as rows: Qᵀ of both views
	T       *graph.Node // 2×d×d, lower triangular: Q is T·(features as rows), centred if asked for, over diagonal
	Dropped *graph.Node // 2×d×1: 1 for features that are left out, 0 for others

	diagonal float64
}

// mostInBases is the largest number of features of [Bases]: each takes operations of its own on all of them.
const mostInBases = 1024

// NewBases builds the bases of the views, 2×n×d, which are those of [NewBasis]. It panics with
// [core.ErrOption] for more than 1024 features.
func NewBases(views *graph.Node, centre bool, ridge float64) Bases {
	g := views.Graph()
	n, d := views.Shape().Dim(1), views.Shape().Dim(2)
	if d > mostInBases {
		panic(fmt.Errorf("%w: features=%d; the loss makes features orthonormal one by one, so give at most "+
			"%d", core.ErrOption, d,
			mostInBases))
	}
	rows := graph.Transpose(graph.ConvertDType(views, dtypes.Float64), 1, 2) // 2×d×n
	scalar := func(v float64) *graph.Node { return graph.Scalar(g, dtypes.Float64, v) }

	lengths := graph.InsertAxes(graph.ReduceSum(graph.Square(rows), 2), -1) // 2×d×1, squared
	if ridge > 0 {
		lengths = graph.Add(lengths, scalar(float64(n)*ridge))
	}
	least := scalar(smallest * smallest)
	scale := graph.Where(graph.GreaterThan(lengths, least), graph.Rsqrt(lengths), scalar(0))
	rows = graph.Mul(rows, scale)
	if centre {
		rows = graph.Sub(rows, graph.ReduceAndKeep(rows, graph.ReduceMean, 2))
	}

	// Behind the features stands √(nρ)I, which counts as d more rows of the batch, or I, which does not count.
	diagonal, length := math.Sqrt(float64(n)*ridge), n+d
	if ridge == 0 {
		diagonal, length = 1, n
	}
	identity := graph.Const(g, [][][]float64{scaledIdentity(d, diagonal)})
	rows = graph.Concatenate([]*graph.Node{rows, graph.Mul(identity, scale)}, 2)
	q, dropped := Orthonormalise(rows, length, LeastDistance(d))
	return Bases{
		Q:        graph.SliceAxis(q, 2, graph.AxisRange(0, n)),
		T:        graph.SliceAxis(q, 2, graph.AxisRange(n, n+d)),
		Dropped:  dropped,
		diagonal: diagonal,
	}
}

// Correlation returns K = QᵀP and Kᵀ, 2×d×d, where Q and P are the bases of the first and the
// second view.
func (b Bases) Correlation() *graph.Node { return BatchProduct(b.Q, 2, graph.Reverse(b.Q, 0), 2) }

// Gradient returns, as 2×d×n, the derivatives by the views of a function of K, times factor. slope,
// 2×d×d, is the derivative of the function by K and by Kᵀ. k is the result of [Bases.Correlation].
func (b Bases) Gradient(k, slope *graph.Node, factor float64) *graph.Node {
	residual := graph.Sub(graph.Reverse(b.Q, 0), BatchProduct(k, 1, b.Q, 1))
	gradient := BatchProduct(BatchProduct(b.T, 1, slope, 1), 2, residual, 1)
	return graph.Mul(gradient, graph.Scalar(b.Q.Graph(), dtypes.Float64, factor/b.diagonal))
}

// LogDeterminant returns the sum over both views of ln det(XᵀX + nρI), where X are the features
// that are not left out. It also returns its derivatives by the views, 2×d×n.
func (b Bases) LogDeterminant() (sum, gradient *graph.Node) {
	g, d := b.Q.Graph(), b.Q.Shape().Dim(1)
	scalar := func(v float64) *graph.Node { return graph.Scalar(g, dtypes.Float64, v) }
	identity := graph.Const(g, [][][]float64{scaledIdentity(d, 1/b.diagonal)})
	diagonal := graph.InsertAxes(graph.ReduceSum(graph.Mul(b.T, identity), 2), -1) // 2×d×1
	logs := graph.Log(graph.Where(graph.GreaterThan(b.Dropped, scalar(0)), scalar(1), diagonal))
	gradient = graph.Mul(BatchProduct(b.T, 1, b.Q, 1), scalar(2/b.diagonal))
	return graph.Mul(graph.ReduceAllSum(logs), scalar(-2)), gradient
}

// BatchProduct multiplies the matrices of two batches. It contracts the given axes, 1 or 2.
func BatchProduct(a *graph.Node, axisA int, b *graph.Node, axisB int) *graph.Node {
	return graph.DotGeneral(a, []int{axisA}, []int{0}, b, []int{axisB}, []int{0})
}
