package nn_test

import (
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

// initialise returns the values of a store after the network was built once for an input of zeros.
func initialise(t *testing.T, store *model.Store, in []int,
	network func(scope *model.Scope, x *graph.Node) *graph.Node) map[string][]float32 {
	t.Helper()
	exec, err := model.NewExec(testBackend(t), store, network)
	require.NoError(t, err)
	_, err = exec.Call(tensors.FromScalarAndDimensions(float32(0), in...))
	require.NoError(t, err)
	values := map[string][]float32{}
	for v := range store.IterVariables() {
		values[v.Path()] = tensors.MustCopyFlatData[float32](v.MustValue())
	}
	return values
}

func referenceAutoencoder(scope *model.Scope, x *graph.Node) *graph.Node {
	z := nn.ReferenceCNN().Encode(scope.At("encoder"), x, 5)
	z = nn.LinearMap(scope.At("lagged"), z, 5)
	return nn.ReferenceCNN().Decode(scope.At("decoder"), z, 28, 28)
}

// TestInitialBounds checks PyTorch's defaults for the reference networks.
func TestInitialBounds(t *testing.T) {
	values := initialise(t, nn.NewStore(7, "bounds"), []int{1, 28, 28}, referenceAutoencoder)
	cases := []struct {
		layer         string
		bound         float64
		weights, bias int
	}{
		{"/encoder/convolution1", 0.2, 25 * 16, 16},
		{"/encoder/convolution2", 0.05, 25 * 16 * 32, 32},
		{"/encoder/linear", 1 / math.Sqrt(1568), 1568 * 5, 5},
		{"/lagged", 1 / math.Sqrt(5), 25, 0},
		{"/decoder/linear", 1 / math.Sqrt(5), 5 * 1568, 1568},
		{"/decoder/convolution2", 0.05, 25 * 16 * 32, 16},
		{"/decoder/convolution1", 0.2, 25 * 16, 1},
	}
	parameters := 0
	for _, c := range cases {
		for name, size := range map[string]int{"/weights": c.weights, "/biases": c.bias} {
			got := values[c.layer+name]
			parameters += size
			require.Len(t, got, size, c.layer+name)
			largest, squares := 0.0, 0.0
			for _, v := range got {
				largest = max(largest, math.Abs(float64(v)))
				squares += float64(v) * float64(v)
			}
			assert.LessOrEqual(t, largest, c.bound, c.layer+name)
			if size >= 400 { // rare under 1e-6: all within 0.95 of the bound; a variance 20% off
				assert.Greater(t, largest, 0.95*c.bound, c.layer+name)
				assert.InEpsilon(t, c.bound*c.bound/3, squares/float64(size), 0.2, c.layer+name)
			}
		}
	}
	total := 0
	for _, v := range values {
		total += len(v)
	}
	assert.Equal(t, parameters, total)
}

// TestInitialValuesAreIndependent checks that a parameter's values depend on seed, name and path alone.
func TestInitialValuesAreIndependent(t *testing.T) {
	in := []int{2, 28, 28}
	all := initialise(t, nn.NewStore(1, "method"), in, referenceAutoencoder)
	encoder := initialise(t, nn.NewStore(1, "method"), in, func(scope *model.Scope, x *graph.Node) *graph.Node {
		return nn.ReferenceCNN().Encode(scope.At("encoder"), x, 5)
	})
	for path, values := range encoder {
		assert.Equal(t, all[path], values, path)
	}
	for name, other := range map[string]*model.Store{"seed": nn.NewStore(2, "method"), "name": nn.NewStore(1, "other")} {
		for path, values := range initialise(t, other, in, referenceAutoencoder) {
			assert.NotEqual(t, all[path], values, "%s %s", name, path)
		}
	}
	seen := map[float32]string{}
	for path, values := range all {
		if first, twice := seen[values[0]/values[len(values)-1]]; twice && len(values) > 1 {
			t.Errorf("%s and %s begin and end alike", first, path)
		}
		seen[values[0]/values[len(values)-1]] = path
	}
}

func TestUniformMisuse(t *testing.T) {
	build := func(store *model.Store, f func(scope *model.Scope)) error {
		exec, err := model.NewExec(testBackend(t), store, func(scope *model.Scope, x *graph.Node) *graph.Node {
			f(scope)
			return x
		})
		require.NoError(t, err)
		_, err = exec.Call(float32(1))
		return err
	}
	err := build(nn.NewStore(1, "a"), func(scope *model.Scope) {
		nn.Uniform(scope, "w", 1, 2, 3)
		nn.Uniform(scope, "w", 1, 3, 2)
	})
	require.ErrorIs(t, err, core.ErrShape)
	err = build(model.NewStore(), func(scope *model.Scope) { nn.Uniform(scope, "w", 1, 2) })
	require.ErrorIs(t, err, core.ErrUnavailable)
}

func TestUpsample(t *testing.T) {
	outputs, err := graph.CallOnceN(testBackend(t), func(x *graph.Node) []*graph.Node {
		y := nn.Upsample(x)
		weights := graph.Iota(y.Graph(), y.Shape(), 1)
		return []*graph.Node{y, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, weights)), x)[0]}
	}, tensors.FromFlatDataAndDimensions([]float32{1, 10, 2, 20, 3, 30, 4, 40}, 1, 2, 2, 2))
	require.NoError(t, err)
	assert.Equal(t, [][][][]float32{{
		{{1, 10}, {1, 10}, {2, 20}, {2, 20}},
		{{1, 10}, {1, 10}, {2, 20}, {2, 20}},
		{{3, 30}, {3, 30}, {4, 40}, {4, 40}},
		{{3, 30}, {3, 30}, {4, 40}, {4, 40}},
	}}, outputs[0].Value())
	assert.Equal(t, [][][][]float32{{{{2, 2}, {2, 2}}, {{10, 10}, {10, 10}}}}, outputs[1].Value(),
		"the gradient of a pixel is the sum over its square")
}

