package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// kindOf says what matters of a value when non-finite values spread.
func kindOf(v float32) string {
	switch {
	case v != v:
		return "NaN"
	case math.IsInf(float64(v), 1):
		return "+Inf"
	case math.IsInf(float64(v), -1):
		return "-Inf"
	}
	return "finite"
}

// samePattern compares the kinds of values.
func samePattern(want, got *tensors.Tensor, agree func(want, got string) bool) error {
	w, g := tensors.MustCopyFlatData[float32](want), tensors.MustCopyFlatData[float32](got)
	differ := 0
	var first error
	for i := range w {
		if a, b := kindOf(w[i]), kindOf(g[i]); !agree(a, b) {
			if differ++; first == nil {
				first = fmt.Errorf("element %d is %s, the Go backend's %s", i, b, a)
			}
		}
	}
	if first != nil {
		return fmt.Errorf("%w (%d of %d differ)", first, differ, len(w))
	}
	return nil
}

// planted is a function of tensors, of which one gets a value that is not finite.
type planted struct {
	name   string
	inputs [][]int // shapes
	build  func(in []*graph.Node) []*graph.Node
}

func (p planted) run(backend compute.Backend, operand int, at []int, v float32) ([]*tensors.Tensor, error) {
	exec, err := graph.NewExec(backend, func(in []*graph.Node) []*graph.Node { return p.build(in) })
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(8, 8))
	var inputs []any
	for i, dims := range p.inputs {
		size := 1
		for _, d := range dims {
			size *= d
		}
		values := uniform(r, size, 1)
		if i == operand {
			for _, k := range at {
				values[k%size] = v
			}
		}
		inputs = append(inputs, tensors.FromFlatDataAndDimensions(values, dims...))
	}
	return exec.Call(inputs...)
}

// plantedConv is a convolution with an incoming gradient: x, w, bias, g to the result and the
// gradients of x, w and bias.
func plantedConv(name string, c convCase) planted {
	h, w := c.h, c.w
	if c.up {
		h, w = 2*h, 2*w
	}
	if c.pads != nil {
		h, w = h+c.pads[0][0]+c.pads[0][1]-c.kh+1, w+c.pads[1][0]+c.pads[1][1]-c.kw+1
	}
	if c.pool {
		h, w = h/2, w/2
	}
	return planted{name, [][]int{{c.n, c.h, c.w, c.in}, {c.kh, c.kw, c.in, c.out}, {c.out}, {c.n, h, w, c.out}},
		func(in []*graph.Node) []*graph.Node {
			y, inside := c.build(in[0], in[1], in[2])
			loss := graph.ReduceAllSum(graph.Mul(y, in[3]))
			out := []*graph.Node{y}
			for k, v := range inside {
				if c.seen>>k&1 != 0 {
					out = append(out, v)
				}
			}
			return append(out, graph.Gradient(loss, in[0], in[1], in[2])...)
		}}
}

