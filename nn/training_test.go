package nn_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// numbers are examples of one number each.
type numbers []float32

func (n numbers) Len() int { return len(n) }

func (n numbers) Batch(indices []int) []*tensors.Tensor {
	values := make([]float32, len(indices))
	for i, k := range indices {
		values[i] = n[k]
	}
	return []*tensors.Tensor{tensors.FromFlatDataAndDimensions(values, len(values))}
}

// meanOfBatch is the loss w·mean(batch); its gradient by w is the mean.
func meanOfBatch(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
	w := nn.Uniform(scope, "w", 1).NodeValue(batch[0].Graph())
	return graph.Mul(w, graph.ReduceAllMean(batch[0])), []*graph.Node{graph.ReduceAllMean(batch[0])}
}

// TestAdamW repeats the updates in float64, as Loshchilov and Hutter's algorithm 2 states them.
func TestAdamW(t *testing.T) {
	const steps, lr, decay, slope = 50, 0.01, 0.1, 0.3
	store := nn.NewStore(3, "adamw")
	_, err := store.CreateVariable("/w", tensors.FromScalar(float32(2)))
	require.NoError(t, err)
	trainer := nn.Trainer{
		Backend: testBackend(t), Store: store, Metrics: []string{"mean"}, Loss: meanOfBatch,
		Schedule: nn.Schedule{Epochs: steps, BatchSize: 1, LearningRate: lr, WeightDecay: decay},
		Train:    numbers{slope}, Shuffle: core.NewStream(1),
	}
	history, err := trainer.Run(t.Context())
	require.NoError(t, err)

	w, m, v := 2.0, 0.0, 0.0
	for step := 1.0; step <= steps; step++ {
		assert.InDelta(t, w*slope, history.Epochs[int(step)-1].Train, 1e-5, "before step %v", step)
		assert.True(t, math.IsNaN(history.Epochs[int(step)-1].Validation), "there is no validation data")
		m = 0.9*m + 0.1*slope
		v = 0.999*v + 0.001*slope*slope
		w -= lr * (m/(1-math.Pow(0.9, step))/(math.Sqrt(v/(1-math.Pow(0.999, step)))+1e-8) + decay*w)
	}
	assert.InDelta(t, w, tensors.ToScalar[float32](store.GetVariable("/w").MustValue()), 1e-5)
	assert.Equal(t, 1, nn.NumParameters(store))
}

// recorder keeps what a training reports.
type recorder struct {
	phase  string
	total  int
	done   []int
	epochs []core.Epoch
	then   func() // called at every Advance
}

func (r *recorder) Phase(name string, total int) { r.phase, r.total = name, total }
func (r *recorder) Advance(done int) {
	r.done = append(r.done, done)
	if r.then != nil {
		r.then()
	}
}
func (r *recorder) Epoch(e core.Epoch) { r.epochs = append(r.epochs, e) }

// TestEpochsAreMeansOverBatches trains with a learning rate of 0, so that every loss is known.
func TestEpochsAreMeansOverBatches(t *testing.T) {
	store := nn.NewStore(3, "means")
	_, err := store.CreateVariable("/w", tensors.FromScalar(float32(1)))
	require.NoError(t, err)
	progress := &recorder{}
	trainer := nn.Trainer{
		Backend: testBackend(t), Store: store, Metrics: []string{"mean"}, Loss: meanOfBatch,
		Schedule:   nn.Schedule{Epochs: 3, BatchSize: 2},
		Train:      numbers{1, 1, 1, 1, 1, 1, 1}, // 2+2+2+1
		Validation: numbers{2, 4, 10},            // means 3 and 10
		Shuffle:    core.NewStream(1), Progress: progress,
	}
	history, err := trainer.Run(t.Context())
	require.NoError(t, err)
	want := []core.Epoch{{Number: 1, Train: 1, Validation: 6.5}, {Number: 2, Train: 1, Validation: 6.5},
		{Number: 3, Train: 1, Validation: 6.5}}
	assert.Equal(t, want, history.Epochs)
	assert.Equal(t, want, history.Metrics["mean"])
	assert.Equal(t, want, progress.epochs)
	assert.Equal(t, 4, history.Batches)
	assert.Positive(t, history.CompileSeconds)
	assert.Equal(t, "training", progress.phase)
	assert.Equal(t, 12, progress.total)
	assert.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, progress.done)

	trainer.ValidateWhole = true
	history, err = trainer.Run(t.Context())
	require.NoError(t, err)
	assert.InDelta(t, 16.0/3, history.Epochs[0].Validation, 1e-6)
}