func TestNormaliseRowsOfZeros(t *testing.T) {
	rows := [][]float32{{3, -4}, {0, 0}, {1e-13, 0}}
	outputs, err := graph.CallOnceN(testBackend(t), func(x *graph.Node) []*graph.Node {
		z := nn.Normalise(x)
		return []*graph.Node{z, graph.Gradient(graph.ReduceAllSum(z), x)[0]}
	}, rows)
	require.NoError(t, err)
	z, slope := outputs[0].Value().([][]float32), outputs[1].Value().([][]float32)
	assert.InDeltaSlice(t, []float32{0.6, -0.8}, z[0], 1e-6)
	assert.Equal(t, []float32{0, 0}, z[1])
	assert.InDelta(t, 0.1, z[2][0], 1e-6, "divided by 1e-12, not by its length")
	for i, row := range slope {
		for _, v := range row {
			assert.False(t, math.IsNaN(float64(v)) || math.IsInf(float64(v), 0), "row %d: %v", i, row)
		}
	}
	// ∂Σz/∂e = (1 − z Σz)/‖e‖ at rows of some length.
	assert.InDeltaSlice(t, []float32{(1 + 0.2*0.6) / 5, (1 - 0.2*0.8) / 5}, slope[0], 1e-6)
}

func TestCheckShape(t *testing.T) {
	reference := nn.ReferenceCNN()
	for _, shape := range [][]int{{28, 28}, {4, 8}, {8, 4, 3}, {28, 30}, {27, 30}, {5, 7, 2}} {
		require.NoError(t, reference.CheckShape(shape), shape)
	}
	for _, shape := range [][]int{{784}, {3, 28}, {1, 28, 28}, {28, 28, 0}, {2, 2}, {1, 2, 3, 4}, nil} {
		require.ErrorIs(t, reference.CheckShape(shape), core.ErrShape, shape)
	}
	assert.ErrorContains(t, reference.CheckShape([]int{28, 3, 1}), "images of 28×3 pixels")
}

// run returns what a network, with the parameters of the stream of that name, makes of x.
func run(t *testing.T, name string, network func(scope *model.Scope, x *graph.Node) *graph.Node, x *tensors.Tensor,
) (values []float32, shape []int) {
	t.Helper()
	exec, err := model.NewExec(testBackend(t), nn.NewStore(1, name), network)
	require.NoError(t, err)
	outputs, err := exec.Call(x)
	require.NoError(t, err)
	return tensors.MustCopyFlatData[float32](outputs[0]), outputs[0].Shape().Dimensions
}

func encodeSmall(scope *model.Scope, x *graph.Node) *graph.Node {
	return small.Encode(scope.At("encoder"), x, 2)
}

// TestOddImages: an image with sides that cannot be halved has the features of one with zeros below
// and on the right, and is decoded to its own shape.
func TestOddImages(t *testing.T) {
	x, padded := make([]float32, 5*7), make([]float32, 8*8)
	for i := range x {
		x[i] = float32(i%11) / 11
		padded[i/7*8+i%7] = x[i]
	}
	got, _ := run(t, "odd", encodeSmall, tensors.FromFlatDataAndDimensions(x, 1, 5, 7))
	want, _ := run(t, "odd", encodeSmall, tensors.FromFlatDataAndDimensions(padded, 1, 8, 8))
	assert.InDeltaSlice(t, want, got, 1e-6)

	decode := func(shape ...int) func(scope *model.Scope, z *graph.Node) *graph.Node {
		return func(scope *model.Scope, z *graph.Node) *graph.Node {
			return small.Decode(scope.At("decoder"), z, shape...)
		}
	}
	z := tensors.FromFlatDataAndDimensions([]float32{1, -2}, 1, 2)
	cut, shape := run(t, "odd", decode(5, 7), z)
	assert.Equal(t, []int{1, 5, 7}, shape)
	whole, _ := run(t, "odd", decode(8, 8), z)
	for i := range cut {
		assert.InDelta(t, whole[i/7*8+i%7], cut[i], 1e-6)
	}
}

// TestImagesWithChannels: channels are the last axis, as layers have them.
func TestImagesWithChannels(t *testing.T) {
	const h, w, c = 4, 8, 3
	_, shape := run(t, "channels", func(scope *model.Scope, x *graph.Node) *graph.Node {
		return small.Decode(scope.At("decoder"), encodeSmall(scope, x), h, w, c)
	}, tensors.FromScalarAndDimensions(float32(0.5), 5, h, w, c))
	assert.Equal(t, []int{5, h, w, c}, shape)
}
