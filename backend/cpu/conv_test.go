package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	timage "github.com/gomlx/gomlx/core/tensors/images"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// convCase is a convolution followed by what a network may put there.
type convCase struct {
	n, h, w, in, kh, kw, out int
	pads                     [][2]int // nil: same
	stride, dilation, groups int
	first                    bool // channels first
	bias, relu, pool, up     bool
	reluFirst                bool // Max(0, x) instead of Max(x, 0)
	seen                     int  // bits: which values inside are outputs, and in the loss, as well
}

// build returns the result, and the values before bias, ReLU and pool.
func (c convCase) build(x, w, b *graph.Node) (y *graph.Node, inside []*graph.Node) {
	layout := timage.ChannelsLast
	if c.first {
		layout = timage.ChannelsFirst
	}
	if c.up {
		x = upsample(x)
	}
	conv := graph.Convolve(x, w).ChannelsAxis(layout)
	if c.pads == nil {
		conv.PadSame()
	} else {
		conv.PaddingPerDim(c.pads)
	}
	if c.stride > 1 {
		conv.Strides(c.stride)
	}
	if c.dilation > 1 {
		conv.Dilations(c.dilation)
	}
	if c.groups > 1 {
		conv.ChannelGroupCount(c.groups)
	}
	y = conv.Done()
	inside = append(inside, y)
	if c.bias {
		dims := []int{1, 1, 1, c.out}
		if c.first {
			dims = []int{1, c.out, 1, 1}
		}
		y = graph.Add(y, graph.Reshape(b, dims...))
	}
	inside = append(inside, y)
	if c.relu {
		zero := graph.ScalarZero(y.Graph(), y.DType())
		if c.reluFirst {
			y = graph.Max(zero, y)
		} else {
			y = graph.Max(y, zero)
		}
	}
	inside = append(inside, y)
	if c.pool {
		y = graph.MaxPool(y).ChannelsAxis(layout).Window(2).Done()
	}
	return y, inside
}

// run returns the result and the gradients of x, weights and bias.
func (c convCase) run(backend compute.Backend, gradients bool, seed uint64) ([]*tensors.Tensor, error) {
	r := rand.New(rand.NewPCG(seed, 11))
	x := []int{c.n, c.h, c.w, c.in}
	w := []int{c.kh, c.kw, c.in / max(c.groups, 1), c.out}
	if c.first {
		x = []int{c.n, c.in, c.h, c.w}
		w = []int{c.out, c.in / max(c.groups, 1), c.kh, c.kw}
	}
	tensor := func(dims ...int) *tensors.Tensor {
		size := 1
		for _, d := range dims {
			size *= d
		}
		return tensors.FromFlatDataAndDimensions(uniform(r, size, 1), dims...)
	}
	exec, err := graph.NewExec(backend, func(x, w, b *graph.Node) []*graph.Node {
		y, inside := c.build(x, w, b)
		out := []*graph.Node{y}
		if gradients {
			// Weights that vary, so that errors of place show.
			weight := graph.Sin(graph.Iota(y.Graph(), y.Shape(), y.Rank()-1))
			loss := graph.ReduceAllSum(graph.Mul(graph.Mul(y, y), graph.AddScalar(weight, 0.3)))
			for k, v := range inside {
				if c.seen>>k&1 != 0 {
					out = append(out, v)
					loss = graph.Add(loss, graph.ReduceAllSum(graph.Mul(v, graph.Sin(v))))
				}
			}
			out = append(out, graph.Gradient(loss, x, w, b)...)
		}
		return out
	})
	if err != nil {
		return nil, err
	}
	return exec.Call(tensor(x...), tensor(w...), tensor(c.out))
}