// seen records the batches that a training asks for.
type seen struct {
	numbers
	batches [][]int
}

func (s *seen) Batch(indices []int) []*tensors.Tensor {
	s.batches = append(s.batches, append([]int{}, indices...))
	return s.numbers.Batch(indices)
}

func TestEveryEpochShufflesAnew(t *testing.T) {
	train, validation := &seen{numbers: make(numbers, 10)}, &seen{numbers: make(numbers, 5)}
	trainer := nn.Trainer{
		Backend: testBackend(t), Store: nn.NewStore(3, "shuffle"), Metrics: []string{"mean"}, Loss: meanOfBatch,
		Schedule: nn.Schedule{Epochs: 2, BatchSize: 4}, Train: train, Validation: validation, Shuffle: core.NewStream(1),
	}
	_, err := trainer.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, train.batches, 6)
	assert.Equal(t, [][]int{{0, 1, 2, 3}, {4}, {0, 1, 2, 3}, {4}}, validation.batches)
	epochs := [2][]int{}
	for i, batch := range train.batches {
		assert.Len(t, batch, []int{4, 4, 2}[i%3])
		epochs[i/3] = append(epochs[i/3], batch...)
	}
	for _, order := range epochs {
		assert.ElementsMatch(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, order)
	}
	assert.NotEqual(t, epochs[0], epochs[1])
}

func TestTrainingErrors(t *testing.T) {
	trainer := func() *nn.Trainer {
		return &nn.Trainer{
			Backend:  testBackend(t),
			Store:    nn.NewStore(3, "errors"),
			Metrics:  []string{"mean"},
			Loss:     meanOfBatch,
			Schedule: nn.Schedule{Epochs: 2, BatchSize: 2, LearningRate: 0.125},
			Train:    numbers{1, 2, 3},
			Shuffle:  core.NewStream(1),
		}
	}
	nan := float32(math.NaN())
	t.Run("not a number", func(t *testing.T) {
		tr := trainer()
		tr.Train = numbers{nan, nan}
		_, err := tr.Run(t.Context())
		require.ErrorIs(t, err, core.ErrNonFinite)
		assert.ErrorContains(t, err, "epoch 1, training batch 1")
		assert.ErrorContains(t, err, "0.125")
	})
	t.Run("not a number in validation", func(t *testing.T) {
		tr := trainer()
		tr.Validation = numbers{1, 1, nan}
		_, err := tr.Run(t.Context())
		require.ErrorIs(t, err, core.ErrNonFinite)
		assert.ErrorContains(t, err, "epoch 1, validation batch 2")
	})
	t.Run("no data", func(t *testing.T) {
		tr := trainer()
		tr.Train = numbers{}
		_, err := tr.Run(t.Context())
		require.ErrorIs(t, err, core.ErrTooShort)
	})
	t.Run("empty batches", func(t *testing.T) {
		tr := trainer()
		tr.Schedule.BatchSize = 0
		_, err := tr.Run(t.Context())
		require.ErrorIs(t, err, core.ErrOption)
	})
	t.Run("metrics without names", func(t *testing.T) {
		tr := trainer()
		tr.Metrics = nil
		_, err := tr.Run(t.Context())
		require.ErrorContains(t, err, "1 metrics, but 0 have names")
	})
	t.Run("a panic while building", func(t *testing.T) {
		tr := trainer()
		tr.Loss = func(*model.Scope, []*graph.Node) (*graph.Node, []*graph.Node) { panic("no such layer") }
		_, err := tr.Run(t.Context())
		require.ErrorContains(t, err, "no such layer")
	})
	t.Run("extension", func(t *testing.T) {
		tr, failure := trainer(), errors.New("no extension")
		tr.Extend = func(context.Context, []*tensors.Tensor) ([]*tensors.Tensor, error) { return nil, failure }
		_, err := tr.Run(t.Context())
		require.ErrorIs(t, err, failure)
	})
}

