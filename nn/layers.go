package nn

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/core"
)

// The layers here take their parameters from a scope, named "weights" and "biases", and start from PyTorch's defaults:
// weights and biases uniform in ±1/√(fan-in).

// Convolution applies filters of kernel×kernel taps, as many as channels, and biases to the images
// x, [n, h, w, c]. The images are padded with zeros so that the result is [n, h, w, channels].
func Convolution(scope *model.Scope, x *graph.Node, channels, kernel int) *graph.Node {
	in := x.Shape().Dim(-1)
	return convolve(scope, x, channels, kernel, in*kernel*kernel)
}

// TransposedConvolution is the transpose of a [Convolution] that takes images with as many channels
// as the result has. It is PyTorch's ConvTranspose2d with stride 1 and padding kernel/2, for odd
// kernels. This is a convolution with a mirrored kernel, and a mirrored random kernel is just as
// random. Only the fan-in of the initial values differs: PyTorch's is channels·kernel².
func TransposedConvolution(scope *model.Scope, x *graph.Node, channels, kernel int) *graph.Node {
	return convolve(scope, x, channels, kernel, channels*kernel*kernel)
}

func convolve(scope *model.Scope, x *graph.Node, channels, kernel, fanIn int) *graph.Node {
	g, bound := x.Graph(), 1/math.Sqrt(float64(fanIn))
	weights := Uniform(scope, "weights", bound, kernel, kernel, x.Shape().Dim(-1), channels).NodeValue(g)
	biases := Uniform(scope, "biases", bound, channels).NodeValue(g)
	x = graph.Convolve(x, weights).PadSame().Done()
	return graph.Add(x, graph.Reshape(biases, 1, 1, 1, channels))
}

// Linear maps the rows of x, [n, d], to x·weights + biases, [n, features].
func Linear(scope *model.Scope, x *graph.Node, features int) *graph.Node {
	return linear(scope, x, features, 1)
}

// linear is Linear with initial weights that are gain times as large.
func linear(scope *model.Scope, x *graph.Node, features int, gain float64) *graph.Node {
	biases := Uniform(scope, "biases", linearBound(x), features).NodeValue(x.Graph())
	return graph.Add(linearMap(scope, x, features, gain), graph.Reshape(biases, 1, features))
}

// lastLinear is the last layer of an encoder: linear, or with orthogonal initial weights and biases of 0.
func lastLinear(scope *model.Scope, x *graph.Node, features int, gain float64, orthogonal bool) *graph.Node {
	if !orthogonal {
		return linear(scope, x, features, gain)
	}
	weights := Orthogonal(scope, "weights", x.Shape().Dim(1), features).NodeValue(x.Graph())
	biases := Uniform(scope, "biases", 0, features).NodeValue(x.Graph())
	return graph.Add(graph.Dot(x, weights).Product(), graph.Reshape(biases, 1, features))
}

// LinearMap is [Linear] without biases.
func LinearMap(scope *model.Scope, x *graph.Node, features int) *graph.Node {
	return linearMap(scope, x, features, 1)
}

func linearMap(scope *model.Scope, x *graph.Node, features int, gain float64) *graph.Node {
	weights := Uniform(scope, "weights", gain*linearBound(x), x.Shape().Dim(1), features).NodeValue(x.Graph())
	return graph.Dot(x, weights).Product()
}

func linearBound(x *graph.Node) float64 { return 1 / math.Sqrt(float64(x.Shape().Dim(1))) }

// ReLU is max(x, 0).
func ReLU(x *graph.Node) *graph.Node { return graph.Max(x, graph.ScalarZero(x.Graph(), x.DType())) }

// Upsample repeats each pixel of the images x, [n, h, w, c], in a square of 2×2: [n, 2h, 2w, c].
func Upsample(x *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	n, h, w, c := d[0], d[1], d[2], d[3]
	x = graph.BroadcastToDims(graph.Reshape(x, n, h, 1, w, 1, c), n, h, 2, w, 2, c)
	return graph.Reshape(x, n, 2*h, 2*w, c)
}

// Normalise divides each row e of x, [n, d], by max(‖e‖₂, 1e-12). The gradient is finite at rows of zeros too.
func Normalise(x *graph.Node) *graph.Node {
	squares := graph.ReduceAndKeep(graph.Square(x), graph.ReduceSum, -1)
	return graph.Div(x, graph.Sqrt(graph.MaxScalar(squares, 1e-24)))
}

// leastVariance is added to variances that others are divided by.
const leastVariance = 1e-10

// Standardise gives each column of x, [n, d], the mean 0 and the variance 1 over its rows: it
// subtracts the mean and divides by √(variance + 1e-10).
func Standardise(x *graph.Node) *graph.Node {
	x = graph.Sub(x, graph.ReduceAndKeep(x, graph.ReduceMean, 0))
	return graph.Div(x,
		graph.Sqrt(graph.AddScalar(graph.ReduceAndKeep(graph.Square(x), graph.ReduceMean, 0), leastVariance)))
}

// Standardised does what [Standardise] does, row by row, with the means and scales of
// [KeepMoments].
func Standardised(scope *model.Scope, x *graph.Node) *graph.Node {
	g, d := x.Graph(), x.Shape().Dim(1)
	moment := func(name string) *graph.Node {
		v := scope.GetVariable(name)
		if v == nil || !slices.Equal(v.Shape().Dimensions, []int{d}) {
			panic(fmt.Errorf("%w: there is no %q of %d features in %s", core.ErrShape, name, d, scope.Scope()))
		}
		return graph.Reshape(v.NodeValue(g), 1, d)
	}
	return graph.Mul(graph.Sub(x, moment(meansName)), moment(scalesName))
}

const (
	meansName  = "means"
	scalesName = "scales"
)

// KeepMoments makes the means and the variances of columns parameters, for [Standardised].
func KeepMoments(scope *model.Scope, means, variances []float64) {
	m, s := make([]float32, len(means)), make([]float32, len(variances))
	for j := range means {
		m[j], s[j] = float32(means[j]), float32(1/math.Sqrt(variances[j]+leastVariance))
	}
	scope.VariableWithValue(meansName, m)
	scope.VariableWithValue(scalesName, s)
}
