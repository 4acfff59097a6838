package nn

import (
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// GraphLoss is a [core.Loss] that can also be built as a GoMLX graph. So it can become part of the
// graph of a training step.
type GraphLoss interface {
	core.Loss
	// Graph builds the loss of the n×d float32 views x and y. It returns two float32 scalars. GoMLX's
	// autodiff finds the gradients of loss by x and y. degenerate is above 0 on batches for which
	// Evaluate would warn, or nil if it never warns at these n and d. Value and gradients equal those
	// of Evaluate to the precision of float32. If the views have values that are not finite, the loss
	// is NaN or infinite. Like every function that builds a graph, Graph panics on nodes of a wrong
	// shape.
	Graph(x, y *graph.Node, options core.Options) (loss, degenerate *graph.Node)
}

// CheckViews returns [core.ErrShape] unless x and y are matrices of the same shape n×d with n and d
// at least 1. It returns [core.ErrNonFinite] if an entry is infinite or not a number.
func CheckViews(x, y mat.Matrix) (err error) {
	defer core.Recover(&err) // nil pointers
	if x == nil || y == nil {
		return fmt.Errorf("%w: a view is nil", core.ErrShape)
	}
	n, d := x.Dims()
	if rows, columns := y.Dims(); rows != n || columns != d {
		return fmt.Errorf("%w: a view of %d×%d and a lagged view of %d×%d; they must have one shape", core.ErrShape, n, d,
			rows, columns)
	}
	if n < 1 || d < 1 {
		return fmt.Errorf("%w: views of %d×%d; they need at least one row and one feature", core.ErrShape, n, d)
	}
	if err := checkFinite(x); err != nil {
		return fmt.Errorf("view: %w", err)
	}
	if err := checkFinite(y); err != nil {
		return fmt.Errorf("lagged view: %w", err)
	}
	return nil
}

func checkFinite(m mat.Matrix) error {
	rows, columns := m.Dims()
	for i := range rows {
		for j := range columns {
			if v := m.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%w: entry (%d, %d) is %v", core.ErrNonFinite, i, j, v)
			}
		}
	}
	return nil
}

// CheckLoss returns [core.ErrNonFinite] unless the value and the gradients of a loss at the finite
// views x and y are finite.
func CheckLoss(loss core.LossValue, x, y mat.Matrix) error {
	size := math.Abs(loss.Value) + mat.Norm(loss.GradX, 1) + mat.Norm(loss.GradY, 1)
	if math.IsNaN(size) || math.IsInf(size, 0) {
		largest := max(mat.Max(x), -mat.Min(x), mat.Max(y), -mat.Min(y))
		return fmt.Errorf("%w: the loss overflows on features as large as %.3g; scale them down", core.ErrNonFinite,
			largest)
	}
	return nil
}

// Linearise returns a scalar node that has the given value, and for which GoMLX's autodiff finds
// the given gradient at x. Nothing is differentiated through value and gradient. So they may come
// from operations without a gradient, from another precision, or from another process. The gradient
// has x's shape, and both have x's type.
func Linearise(value, x, gradient *graph.Node) *graph.Node {
	value = graph.StopGradient(graph.ConvertDType(value, x.DType()))
	gradient = graph.StopGradient(graph.ConvertDType(gradient, x.DType()))
	nothing := graph.Sub(x, graph.StopGradient(x))
	return graph.Add(value, graph.ReduceAllSum(graph.Mul(gradient, nothing)))
}

// EvaluateGraph does what the Evaluate of a [core.Loss] does, by the graph of the loss. It rounds
// the n×d views to float32, compiles the graph on backend, and runs it once. It returns value and
// gradients, without warnings, and whether the batch is degenerate. Tests use it to compare the two
// forms of a loss.
func EvaluateGraph(backend compute.Backend, loss GraphLoss, x, y mat.Matrix,
	options core.Options) (_ core.LossValue, degenerate bool, err error) {
	defer core.Recover(&err)
	if err := CheckViews(x, y); err != nil {
		return core.LossValue{}, false, err
	}
	outputs, err := graph.CallOnceN(backend, func(x, y *graph.Node) []*graph.Node {
		value, degenerate := loss.Graph(x, y, options)
		if degenerate == nil {
			degenerate = graph.ScalarZero(x.Graph(), dtypes.Float32)
		}
		return append([]*graph.Node{value, degenerate}, graph.Gradient(value, x, y)...)
	}, tensorOf(x), tensorOf(y))
	if err != nil {
		return core.LossValue{}, false, err
	}
	value := core.LossValue{
		Value: float64(tensors.ToScalar[float32](outputs[0])),
		GradX: matrixOf(outputs[2]),
		GradY: matrixOf(outputs[3]),
	}
	return value, tensors.ToScalar[float32](outputs[1]) > 0, nil
}

func tensorOf(m mat.Matrix) *tensors.Tensor {
	rows, columns := m.Dims()
	values := make([]float32, 0, rows*columns)
	for i := range rows {
		for j := range columns {
			values = append(values, float32(m.At(i, j)))
		}
	}
	return tensors.FromFlatDataAndDimensions(values, rows, columns)
}

func matrixOf(t *tensors.Tensor) *mat.Dense {
	dimensions := t.Shape().Dimensions
	m := mat.NewDense(dimensions[0], dimensions[1], nil)
	for i, v := range tensors.MustCopyFlatData[float32](t) {
		m.RawMatrix().Data[i] = float64(v)
	}
	return m
}