func TestTrainingIsCancelledWithinABatch(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	progress := &recorder{}
	progress.then = func() {
		if len(progress.done) == 3 {
			cancel()
		}
	}
	trainer := nn.Trainer{
		Backend:  testBackend(t),
		Store:    nn.NewStore(3, "cancel"),
		Metrics:  []string{"mean"},
		Loss:     meanOfBatch,
		Schedule: nn.Schedule{Epochs: 1000, BatchSize: 1},
		Train:    make(numbers, 10),
		Shuffle:  core.NewStream(1),
		Progress: progress,
	}
	_, err := trainer.Run(ctx)
	require.ErrorIs(t, err, context.Canceled)
	assert.Len(t, progress.done, 3)
}

// TestExtend trains w towards the loss's minimum by a gradient that comes from outside the graph.
func TestExtend(t *testing.T) {
	store := nn.NewStore(3, "extend")
	trainer := nn.Trainer{
		Backend: testBackend(t), Store: store, Schedule: nn.Schedule{Epochs: 200, BatchSize: 1, LearningRate: 0.05},
		Train: numbers{1}, Shuffle: core.NewStream(1),
		Loss: func(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
			w := nn.Uniform(scope, "w", 1).NodeValue(batch[0].Graph())
			return nn.Linearise(batch[1], w, batch[2]), nil
		},
		Extend: func(context.Context, []*tensors.Tensor) ([]*tensors.Tensor, error) {
			w := float32(0)
			if v := store.GetVariable("/w"); v != nil {
				w = tensors.ToScalar[float32](v.MustValue())
			}
			return []*tensors.Tensor{tensors.FromScalar((w - 3) * (w - 3)), tensors.FromScalar(2 * (w - 3))}, nil
		},
	}
	history, err := trainer.Run(t.Context())
	require.NoError(t, err)
	assert.InDelta(t, 3, tensors.ToScalar[float32](store.GetVariable("/w").MustValue()), 0.05)
	assert.InDelta(t, 0, history.Epochs[199].Train, 0.01)
}

// TestForeignParameters trains parameters that GoMLX initialises, as its own layers have, from one seed to one result.
func TestForeignParameters(t *testing.T) {
	train := func(seed int64) (core.Epoch, []float32) {
		store := nn.NewStore(seed, "foreign")
		trainer := nn.Trainer{
			Backend: testBackend(t), Store: store, Schedule: nn.Schedule{Epochs: 5, BatchSize: 8, LearningRate: 0.01},
			Train: numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, Shuffle: core.NewStream(seed, "shuffle"),
			Loss: func(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
				x := graph.InsertAxes(batch[0], -1)
				h := graph.Mul(x, scope.VariableWithShape("w", shapes.Make(dtypes.Float32, 1, 4)).NodeValue(x.Graph()))
				return graph.ReduceAllMean(graph.Square(graph.Sub(graph.Square(x), h))), nil
			},
		}
		history, err := trainer.Run(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 4, nn.NumParameters(store))
		values := tensors.MustCopyFlatData[float32](store.GetVariable("/w").MustValue())
		return history.Epochs[4], values
	}
	epoch, values := train(1)
	again, valuesAgain := train(1)
	assert.Equal(t, epoch.Train, again.Train)
	assert.Equal(t, values, valuesAgain)
	_, other := train(2)
	assert.NotEqual(t, values, other)
}

func TestScheduleOptions(t *testing.T) {
	want := nn.Schedule{
		Epochs: 7, BatchSize: 3, LearningRate: 0.5, WeightDecay: 0.25,
		Optimiser: nn.Adam, Rates: nn.OneCycleRate, Clip: 2, Patience: 4,
	}
	d := core.Description{Name: "a", Summary: "a", Options: nn.ScheduleOptions(want)}
	require.NoError(t, d.Validate())
	options, err := d.Resolve(nil)
	require.NoError(t, err)
	assert.Equal(t, want, nn.ReadSchedule(options))
}
