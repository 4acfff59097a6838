package nn

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// inferenceBatch is the number of rows of every batch. There is one size only, since a sum over a
// row may be taken in another order in a batch of another size; and it is a whole number of the
// tiles of 2, 3, 4, 6, 8, … rows in which matrix products are computed, since the rows of a last,
// smaller tile may be summed in another order too.
const inferenceBatch = 48

// Inference runs a network over any number of rows, each independent of the others. It runs them in
// batches of one size and fills up the last one, so a row's result depends on that row alone.
//
// Several goroutines may use an Inference at the same time. They take turns, one batch each.
type Inference struct {
	// CompileSeconds is the time that compiling the graph took.
	CompileSeconds float64

	exec    *model.Exec
	in, out []int // of one row
	mu      sync.Mutex
}

// NewInference compiles the network that the function network builds for a float32 batch x, [n,
// in…]. The result of the network is float32 and [n, …]. All parameters must be in the store, and
// nothing may change them afterwards.
func NewInference(backend compute.Backend, store *model.Store, in []int,
	network func(scope *model.Scope, x *graph.Node) *graph.Node) (_ *Inference, err error) {
	defer core.Recover(&err)
	start := time.Now()
	f := &Inference{in: slices.Clone(in)}
	f.exec, err = model.NewExec(backend, store, func(scope *model.Scope, x *graph.Node) *graph.Node {
		defer PanicWithErrors()
		y := network(scope, x)
		if y.DType() != dtypes.Float32 || y.Rank() < 1 || y.Shape().Dim(0) != inferenceBatch {
			panic(fmt.Errorf("%w: the network makes %s of %s", core.ErrShape, y.Shape(), x.Shape()))
		}
		f.out = slices.Clone(y.Shape().Dimensions[1:])
		return y
	})
	if err != nil {
		return nil, err
	}
	if _, err := f.exec.Compile(f.batchShape()); err != nil {
		return nil, err
	}
	f.CompileSeconds = time.Since(start).Seconds()
	return f, nil
}

func (f *Inference) batchShape() shapes.Shape {
	return shapes.Make(dtypes.Float32, append([]int{inferenceBatch}, f.in...)...)
}

// Out is the shape of one row of the result.
func (f *Inference) Out() []int { return slices.Clone(f.out) }

// Run runs the network over n rows. It calls read to fill dst with the values of the rows from,
// from+1, …. It calls write with the results for the rows from, from+1, …, which write must not
// keep. It returns the context's error soon after ctx ends.
func (f *Inference) Run(ctx context.Context, n int, read func(dst []float32, from int),
	write func(result []float32, from int)) (err error) {
	defer core.Recover(&err)
	for from := 0; from < n; from += inferenceBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows := min(inferenceBatch, n-from)
		x := tensors.FromShape(f.batchShape())
		tensors.MustMutableFlatData(x, func(values []float32) { read(values[:rows*product(f.in)], from) })
		if err := f.runBatch(x, func(result []float32) { write(result[:rows*product(f.out)], from) }); err != nil {
			return err
		}
	}
	return nil
}

func (f *Inference) runBatch(x *tensors.Tensor, write func(result []float32)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer x.MustFinalizeAll()
	outputs, err := f.exec.Call(x)
	if err != nil {
		return err
	}
	defer finalize(outputs)
	return tensors.ConstFlatData(outputs[0], write)
}

// Features returns the results for a sequence of snapshots as the rows of a matrix, which is empty
// if there are no snapshots. The error is [core.ErrShape] if the snapshots do not have the shape
// that the network takes.
func (f *Inference) Features(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
	n, d := x.Len(), product(f.out)
	if n == 0 {
		return &mat.Dense{}, nil
	}
	if !slices.Equal(x.Shape(), f.in) {
		return nil, fmt.Errorf("%w: snapshots of shape %v; the network was trained on shape %v", core.ErrShape, x.Shape(),
			f.in)
	}
	features := mat.NewDense(n, d, nil)
	err := f.Run(ctx, n, x.Read, func(result []float32, from int) {
		for i, v := range result {
			features.RawMatrix().Data[from*d+i] = float64(v)
		}
	})
	if err != nil {
		return nil, err
	}
	return features, nil
}

// Snapshots returns the results for the rows of the n×d matrix z as snapshots. The error is
// [core.ErrShape] if the rows do not have the number of values that the network takes.
func (f *Inference) Snapshots(ctx context.Context, z mat.Matrix) (core.Snapshots, error) {
	n, d := z.Dims()
	if d != product(f.in) && n > 0 {
		return core.Snapshots{}, fmt.Errorf("%w: %d features; the network needs %d", core.ErrShape, d, product(f.in))
	}
	size := product(f.out)
	values := make([]float32, n*size)
	err := f.Run(ctx, n, func(dst []float32, from int) {
		for i := range dst {
			dst[i] = float32(z.At(from+i/d, i%d))
		}
	}, func(result []float32, from int) { copy(values[from*size:], result) })
	if err != nil {
		return core.Snapshots{}, err
	}
	return core.NewSnapshots(values, f.out...)
}

func product(dimensions []int) int {
	n := 1
	for _, d := range dimensions {
		n *= d
	}
	return n
}
