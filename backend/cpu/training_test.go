package cpu_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
	"github.com/stretchr/testify/require"
)

type node = graph.Node

// uniform returns n values from −bound to bound.
func uniform(r *rand.Rand, n int, bound float32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = (r.Float32()*2 - 1) * bound
	}
	return out
}

// network makes layers with weights of a seed.
type network struct {
	scope *model.Scope
	rand  *rand.Rand
}

func (n network) weights(g *graph.Graph, name string, fanIn int, dims ...int) *node {
	size := 1
	for _, d := range dims {
		size *= d
	}
	bound := float32(1 / math.Sqrt(float64(fanIn)))
	if v := n.scope.GetVariable(name); v != nil {
		return v.NodeValue(g)
	}
	return n.scope.VariableWithValue(name, tensors.FromFlatDataAndDimensions(uniform(n.rand, size, bound),
		dims...)).NodeValue(g)
}

func (n network) conv(x *node, name string, in, out int) *node {
	g := x.Graph()
	x = graph.Convolve(x, n.weights(g, "w"+name, 25*in, 5, 5, in, out)).PadSame().Done()
	return graph.Add(x, graph.Reshape(n.weights(g, "b"+name, 25*in, out), 1, 1, 1, out))
}

func relu(x *node) *node { return graph.Max(x, graph.ScalarZero(x.Graph(), x.DType())) }

func (n network) dense(x *node, name string, in, out int) *node {
	g := x.Graph()
	x = graph.Dot(x, n.weights(g, "w"+name, in, in, out)).Product()
	return graph.Add(x, graph.Reshape(n.weights(g, "b"+name, in, out), 1, out))
}

// encode is the encoder of Ordered MNIST: [n,28,28,1] to [n,5].
func (n network) encode(x *node) *node {
	x = graph.MaxPool(relu(n.conv(x, "1", 1, 16))).Window(2).Done()
	x = graph.MaxPool(relu(n.conv(x, "2", 16, 32))).Window(2).Done()
	return n.dense(graph.Reshape(x, x.Shape().Dimensions[0], -1), "o", 1568, 5)
}

// upsample doubles height and width by nearest neighbour.
func upsample(x *node) *node {
	d := x.Shape().Dimensions
	x = graph.Reshape(x, d[0], d[1], 1, d[2], 1, d[3])
	x = graph.BroadcastToDims(x, d[0], d[1], 2, d[2], 2, d[3])
	return graph.Reshape(x, d[0], 2*d[1], 2*d[2], d[3])
}

// decode is its mirror image: [n,5] to [n,28,28,1].
func (n network) decode(z *node) *node {
	x := relu(n.dense(z, "d", 5, 1568))
	x = graph.Reshape(x, -1, 7, 7, 32)
	x = relu(n.conv(upsample(x), "3", 32, 16))
	return n.conv(upsample(x), "4", 16, 1)
}

// trainer runs training steps of a model on a backend.
type trainer struct {
	exec  *model.Exec
	store *model.Store
}

func newTrainer(tb testing.TB, backend compute.Backend, autoencoder bool) *trainer {
	tb.Helper()
	store := model.NewStore()
	opt := optimizer.Adam().LearningRate(1e-3).Epsilon(1e-8).WeightDecay(0.01).Done()
	random := rand.New(rand.NewPCG(1, 2))
	exec, err := model.NewExec(backend, store, func(s *model.Scope, x, y *node) *node {
		g := x.Graph()
		s.Store().SetTraining(g, true)
		n := network{s.At("net"), random}
		both := graph.Concatenate([]*node{x, y}, 0)
		z := n.encode(both)
		loss := graph.ReduceAllMean(graph.Square(graph.Sub(z, graph.Const(g, float32(0.5)))))
		if autoencoder {
			loss = graph.Add(loss, graph.ReduceAllMean(graph.Square(graph.Sub(n.decode(z), both))))
		}
		opt.UpdateGraph(s, g, loss)
		return loss
	})
	require.NoError(tb, err)
	return &trainer{exec, store}
}

func (t *trainer) step(tb testing.TB, x, y *tensors.Tensor) float32 {
	tb.Helper()
	out, err := t.exec.Exec(x, y)
	require.NoError(tb, err)
	loss := tensors.ToScalar[float32](out[0])
	for _, o := range out {
		require.NoError(tb, o.FinalizeAll())
	}
	return loss
}

// variables returns the values of all trainable variables by name.
func (t *trainer) variables(tb testing.TB) map[string][]float32 {
	tb.Helper()
	out := map[string][]float32{}
	for v := range t.store.IterVariables() {
		if !v.Trainable {
			continue
		}
		value, err := v.Value()
		require.NoError(tb, err)
		out[v.Path()] = tensors.MustCopyFlatData[float32](value)
	}
	return out
}

func images(seed uint64, n int) *tensors.Tensor {
	r := rand.New(rand.NewPCG(seed, 3))
	return tensors.FromFlatDataAndDimensions(uniform(r, n*784, 1), n, 28, 28, 1)
}

// skipGoMatMulUnderRace skips a test that multiplies matrices on GoMLX's Go
// backend.
func skipGoMatMulUnderRace(t *testing.T) {
	if raceEnabled {
		t.Skip("the Go backend's matrix product (compute v0.1.6) fails the pointer checks that come with -race")
	}
}