// compare holds a case against the Go backend. It reports whether there was
// anything to compare: GoMLX has no gradient for some.
func (c convCase) compare(t *testing.T, reference, backend compute.Backend, gradients bool) bool {
	t.Helper()
	want, wantErr := c.run(reference, gradients, 5)
	got, err := c.run(backend, gradients, 5)
	if wantErr != nil {
		require.Error(t, err, "%+v", c)
		return false
	}
	require.NoError(t, err, "%+v", c)
	for i := range want {
		require.Equal(t, want[i].Shape(), got[i].Shape())
		w, g := tensors.MustCopyFlatData[float32](want[i]), tensors.MustCopyFlatData[float32](got[i])
		assert.NoError(t, closeTo(w, g), "output %d of %+v", i, c)
	}
	return true
}

func TestConvolutionsAndGradients(t *testing.T) {
	cases := []convCase{
		{n: 2, h: 6, w: 8, in: 3, kh: 3, kw: 3, out: 4},
		{n: 2, h: 6, w: 8, in: 3, kh: 3, kw: 3, out: 4, bias: true},
		{n: 2, h: 6, w: 8, in: 3, kh: 3, kw: 3, out: 4, bias: true, relu: true},
		{n: 3, h: 6, w: 8, in: 3, kh: 3, kw: 3, out: 4, bias: true, relu: true, pool: true},
		{n: 3, h: 6, w: 8, in: 3, kh: 3, kw: 3, out: 4, relu: true, pool: true, reluFirst: true},
		{n: 3, h: 7, w: 9, in: 3, kh: 3, kw: 3, out: 4, bias: true, relu: true, pool: true},
		{n: 3, h: 6, w: 6, in: 2, kh: 3, kw: 3, out: 4, pool: true},
		{n: 9, h: 14, w: 14, in: 16, kh: 5, kw: 5, out: 32, bias: true, relu: true, pool: true},
		{n: 2, h: 5, w: 5, in: 1, kh: 5, kw: 5, out: 1, pads: [][2]int{{0, 0}, {0, 0}}},
		{n: 2, h: 5, w: 4, in: 2, kh: 1, kw: 1, out: 3},
		{n: 2, h: 5, w: 7, in: 2, kh: 3, kw: 5, out: 3, pads: [][2]int{{1, 0}, {2, 1}}},
		{n: 2, h: 6, w: 6, in: 2, kh: 3, kw: 3, out: 4, stride: 2, bias: true, relu: true},
		{n: 2, h: 7, w: 7, in: 2, kh: 3, kw: 3, out: 4, dilation: 2, bias: true},
		{n: 2, h: 6, w: 6, in: 4, kh: 3, kw: 3, out: 4, groups: 2, bias: true, relu: true},
		{n: 2, h: 6, w: 8, in: 3, kh: 3, kw: 3, out: 4, first: true},
		{n: 2, h: 6, w: 8, in: 3, kh: 3, kw: 3, out: 4, first: true, bias: true, relu: true, pool: true},
		{n: 2, h: 3, w: 4, in: 3, kh: 5, kw: 5, out: 4, up: true, bias: true, relu: true},
		{n: 2, h: 3, w: 4, in: 3, kh: 5, kw: 5, out: 1, up: true, bias: true},
		{n: 2, h: 3, w: 4, in: 3, kh: 3, kw: 3, out: 4, up: true, bias: true, relu: true, pool: true},
		{n: 2, h: 3, w: 4, in: 3, kh: 4, kw: 2, out: 5, up: true},
	}
	reference, err := gobackend.New("ops_sequential")
	require.NoError(t, err)
	for _, set := range kernel.Sets() {
		b := newBackend(t, "threads=2,kernels="+set.String())
		for i, c := range cases {
			t.Run(fmt.Sprintf("%s/%d", set, i), func(t *testing.T) {
				require.True(t, c.compare(t, reference, b, false))
				require.True(t, c.compare(t, reference, b, true))
			})
		}
	}
}

