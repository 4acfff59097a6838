package nn_test

import (
	"fmt"
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

// TestReferenceByShape: which network there is for which shape, and that each encodes and decodes its snapshots.
func TestReferenceByShape(t *testing.T) {
	for _, c := range []struct {
		shape []int
		want  nn.Autoencoder
	}{
		{[]int{1}, nn.MLP{Width: 128}},
		{[]int{784}, nn.MLP{Width: 128}},
		{[]int{7, 100}, nn.MLP{Width: 128}},
		{[]int{3, 28, 28}, nn.MLP{Width: 128}},
		{[]int{8, 8}, nn.CNN{Channels: []int{16}, Kernel: 5}},
		{[]int{15, 9}, nn.CNN{Channels: []int{16}, Kernel: 5}},
		{[]int{28, 28}, nn.CNN{Channels: []int{16, 32}, Kernel: 5}},
		{[]int{19, 28, 3}, nn.CNN{Channels: []int{16, 32}, Kernel: 5}},
		{[]int{33, 40, 2}, nn.CNN{Channels: []int{16, 32, 64}, Kernel: 5}},
		{[]int{64, 200}, nn.CNN{Channels: []int{16, 32, 64, 64}, Kernel: 5}},
	} {
		t.Run(fmt.Sprint(c.shape), func(t *testing.T) {
			network, err := nn.Reference{}.For(c.shape)
			require.NoError(t, err)
			assert.Equal(t, c.want, network)
			require.NoError(t, network.CheckShape(c.shape))
			x := tensors.FromScalarAndDimensions(float32(0.5), append([]int{2}, c.shape...)...)
			_, features := run(t, "reference", func(scope *model.Scope, x *graph.Node) *graph.Node {
				return nn.Reference{}.Encode(scope, x, 3)
			}, x)
			assert.Equal(t, []int{2, 3}, features)
			z := tensors.FromScalarAndDimensions(float32(0.5), 2, 3)
			_, decoded := run(t, "reference", func(scope *model.Scope, z *graph.Node) *graph.Node {
				return nn.Reference{}.Decode(scope, z, c.shape...)
			}, z)
			assert.Equal(t, append([]int{2}, c.shape...), decoded)
		})
	}
	assert.Equal(t, nn.ReferenceCNN(), nn.CNN{Channels: []int{16, 32}, Kernel: 5})
}

func TestReferenceRefuses(t *testing.T) {
	for _, shape := range [][]int{nil, {0}, {-1, 8}, {2, 3, 4, 5}, {1 << 22}, {3, 1024, 1024},
		{math.MaxInt, math.MaxInt}} {
		require.ErrorIs(t, nn.Reference{}.CheckShape(shape), core.ErrShape, shape)
	}
	assert.ErrorContains(t, nn.Reference{}.CheckShape([]int{2, 3, 4, 5}),
		"snapshots of shape [2 3 4 5]; the network takes 1 to 3 axes")
	assert.ErrorContains(t, nn.Reference{}.CheckShape([]int{1 << 22}), "at most 2097152 values")
	for _, width := range []int{-1, nn.MaxWidth + 1} {
		require.ErrorIs(t, nn.Reference{Width: width}.CheckShape([]int{3}), core.ErrOption)
		require.ErrorIs(t, nn.MLP{Width: width}.CheckShape([]int{3}), core.ErrOption)
	}
	require.NoError(t, nn.Reference{Width: -1}.CheckShape([]int{28, 28}), "the width is for the MLP alone")
}

// TestMLP: the layers, by hand.
func TestMLP(t *testing.T) {
	network := nn.MLP{Width: 2}
	store := nn.NewStore(1, "mlp")
	values := initialise(t, store, []int{1, 1, 3}, func(scope *model.Scope, x *graph.Node) *graph.Node {
		return network.Encode(scope, x, 2)
	})
	x := []float64{0.3, -1, 2}
	want := x
	for _, layer := range []string{"/hidden1", "/hidden2", "/linear"} {
		weights, biases := values[layer+"/weights"], values[layer+"/biases"]
		next := make([]float64, len(biases))
		for j := range next {
			next[j] = float64(biases[j])
			for i, v := range want {
				next[j] += v * float64(weights[i*len(next)+j])
			}
			if layer != "/linear" {
				next[j] = math.Tanh(next[j])
			}
		}
		want = next
	}
	got, _ := run(t, "mlp", func(scope *model.Scope, x *graph.Node) *graph.Node { return network.Encode(scope, x, 2) },
		tensors.FromFlatDataAndDimensions([]float32{0.3, -1, 2}, 1, 1, 3))
	for i, v := range got {
		assert.InDelta(t, want[i], v, 1e-6)
	}
}

// narrow is a Reference whose options make an encoder that decodes nothing.
type narrow struct{ nn.Reference }

func (narrow) With(core.Options) nn.Encoder { return onlyEncodes{nn.MLP{Width: 1}} }

type onlyEncodes struct{ nn.Encoder }

func TestChoose(t *testing.T) {
	options, err := core.Description{Options: nn.EncoderOptions(nn.Reference{})}.Resolve(map[string]any{"width": 7})
	require.NoError(t, err)
	network, err := nn.Choose[nn.Autoencoder](nn.Reference{}, []int{3}, options)
	require.NoError(t, err)
	assert.Equal(t, nn.MLP{Width: 7}, network)
	network, err = nn.Choose[nn.Autoencoder](nn.CNN{Channels: []int{2}, Kernel: 3}, []int{8, 8}, core.Options{})
	require.NoError(t, err)
	assert.Equal(t, nn.CNN{Channels: []int{2}, Kernel: 3}, network)
	_, err = nn.Choose[nn.Autoencoder](nn.CNN{Channels: []int{2}, Kernel: 3}, []int{8}, core.Options{})
	require.ErrorIs(t, err, core.ErrShape)
	_, err = nn.Choose[nn.Autoencoder](narrow{}, []int{8}, core.Options{})
	require.ErrorIs(t, err, core.ErrContract)
	assert.ErrorContains(t, err, "the encoder nn_test.onlyEncodes was chosen, but a nn.Autoencoder is needed")
	assert.Empty(t, nn.EncoderOptions(nn.ReferenceCNN()))
}

// TestSavedReference: kept is what was chosen, and a Reference finds it again by the shape.
func TestSavedReference(t *testing.T) {
	for _, c := range []struct {
		shape []int
		kept  string
	}{
		{[]int{3}, `"encoder":{"type":"nn.MLP","fields":{"Width":5}}`},
		{[]int{28, 28}, `"encoder":{"type":"nn.CNN","fields":{"Channels":[16,32],"Kernel":5}}`},
	} {
		network, err := nn.Reference{Width: 5}.For(c.shape)
		require.NoError(t, err)
		inference, err := nn.NewInference(testBackend(t), nn.NewStore(1, "saved"), c.shape,
			func(scope *model.Scope, x *graph.Node) *graph.Node { return network.Encode(scope, x, 2) })
		require.NoError(t, err)
		s, err := nn.NewEmbedding(network, inference, core.Report{}).Save(t.Context())
		require.NoError(t, err)
		assert.Contains(t, string(s.Facts), c.kept)
		n, err := nn.LoadNetwork(s)
		require.NoError(t, err)
		loaded, err := nn.SavedEncoder[nn.Autoencoder](n, nn.Reference{})
		require.NoError(t, err)
		assert.Equal(t, network, loaded)
		_, err = nn.SavedEncoder(n, nn.Reference{})
		require.ErrorIs(t, err, core.ErrContract)
		n.Shape = []int{1, 2, 3, 4}
		_, err = nn.SavedEncoder[nn.Autoencoder](n, nn.Reference{})
		require.ErrorIs(t, err, core.ErrShape)
	}
	itself := nn.Reference{Width: 5}
	inference, err := nn.NewInference(testBackend(t), nn.NewStore(1, "saved"), []int{3},
		func(scope *model.Scope, x *graph.Node) *graph.Node { return itself.Encode(scope, x, 2) })
	require.NoError(t, err)
	s, err := nn.NewEmbedding(itself, inference, core.Report{}).Save(t.Context())
	require.NoError(t, err)
	n, err := nn.LoadNetwork(s)
	require.NoError(t, err)
	loaded, err := nn.SavedEncoder(n, nn.Reference{})
	require.NoError(t, err)
	assert.Equal(t, itself, loaded)
}
