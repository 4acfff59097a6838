package dpnets

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// Graph implements [nn.GraphLoss]. All is computed in float64, for both views at once.
func (l Loss) Graph(x, y *graph.Node, options core.Options) (loss, degenerate *graph.Node) {
	centre, gamma := options.Bool("centre"), options.Float("gamma")
	views := graph.Stack([]*graph.Node{x, y}, 0) // 2×n×d
	b := newBatch(views, centre)
	var value, gradient *graph.Node // the gradient is 2×d×n
	if l.Relaxed {
		value, gradient = b.relaxed()
	} else {
		k := b.Correlation()
		value, gradient = b.times(-0.5, graph.ReduceAllSum(graph.Square(k))), b.Gradient(k, k, -2)
	}
	if gamma > 0 {
		distortion, slope := b.distortion()
		value = graph.Add(value, b.times(gamma/2, distortion))
		gradient = graph.Add(gradient, b.times(gamma/2, slope))
	}

	switch {
	case !l.Relaxed && nn.Saturated(b.n, b.d, centre, 0):
		degenerate = b.scalar(1)
	case l.inverts(gamma):
		degenerate = graph.ReduceAllSum(b.Dropped)
	default:
		degenerate = graph.ReduceAllSum(b.empty())
	}
	return nn.Linearise(value, views, graph.Transpose(gradient, 1, 2)), graph.ConvertDType(degenerate, dtypes.Float32)
}

// batch is both views in float64.
type batch struct {
	nn.Bases
	n, d       int
	features   *graph.Node // 2×d×n, centred if asked for
	covariance *graph.Node // 2×d×d
}

func newBatch(views *graph.Node, centre bool) *batch {
	b := &batch{Bases: nn.NewBases(views, centre, 0), n: views.Shape().Dim(1), d: views.Shape().Dim(2)}
	b.features = graph.Transpose(graph.ConvertDType(views, dtypes.Float64), 1, 2)
	if centre {
		b.features = graph.Sub(b.features, graph.ReduceAndKeep(b.features, graph.ReduceMean, 2))
	}
	b.covariance = b.times(1/float64(b.n), nn.BatchProduct(b.features, 2, b.features, 2))
	return b
}

func (b *batch) scalar(v float64) *graph.Node { return graph.Scalar(b.Q.Graph(), dtypes.Float64, v) }

func (b *batch) times(factor float64, x *graph.Node) *graph.Node {
	return graph.Mul(x, b.scalar(factor))
}

// empty is 1 for views of which no feature is kept and 0 for others, 2×1×1.
func (b *batch) empty() *graph.Node { return graph.ReduceAndKeep(b.Dropped, graph.ReduceMin, 1) }

// relaxed returns the loss without metric distortion and its gradient.
func (b *batch) relaxed() (value, gradient *graph.Node) {
	others := graph.Reverse(b.features, 0)
	cross := b.times(1/float64(b.n), nn.BatchProduct(b.features, 2, others, 2)) // C_XY and its transpose
	most, slope := b.leading()
	isEmpty := graph.GreaterThan(b.empty(), b.scalar(0))
	inverse := graph.Where(isEmpty, b.scalar(0), graph.Reciprocal(most)) // 2×1×1
	both := graph.Mul(inverse, graph.Reverse(inverse, 0))
	scores := graph.Mul(sums(graph.Square(cross)), both) // twice the same
	value = b.times(-0.5, graph.ReduceAllSum(scores))

	gradient = graph.Sub(
		graph.Mul(graph.Mul(scores, inverse), nn.BatchProduct(slope, 2, b.features, 1)),
		graph.Mul(both, nn.BatchProduct(cross, 2, others, 1)))
	return value, b.times(2/float64(b.n), gradient)
}

// leading returns the largest eigenvalues of the covariances, 2×1×1, and their derivatives by the
// covariances, 2×d×d: high powers of these divided by the trace, by repeated squaring.
func (b *batch) leading() (most, slope *graph.Node) {
	const between = 3 // squarings between divisions; entries shrink by d⁷ at the most
	slope = b.divide(b.covariance, b.times(1/float64(b.n), sums(graph.Square(b.features))))
	for range power / between {
		for range between - 1 {
			slope = nn.BatchProduct(slope, 2, slope, 1)
		}
		slope = b.divide(nn.BatchProduct(slope, 2, slope, 1), sums(graph.Square(slope)))
	}
	return sums(graph.Mul(b.covariance, slope)), slope
}

// divide divides matrices, 2×d×d, by their traces, 2×1×1, except for those whose trace is 0.
func (b *batch) divide(m, traces *graph.Node) *graph.Node {
	return graph.Div(m, graph.Where(graph.Equal(traces, b.scalar(0)), b.scalar(1), traces))
}

// sums adds up the entries of both matrices of m, to 2×1×1.
func sums(m *graph.Node) *graph.Node { return graph.ReduceAndKeep(m, graph.ReduceSum, 1, 2) }

// distortion returns the sum of the metric distortions of both views, and its gradient.
func (b *batch) distortion() (sum, gradient *graph.Node) {
	n, d := float64(b.n), float64(b.d)
	logs, slope := b.LogDeterminant() // of n·C
	dropped := graph.ReduceAllSum(b.Dropped)
	logs = graph.Add(logs, b.times(math.Log(n)+2*math.Log(nn.LeastDistance(b.d)), dropped))
	logs = graph.Sub(logs, b.scalar(2*d*math.Log(n)))
	squares := graph.ReduceAllSum(graph.Square(b.covariance))
	traces := b.times(1/n, graph.ReduceAllSum(graph.Square(b.features)))
	sum = b.times(1/d, graph.Sub(graph.Sub(squares, traces), logs))

	pull := b.times(4/n, nn.BatchProduct(b.covariance, 2, b.features, 1))
	pull = graph.Sub(pull, b.times(2/n, b.features))
	return sum, b.times(1/d, graph.Sub(pull, slope))
}
