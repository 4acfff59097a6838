package compose

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// degenerate is the metric that is 1 for a batch on which the loss is degenerate and 0 for others.
const degenerate = "degenerate"

// scoring is what a loss adds to training; see [nn.Trainer].
type scoring struct {
	graph   func(scope *model.Scope, batch []*graph.Node) (loss *graph.Node, metrics []*graph.Node)
	extend  func(ctx context.Context, batch []*tensors.Tensor) ([]*tensors.Tensor, error)
	close   func()
	compile time.Duration // spent compiling in extend
	memory  memory
}

// memory is what extend remembers.
type memory struct {
	Warning string // the first that the loss gave
}

func newScoring(backend compute.Backend, store *model.Store, v viewer, loss core.Loss,
	options core.Options) (*scoring, error) {
	if l, ok := core.As[nn.GraphLoss](loss); ok {
		return inGraph(v, l, options), nil
	}
	return outside(backend, store, v, loss, options)
}

// inGraph makes the loss a part of the graph.
func inGraph(v viewer, loss nn.GraphLoss, options core.Options) *scoring {
	build := func(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
		view, lagged := v.build(scope, batch[0], batch[1])
		value, flag := loss.Graph(view, lagged, options)
		if flag == nil {
			flag = graph.ScalarZero(value.Graph(), dtypes.Float32)
		}
		return value, []*graph.Node{graph.GreaterThan(flag, graph.ScalarZero(flag.Graph(), flag.DType()))}
	}
	return &scoring{graph: build, close: func() {}}
}

// outside evaluates the loss outside the graph. Its value and gradients are further inputs of the graph.
func outside(backend compute.Backend, store *model.Store, v viewer, loss core.Loss,
	options core.Options) (*scoring, error) {
	features, err := model.NewExec(
		backend,
		store,
		func(scope *model.Scope, x, y *graph.Node) (view, lagged *graph.Node) {
			defer nn.PanicWithErrors()
			return v.build(scope, x, y)
		},
	)
	if err != nil {
		return nil, err
	}
	s := &scoring{close: features.Finalize}
	s.graph = func(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
		value, byView, byLagged, flag := batch[2], batch[3], batch[4], batch[5]
		if !scope.IsTraining(value.Graph()) {
			return value, []*graph.Node{flag}
		}
		view, lagged := v.build(scope, batch[0], batch[1])
		zero := graph.ScalarZero(value.Graph(), dtypes.Float32)
		return graph.Add(nn.Linearise(value, view, byView), nn.Linearise(zero, lagged, byLagged)), []*graph.Node{flag}
	}
	s.extend = func(ctx context.Context, batch []*tensors.Tensor) ([]*tensors.Tensor, error) {
		start := time.Now()
		if _, err := features.Compile(batch[0].Shape(), batch[1].Shape()); err != nil {
			return nil, err
		}
		s.compile += time.Since(start)
		outputs, err := features.Call(batch[0], batch[1])
		if err != nil {
			return nil, err
		}
		defer func() {
			for _, o := range outputs {
				o.MustFinalizeAll()
			}
		}()
		value, err := loss.Evaluate(ctx, matrixOf(outputs[0]), matrixOf(outputs[1]), options)
		if err != nil {
			return nil, err
		}
		flag := float32(0)
		if len(value.Warnings) > 0 {
			flag = 1
			s.memory.Warning = firstOf(s.memory.Warning, value.Warnings[0])
		}
		return []*tensors.Tensor{
			tensors.FromScalar(float32(value.Value)), tensorOf(value.GradX), tensorOf(value.GradY), tensors.FromScalar(flag),
		}, nil
	}
	return s, nil
}

// matrixOf copies a float32 matrix.
func matrixOf(t *tensors.Tensor) *mat.Dense {
	dimensions := t.Shape().Dimensions
	m := mat.NewDense(dimensions[0], dimensions[1], nil)
	tensors.MustConstFlatData(t, func(values []float32) {
		for i, v := range values {
			m.RawMatrix().Data[i] = float64(v)
		}
	})
	return m
}

// tensorOf returns a matrix as a float32 tensor.
func tensorOf(m *mat.Dense) *tensors.Tensor {
	n, d := m.Dims()
	t := tensors.FromShape(shapes.Make(dtypes.Float32, n, d))
	tensors.MustMutableFlatData(t, func(values []float32) {
		for i := range values {
			values[i] = float32(m.At(i/d, i%d))
		}
	})
	return t
}

// warnings says how many training batches were degenerate.
func (s *scoring) warnings(h nn.History) []string {
	count, first, last := 0, 0, 0
	for _, e := range h.Metrics[degenerate] {
		if n := int(math.Round(e.Train * float64(h.Batches))); n > 0 {
			count += n
			last = e.Number
			if first == 0 {
				first = e.Number
			}
		}
	}
	if count == 0 {
		return nil
	}
	text := fmt.Sprintf("the loss was degenerate on %d of %d training batches, from epoch %d to epoch %d", count,
		h.Batches*len(h.Epochs), first, last)
	if s.memory.Warning != "" {
		text += ": " + s.memory.Warning
	}
	return []string{text}
}
