package nn_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// memoryOf keeps states in memory.
type memoryOf struct {
	states map[string]*core.State
	stored int
	every  int // batches
	asked  int
}

func (m *memoryOf) Names() []string              { return slices.Collect(maps.Keys(m.states)) }
func (m *memoryOf) Every() time.Duration         { return time.Nanosecond }
func (m *memoryOf) Load(name string) *core.State { return m.states[name] }
func (m *memoryOf) Due() bool                    { m.asked++; return m.every > 0 && m.asked%m.every == 0 }
func (m *memoryOf) Store(name string, s *core.State) {
	m.states[name] = s
	m.stored++
}

// squares is the loss mean(w·x − x²)², with the mean of x as metric.
func squares(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
	w := nn.Uniform(scope, "w", 1).NodeValue(batch[0].Graph())
	d := graph.Sub(graph.Mul(w, batch[0]), graph.Square(batch[0]))
	return graph.ReduceAllMean(graph.Square(d)), []*graph.Node{graph.ReduceAllMean(batch[0])}
}

// train trains until it has made that many batches, 0 for all.
func train(t *testing.T, kept core.Checkpoints, batches int, change func(*nn.Trainer)) (nn.History, float32, error) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	progress := &recorder{}
	progress.then = func() {
		if len(progress.done) == batches {
			cancel()
		}
	}
	store := nn.NewStore(3, "squares")
	tr := nn.Trainer{
		Backend: testBackend(t), Store: store, Metrics: []string{"mean"}, Loss: squares,
		Schedule: nn.Schedule{Epochs: 4, BatchSize: 2, LearningRate: 0.05, WeightDecay: 0.01},
		Train:    numbers{1, 2, 3, 4, 5, 6, 7}, Validation: numbers{8, 9, 10}, ValidateWhole: true,
		Shuffle: core.NewStream(1), Progress: progress, Checkpoints: kept,
	}
	if change != nil {
		change(&tr)
	}
	history, err := tr.Run(ctx)
	if err != nil {
		return history, 0, err
	}
	history.CompileSeconds = 0
	return history, tensors.ToScalar[float32](store.GetVariable("/w").MustValue()), nil
}

// TestContinued: a training that is stopped after any batch and continued gives the bits of one that is not.
func TestContinued(t *testing.T) {
	history, w, err := train(t, nil, 0, nil)
	require.NoError(t, err)
	require.Len(t, history.Epochs, 4)
	for stop := 1; stop < 16; stop++ {
		kept := &memoryOf{states: map[string]*core.State{}}
		_, _, err := train(t, kept, stop, nil)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 1, kept.stored, "a training that is cancelled stores its state")
		require.NoError(t, kept.states["training"].Validate())
		again, got, err := train(t, kept, 0, nil)
		require.NoError(t, err)
		assert.Equal(t, w, got, "stopped after %d batches", stop)
		assert.Equal(t, history, again)
	}
}

// TestContinuedFromBefore: what came after the last checkpoint is repeated, not lost, and not counted twice.
func TestContinuedFromBefore(t *testing.T) {
	history, w, err := train(t, nil, 0, nil)
	require.NoError(t, err)
	kept := &memoryOf{states: map[string]*core.State{}, every: 3}
	var early []*core.State
	undisturbed, got, err := train(t, keeper{kept, &early}, 0, nil)
	require.NoError(t, err)
	require.Equal(t, history, undisturbed)
	require.Equal(t, w, got)
	require.Len(t, early, 8, "4 epochs of 4 + 2 batches") // in both passes
	for i, s := range early {
		again, got, err := train(t, &memoryOf{states: map[string]*core.State{"training": s}}, 0, nil)
		require.NoError(t, err)
		assert.Equal(t, w, got, "checkpoint %d", i)
		assert.Equal(t, history, again, "checkpoint %d", i)
	}
}

// keeper keeps all states.
type keeper struct {
	*memoryOf
	all *[]*core.State
}

func (k keeper) Load(string) *core.State          { return nil }
func (k keeper) Store(name string, s *core.State) { *k.all = append(*k.all, s) }

// TestUnfitCheckpoints: what does not fit is left aside, with a warning.
func TestUnfitCheckpoints(t *testing.T) {
	history, w, err := train(t, nil, 0, nil)
	require.NoError(t, err)
	kept := &memoryOf{states: map[string]*core.State{}}
	_, _, err = train(t, kept, 6, nil)
	require.ErrorIs(t, err, context.Canceled)
	good := kept.states["training"]
	for name, spoil := range map[string]func(s *core.State){
		"facts":    func(s *core.State) { s.Facts = []byte("[]") },
		"no epoch": func(s *core.State) { s.Facts = []byte("{}") },
		"variable": func(s *core.State) { delete(s.Arrays, "variables/w") },
		"shape":    func(s *core.State) { s.Arrays["variables/w"] = core.Array{Shape: []int{2}, Values: []float32{1, 2}} },
		"type":     func(s *core.State) { s.Arrays["variables/w"] = core.Array{Shape: []int{}, Values: []float64{1}} },
		"history": func(s *core.State) {
			s.Arrays["history"] = core.Array{Shape: []int{2, 2, 2}, Values: make([]float64, 8)}
		},
		"size": func(s *core.State) {
			s.Facts = bytes.Replace(s.Facts, []byte(`"path":"/w","type":"Float32","dimensions":null`),
				[]byte(`"path":"/w","type":"Float32","dimensions":[1000000,1000000,1000000]`), 1)
			assert.NotEqual(t, string(good.Facts), string(s.Facts))
		},
		"sums":    func(s *core.State) { s.Arrays["sums"] = core.Array{Shape: []int{1}, Values: []float64{1}} },
		"trained": func(s *core.State) { s.Arrays["trained"] = core.Array{Shape: []int{1}, Values: []float64{1}} },
	} {
		t.Run(name, func(t *testing.T) {
			s := &core.State{Facts: good.Facts}
			s.Add("x", good)
			s = s.Part("x", good.Facts)
			spoil(s)
			again, got, err := train(t, &memoryOf{states: map[string]*core.State{"training": s}}, 0, nil)
			require.NoError(t, err)
			require.Len(t, again.Warnings, 1)
			assert.Contains(t, again.Warnings[0], "was not used")
			again.Warnings = nil
			assert.Equal(t, history, again)
			assert.Equal(t, w, got)
		})
	}
	again, _, err := train(t, kept, 0, func(tr *nn.Trainer) { tr.Schedule.LearningRate = 0.06 })
	require.NoError(t, err)
	assert.Len(t, again.Warnings, 1, "another schedule")
	require.Len(t, again.Epochs, 4)
}

// TestMemory: what Extend remembers goes along.
func TestMemory(t *testing.T) {
	kept := &memoryOf{states: map[string]*core.State{}}
	run := func(batches int) int {
		memory := struct{ Calls int }{}
		_, _, err := train(t, kept, batches, func(tr *nn.Trainer) {
			tr.Memory = &memory
			tr.Extend = func(context.Context, []*tensors.Tensor) ([]*tensors.Tensor, error) { memory.Calls++; return nil, nil }
		})
		if batches > 0 {
			require.ErrorIs(t, err, context.Canceled)
		} else {
			require.NoError(t, err)
		}
		return memory.Calls
	}
	assert.Equal(t, 5+2, run(5))
	assert.Equal(t, 16+8, run(0))
}