func TestRaggedConvolutions(t *testing.T) {
	reference, err := gobackend.New("ops_sequential")
	require.NoError(t, err)
	count := 60
	if testing.Short() {
		count = 15
	}
	for _, set := range kernel.Sets() {
		t.Run(set.String(), func(t *testing.T) {
			b := newBackend(t, "threads=2,kernels="+set.String())
			r := rand.New(rand.NewPCG(3, 4))
			flip := func() bool { return r.IntN(2) == 0 }
			compared := 0
			for range count {
				c := convCase{
					n: 1 + r.IntN(10), h: 2 + r.IntN(9), w: 2 + r.IntN(9), in: 1 + r.IntN(5), kh: 1 + r.IntN(5), kw: 1 + r.IntN(5),
					out: 1 + r.IntN(20), seen: r.IntN(16) & r.IntN(8), first: flip(), bias: flip(), relu: flip(), pool: flip(),
					reluFirst: r.IntN(4) == 0,
				}
				switch r.IntN(5) {
				case 0:
					c.stride = 2
				case 1:
					c.dilation = 2
				case 2:
					c.groups = 2
					c.in, c.out = 2*c.in, 2*c.out
				case 3:
					c.up = !c.first
				}
				if flip() {
					c.pads = [][2]int{{r.IntN(c.kh), r.IntN(c.kh)}, {r.IntN(c.kw), r.IntN(c.kw)}}
				}
				if c.compare(t, reference, b, flip()) {
					compared++
				}
			}
			require.Greater(t, compared, count*3/4)
		})
	}
}

// TestConvolutionsRunHere checks that no part of these needs the Go backend,
// forward or backward.
func TestConvolutionsRunHere(t *testing.T) {
	b := newBackend(t, "threads=1")
	for name, c := range map[string]convCase{
		"plain":          {n: 2, h: 6, w: 8, in: 3, kh: 3, kw: 3, out: 4, bias: true, relu: true, pool: true},
		"strided":        {n: 2, h: 6, w: 8, in: 3, kh: 3, kw: 3, out: 4, stride: 2, bias: true},
		"dilated":        {n: 2, h: 8, w: 8, in: 3, kh: 3, kw: 3, out: 4, dilation: 2, bias: true, relu: true},
		"grouped":        {n: 2, h: 6, w: 8, in: 4, kh: 3, kw: 3, out: 4, groups: 2, relu: true},
		"channels first": {n: 2, h: 6, w: 8, in: 3, kh: 3, kw: 3, out: 4, first: true, bias: true, relu: true, pool: true},
		"enlarged":       {n: 2, h: 3, w: 4, in: 3, kh: 5, kw: 5, out: 2, up: true, bias: true, relu: true},
	} {
		t.Run(name, func(t *testing.T) {
			b.EnableProfile(true)
			_, err := c.run(b, true, 1)
			require.NoError(t, err)
			require.NotEmpty(t, b.Profile())
			joined := false
			for _, e := range b.Profile() {
				assert.NotEqual(t, "go", e.Where, e.Operation)
				joined = joined || strings.Contains(e.Operation, "relu pool")
			}
			assert.Equal(t, c.relu && c.pool, joined)
		})
	}
}

// TestSequences convolves along one axis.
func TestSequences(t *testing.T) {
	reference, err := gobackend.New("ops_sequential")
	require.NoError(t, err)
	b := newBackend(t, "threads=2")
	for stride := 1; stride <= 3; stride++ {
		run := func(backend compute.Backend) []*tensors.Tensor {
			r := rand.New(rand.NewPCG(1, 1))
			exec, err := graph.NewExec(backend, func(x, w *graph.Node) []*graph.Node {
				y := graph.Convolve(x, w).PadSame().Strides(stride).Done()
				return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, y)), x, w)...)
			})
			require.NoError(t, err)
			out, err := exec.Call(tensors.FromFlatDataAndDimensions(uniform(r, 3*12*5, 1), 3, 12, 5),
				tensors.FromFlatDataAndDimensions(uniform(r, 3*5*7, 1), 3, 5, 7))
			require.NoError(t, err)
			return out
		}
		want, got := run(reference), run(b)
		for i := range want {
			assert.NoError(t, closeTo(tensors.MustCopyFlatData[float32](want[i]), tensors.MustCopyFlatData[float32](got[i])),
				"stride %d, output %d", stride, i)
		}
	}
}
