package nn_test

import (
	"context"
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// parabola is the loss Σ(x − w)² of two parameters.
func parabola(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
	v, w := nn.Uniform(scope, "v", 1).NodeValue(batch[0].Graph()), nn.Uniform(scope, "w", 1).NodeValue(batch[0].Graph())
	x := graph.ReduceAllMean(batch[0])
	return graph.Add(graph.Square(graph.Sub(x, v)), graph.Square(graph.Sub(x, w))), nil
}

// TestSchedules repeats the updates in float64: Adam and AdamW, the learning rates as PyTorch's
// schedulers have them, and clipping by the norm of the whole gradient.
func TestSchedules(t *testing.T) {
	const steps, lr, x = 20, 0.05, 3.0
	cosine := func(from, to, way float64) float64 { return from + (to-from)*(1-math.Cos(math.Pi*way))/2 }
	rates := map[nn.Rates]func(step float64) float64{
		"":              func(float64) float64 { return lr },
		nn.ConstantRate: func(float64) float64 { return lr },
		nn.CosineRate:   func(step float64) float64 { return cosine(lr, 0, step/steps) },
		nn.OneCycleRate: func(step float64) float64 {
			if step < 5 {
				return cosine(lr/25, lr, step/5)
			}
			return cosine(lr, lr/250_000, (step-5)/14)
		},
	}
	for _, optimiser := range []nn.Optimiser{"", nn.Adam, nn.AdamW} {
		for name, rate := range rates {
			for _, clip := range []float64{0, 0.5, 100} {
				s := nn.Schedule{
					Epochs: steps / 2, BatchSize: 1, LearningRate: lr, WeightDecay: 0.3,
					Optimiser: optimiser, Rates: name, Clip: clip,
				}
				store := nn.NewStore(3)
				for path, value := range map[string]float32{"/v": 1, "/w": -2} {
					_, err := store.CreateVariable(path, tensors.FromScalar(value))
					require.NoError(t, err)
				}
				_, err := (&nn.Trainer{
					Backend: testBackend(t), Store: store, Loss: parabola, Schedule: s, Train: numbers{x, x},
					Shuffle: core.NewStream(1),
				}).Run(t.Context())
				require.NoError(t, err)

				w, m, v := [2]float64{1, -2}, [2]float64{}, [2]float64{}
				for step := range steps {
					var g [2]float64
					for i := range g {
						g[i] = 2 * (w[i] - x)
					}
					if norm := math.Hypot(g[0], g[1]); clip > 0 && norm > clip {
						g[0], g[1] = g[0]*clip/norm, g[1]*clip/norm
					}
					for i := range g {
						if optimiser == nn.Adam {
							g[i] += 0.3 * w[i]
						}
						m[i], v[i] = 0.9*m[i]+0.1*g[i], 0.999*v[i]+0.001*g[i]*g[i]
						k := float64(step + 1)
						change := m[i] / (1 - math.Pow(0.9, k)) / (math.Sqrt(v[i]/(1-math.Pow(0.999, k))) + 1e-8)
						if optimiser != nn.Adam {
							change += 0.3 * w[i]
						}
						w[i] -= rate(float64(step)) * change
					}
				}
				for i, path := range []string{"/v", "/w"} {
					assert.InDelta(t, w[i], tensors.ToScalar[float32](store.GetVariable(path).MustValue()), 2e-5, "%+v: %s", s, path)
				}
			}
		}
	}
}

// TestPatience: a training ends so many epochs after the best one, and has the parameters of that.
func TestPatience(t *testing.T) {
	run := func(patience, epochs int, kept core.Checkpoints, batches int) (nn.History, float32, error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		progress := &recorder{}
		progress.then = func() {
			if len(progress.done) == batches {
				cancel()
			}
		}
		store := nn.NewStore(3)
		_, err := store.CreateVariable("/w", tensors.FromScalar(float32(0)))
		require.NoError(t, err)
		history, err := (&nn.Trainer{
			Backend: testBackend(t), Store: store, Progress: progress, Checkpoints: kept,
			Loss: func(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
				w := nn.Uniform(scope, "w", 1).NodeValue(batch[0].Graph())
				return graph.Square(graph.Sub(graph.ReduceAllMean(batch[0]), w)), nil
			},
			// w goes from 0 to 3 by about a tenth in an epoch; on its way it is nearest to 1.
			Schedule: nn.Schedule{Epochs: epochs, BatchSize: 1, LearningRate: 0.1, Patience: patience},
			Train:    numbers{3}, Validation: numbers{1}, Shuffle: core.NewStream(1),
		}).Run(ctx)
		if err != nil {
			return history, 0, err
		}
		history.CompileSeconds = 0
		return history, tensors.ToScalar[float32](store.GetVariable("/w").MustValue()), nil
	}
	full, w, err := run(0, 40, nil, 0)
	require.NoError(t, err)
	require.Len(t, full.Epochs, 40)
	require.Equal(t, 40, full.Kept)
	require.Greater(t, w, float32(2), "without patience the last parameters stay")
	least := 0
	for i, e := range full.Epochs {
		if e.Validation < full.Epochs[least].Validation {
			least = i
		}
	}
	require.InDelta(t, 10, least, 3)

	history, w, err := run(4, 40, nil, 0)
	require.NoError(t, err)
	assert.Equal(t, full.Epochs[:least+5], history.Epochs)
	assert.Equal(t, least+1, history.Kept)
	assert.InDelta(t, full.Epochs[least].Validation, (1-w)*(1-w), 1e-5)
	for stop := 1; stop < len(history.Epochs); stop++ {
		kept := &memoryOf{states: map[string]*core.State{}}
		_, _, err := run(4, 40, kept, stop)
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, kept.states["training"].Validate())
		again, got, err := run(4, 40, kept, 0)
		require.NoError(t, err)
		assert.Equal(t, history, again, "stopped after %d batches", stop)
		assert.Equal(t, w, got, "stopped after %d batches", stop)
	}

	history, w, err = run(1000, least+3, nil, 0)
	require.NoError(t, err)
	assert.Len(t, history.Epochs, least+3)
	assert.InDelta(t, full.Epochs[least].Validation, (1-w)*(1-w), 1e-5, "the best epoch stays at the end of all too")

	_, err = (&nn.Trainer{
		Backend: testBackend(t), Store: nn.NewStore(1), Loss: parabola,
		Schedule: nn.Schedule{Epochs: 1, BatchSize: 1, Patience: 2}, Train: numbers{1}, Shuffle: core.NewStream(1),
	}).Run(t.Context())
	require.ErrorIs(t, err, core.ErrOption)
	assert.ErrorContains(t, err, "patience=2 needs validation examples")
}

// TestOrthogonal: the shorter side is orthonormal, whichever it is, and values depend on seed and path alone.
func TestOrthogonal(t *testing.T) {
	for _, size := range [][2]int{{7, 3}, {3, 7}, {4, 4}, {1, 1}} {
		draw := func(seed int64) []float32 {
			return tensors.MustCopyFlatData[float32](
				nn.Orthogonal(nn.NewStore(seed).RootScope(), "w", size[0], size[1]).MustValue())
		}
		w := draw(1)
		assert.Equal(t, w, draw(1))
		if size[0] > 1 {
			assert.NotEqual(t, w, draw(2))
		}
		at := func(i, k int) float64 { // entry k of the i-th vector of the shorter side
			if size[0] < size[1] {
				return float64(w[i*size[1]+k])
			}
			return float64(w[k*size[1]+i])
		}
		for i := range min(size[0], size[1]) {
			for j := range min(size[0], size[1]) {
				sum, want := 0.0, 0.0
				for k := range max(size[0], size[1]) {
					sum += at(i, k) * at(j, k)
				}
				if i == j {
					want = 1
				}
				assert.InDelta(t, want, sum, 1e-6, "%v: %d·%d", size, i, j)
			}
		}
	}
}
