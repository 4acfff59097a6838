package nn_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	_ "github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

var testRuntime = nn.NewRuntime("cpu")

func testBackend(t testing.TB) compute.Backend {
	backend, err := testRuntime.Backend()
	require.NoError(t, err)
	return backend
}

// small is a network that trains on 8×8 images in milliseconds.
var small = nn.CNN{Channels: []int{2, 3}, Kernel: 5}

// wave is the array that torch_reference.py calls wave.
func wave(phase, bound float64, dimensions ...int) *tensors.Tensor {
	t := tensors.FromScalarAndDimensions(float32(0), dimensions...)
	tensors.MustMutableFlatData(t, func(values []float32) {
		for i := range values {
			values[i] = float32(bound * math.Sin(0.7*float64(i)+phase))
		}
	})
	return t
}

// oneBatch is a single example that stands for a whole batch: a fixed list of tensors.
type oneBatch func() []*tensors.Tensor

func (oneBatch) Len() int                        { return 1 }
func (b oneBatch) Batch([]int) []*tensors.Tensor { return b() }

// TestTorchReference repeats what testdata/torch_reference.py does: networks, gradients and AdamW are PyTorch's.
func TestTorchReference(t *testing.T) {
	var reference map[string]struct {
		Losses     []float64
		Parameters map[string][]float64
		Features   [][]float64
	}
	content, err := os.ReadFile("testdata/torch_reference.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &reference))

	const n, size, features = 4, 8, 3
	shapes := []struct {
		path       string
		dimensions []int
	}{
		{"/encoder/convolution1/weights", []int{5, 5, 1, 2}},
		{"/encoder/convolution1/biases", []int{2}},
		{"/encoder/convolution2/weights", []int{5, 5, 2, 3}},
		{"/encoder/convolution2/biases", []int{3}},
		{"/encoder/linear/weights", []int{12, features}},
		{"/encoder/linear/biases", []int{features}},
		{"/evolution/weights", []int{features, features}},
		{"/decoder/linear/weights", []int{features, 12}},
		{"/decoder/linear/biases", []int{12}},
		{"/decoder/convolution2/weights", []int{5, 5, 3, 2}},
		{"/decoder/convolution2/biases", []int{2}},
		{"/decoder/convolution1/weights", []int{5, 5, 2, 1}},
		{"/decoder/convolution1/biases", []int{1}},
	}
	losses := map[string]func(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node){
		"normalised": func(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
			z := nn.Normalise(small.Encode(scope.At("encoder"), graph.Concatenate(batch, 0), features))
			return graph.ReduceAllMean(graph.Mul(z, graph.ConstTensor(z.Graph(), wave(5, 1, 2*n, features)))), nil
		},
		"autoencoder": func(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
			x, y := batch[0], batch[1]
			encodedX, encodedY := small.Encode(scope.At("encoder"), x,
				features), small.Encode(scope.At("encoder"), y, features)
			evolved := nn.LinearMap(scope.At("evolution"), encodedX, features)
			decode := func(z *graph.Node) *graph.Node { return small.Decode(scope.At("decoder"), z, size, size) }
			return nn.AutoencoderGraph(nn.AutoencoderBatch[*graph.Node]{
				X: x, Y: y, Reconstruction: decode(encodedX), Encoded: encodedY, Evolved: evolved, Prediction: decode(evolved),
			}, nil), nil
		},
	}
	require.Len(t, reference, len(losses))
	for name, loss := range losses {
		t.Run(name, func(t *testing.T) {
			want := reference[name]
			store := nn.NewStore(1, "torch")
			for phase, p := range shapes {
				if _, used := want.Parameters[p.path]; used {
					_, err := store.CreateVariable(p.path, wave(float64(phase), 0.3, p.dimensions...))
					require.NoError(t, err)
				}
			}
			trainer := nn.Trainer{
				Backend: testBackend(t), Store: store, Loss: loss,
				Schedule: nn.Schedule{Epochs: len(want.Losses), BatchSize: 1, LearningRate: 1e-2, WeightDecay: 0.05},
				Train: oneBatch(func() []*tensors.Tensor {
					return []*tensors.Tensor{wave(1, 1, n, size, size), wave(2, 1, n, size, size)}
				}),
				Shuffle: core.NewStream(1, "shuffle"),
			}
			history, err := trainer.Run(t.Context())
			require.NoError(t, err)
			for i, e := range history.Epochs {
				assert.InDelta(t, want.Losses[i], e.Train, 1e-5, "loss of step %d", i)
			}
			require.Equal(t, len(want.Parameters), store.NumVariables(), "only parameters stay in the store")
			for path, values := range want.Parameters {
				got := tensors.MustCopyFlatData[float32](store.GetVariable(path).MustValue())
				require.Len(t, got, len(values))
				for i, v := range values {
					assert.InDelta(t, v, got[i], 2e-5, "%s[%d]", path, i)
				}
			}
			encoder, err := nn.NewInference(
				testBackend(t),
				store,
				[]int{size, size},
				func(scope *model.Scope, x *graph.Node) *graph.Node {
					return small.Encode(scope.At("encoder"), x, features)
				},
			)
			require.NoError(t, err)
			x, err := core.NewSnapshots(tensors.MustCopyFlatData[float32](wave(1, 1, n, size, size)), size, size)
			require.NoError(t, err)
			z, err := encoder.Features(t.Context(), x)
			require.NoError(t, err)
			for i, row := range want.Features {
				assert.InDeltaSlice(t, row, z.RawRowView(i), 2e-4)
			}
		})
	}
}