// TestNonFinitePatterns puts NaN and infinities into each operand of
// convolutions, pools, matrix products and ReLU, forward and backward, and
// expects them to spread as on the Go backend.
func TestNonFinitePatterns(t *testing.T) {
	skipGoMatMulUnderRace(t)
	cases := []planted{
		plantedConv("conv", convCase{n: 2, h: 6, w: 7, in: 3, kh: 3, kw: 3, out: 20, bias: true}),
		plantedConv("conv of one channel", convCase{n: 2, h: 6, w: 7, in: 1, kh: 5, kw: 5, out: 4, bias: true}),
		plantedConv("conv to one channel", convCase{n: 2, h: 7, w: 6, in: 16, kh: 5, kw: 5, out: 1, bias: true}),
		plantedConv("conv to few channels", convCase{n: 9, h: 5, w: 6, in: 16, kh: 3, kw: 3, out: 4, bias: true}),
		plantedConv("conv with uneven borders", convCase{n: 2, h: 7, w: 6, in: 2, kh: 4, kw: 5, out: 5,
			pads: [][2]int{{1, 2}, {2, 1}}, bias: true}),
		{"conv beyond the image", [][]int{{2, 3, 4, 2}, {2, 3, 2, 5}, {5}}, func(in []*graph.Node) []*graph.Node {
			y, _ := convCase{pads: [][2]int{{3, 1}, {4, 4}}, bias: true, relu: true, out: 5}.build(in[0], in[1], in[2])
			return []*graph.Node{y}
		}},
		plantedConv("conv without borders", convCase{n: 2, h: 7, w: 6, in: 2, kh: 3, kw: 3, out: 5, pads: make([][2]int, 2),
			bias: true}),
		plantedConv("conv without borders to one channel", convCase{n: 2, h: 7, w: 6, in: 2, kh: 3, kw: 3, out: 1,
			pads: make([][2]int, 2), bias: true}),
		plantedConv("conv without borders to two channels", convCase{n: 9, h: 6, w: 6, in: 16, kh: 5, kw: 5, out: 2,
			pads: make([][2]int, 2), bias: true}),
		plantedConv("conv of an enlarged image, 3×3", convCase{n: 2, h: 3, w: 4, in: 2, kh: 3, kw: 3, out: 3, up: true,
			bias: true}),
		plantedConv("conv, relu", convCase{n: 2, h: 6, w: 6, in: 16, kh: 5, kw: 5, out: 3, bias: true, relu: true}),
		plantedConv("conv, relu, pool", convCase{n: 2, h: 6, w: 6, in: 16, kh: 5, kw: 5, out: 3, bias: true,
			relu: true, pool: true}),
		plantedConv("conv, relu with zero first, pool", convCase{n: 2, h: 6, w: 6, in: 16, kh: 3, kw: 3, out: 17, bias: true,
			relu: true, reluFirst: true, pool: true}),
		plantedConv("conv of one channel, relu, pool", convCase{n: 2, h: 6, w: 6, in: 1, kh: 5, kw: 5, out: 16, bias: true,
			relu: true, pool: true}),
		plantedConv("conv, relu, pool, seen in between", convCase{n: 2, h: 6, w: 6, in: 16, kh: 3, kw: 3, out: 3, bias: true,
			relu: true, pool: true, seen: 5}),
		plantedConv("conv of channels, relu, pool", convCase{n: 2, h: 6, w: 6, in: 4, kh: 3, kw: 3, out: 3, bias: true,
			relu: true, pool: true}),
		{"strided conv", [][]int{{2, 7, 6, 2}, {3, 3, 2, 5}, {5}}, func(in []*graph.Node) []*graph.Node {
			y, _ := convCase{stride: 2, bias: true, out: 5}.build(in[0], in[1], in[2])
			return []*graph.Node{y}
		}},
		plantedConv("conv, pool", convCase{n: 2, h: 6, w: 6, in: 2, kh: 3, kw: 3, out: 3, pool: true, bias: true}),
		{"max-pool", [][]int{{2, 6, 6, 3}, {2, 3, 3, 3}}, func(in []*graph.Node) []*graph.Node {
			y := graph.MaxPool(in[0]).Window(2).Done()
			return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, in[1])), in[0])...)
		}},
		{"max-pool 3×3", [][]int{{2, 7, 7, 3}, {2, 3, 3, 3}}, func(in []*graph.Node) []*graph.Node {
			y := graph.MaxPool(in[0]).Window(3).Strides(2).Done()
			return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, in[1])), in[0])...)
		}},
		{"mean-pool", [][]int{{2, 7, 7, 3}}, func(in []*graph.Node) []*graph.Node {
			return []*graph.Node{graph.MeanPool(in[0]).Window(3).Strides(2).PadSame().Done()}
		}},
		{"matrix product", [][]int{{20, 30}, {30, 40}, {20, 40}}, func(in []*graph.Node) []*graph.Node {
			y := graph.Dot(in[0], in[1]).Product()
			return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, in[2])), in[0], in[1])...)
		}},
		{"matrix product with few columns", [][]int{{20, 300}, {300, 5}, {20, 5}}, func(in []*graph.Node) []*graph.Node {
			y := graph.Dot(in[0], in[1]).Product()
			return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, in[2])), in[0], in[1])...)
		}},
		{"relu", [][]int{{4, 9}, {4, 9}}, func(in []*graph.Node) []*graph.Node {
			y := relu(in[0])
			return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, in[1])), in[0])...)
		}},
		{"relu with zero first", [][]int{{4, 9}, {4, 9}}, func(in []*graph.Node) []*graph.Node {
			y := graph.Max(graph.ScalarZero(in[0].Graph(), in[0].DType()), in[0])
			return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, in[1])), in[0])...)
		}},
		{"extremes and sums", [][]int{{5, 70}, {5, 70}}, func(in []*graph.Node) []*graph.Node {
			a, b := in[0], in[1]
			return []*graph.Node{graph.Max(a, b), graph.Min(a, b), graph.ReduceMax(a, -1), graph.ReduceMin(a, 0),
				graph.ReduceSum(a, -1), graph.ReduceSum(a, 0), graph.ReduceAllSum(a)}
		}},
	}
	eachPlanted(t, cases, func(want, got string) bool { return want == got })
}

// eachPlanted compares the kinds of all values with those of the Go backend.
func eachPlanted(t *testing.T, cases []planted, agree func(want, got string) bool) {
	reference, err := gobackend.New("ops_sequential")
	require.NoError(t, err)
	backends := map[string]compute.Backend{}
	for _, set := range kernel.Sets() {
		backends[set.String()] = newBackend(t, "threads=2,kernels="+set.String())
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range cases {
		for operand := range c.inputs {
			for _, v := range []float32{nan, inf, -inf} {
				for _, at := range [][]int{{0}, {1 << 20}, {40, 41, 97}} {
					want, err := c.run(reference, operand, at, v)
					require.NoError(t, err, c.name)
					for set, b := range backends {
						got, err := c.run(b, operand, at, v)
						require.NoError(t, err, c.name)
						for i := range want {
							assert.NoError(t, samePattern(want[i], got[i], agree), "%s: %s, %g in operand %d at %v, output %d", set, c.name,
								v, operand, at, i)
						}
					}
				}
			}
		}
	}
}

// TestNonFiniteDifferences holds what the package's documentation says of
// dilated and folded convolutions.
func TestNonFiniteDifferences(t *testing.T) {
	skipGoMatMulUnderRace(t)
	dilated := convCase{dilation: 2, bias: true, out: 3}
	strided := convCase{stride: 2, out: 3}
	eachPlanted(t, []planted{
		{"dilated conv", [][]int{{2, 8, 8, 2}, {3, 3, 2, 3}, {3}}, func(in []*graph.Node) []*graph.Node {
			y, _ := dilated.build(in[0], in[1], in[2])
			return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(y), in[0], in[1])...)
		}},
		{"strided conv", [][]int{{2, 7, 6, 2}, {3, 3, 2, 3}, {2, 4, 3, 3}}, func(in []*graph.Node) []*graph.Node {
			y, _ := strided.build(in[0], in[1], nil)
			return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, in[2])), in[0], in[1])...)
		}},
	}, func(want, got string) bool { return want == got || got == "NaN" })
	eachPlanted(t, []planted{
		plantedConv("conv of an enlarged image", convCase{n: 2, h: 3, w: 4, in: 3, kh: 5, kw: 5, out: 4,
			up: true, bias: true}),
	}, func(want, got string) bool { return (want == "finite") == (got == "finite") })
}
