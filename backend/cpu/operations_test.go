package cpu_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu"
)

// measured is an operation of networks on values of float32 of given shapes.
type measured struct {
	dims [][]int
	op   operation
}

func convolution(spatial, channelGroups int, strides, dilations []int) operation {
	axes := compute.ConvolveAxesConfig{
		InputBatch: 0, InputChannels: spatial + 1, KernelInputChannels: spatial, KernelOutputChannels: spatial + 1,
		OutputBatch: 0, OutputChannels: spatial + 1,
	}
	for i := range spatial {
		axes.InputSpatial = append(axes.InputSpatial, i+1)
		axes.KernelSpatial = append(axes.KernelSpatial, i)
		axes.OutputSpatial = append(axes.OutputSpatial, i+1)
	}
	return func(f compute.Function, in []compute.Value) (compute.Value, error) {
		return f.ConvGeneral(in[0], in[1], axes, strides, nil, nil, dilations, channelGroups, 1)
	}
}

func pool(kind compute.ReduceOpType, side, stride int) operation {
	return func(f compute.Function, in []compute.Value) (compute.Value, error) {
		return f.ReduceWindow(in[0], kind, []int{1, side, side, 1}, []int{1, stride, stride, 1}, nil, nil, nil)
	}
}

func unaryOf(op func(compute.Function, compute.Value) (compute.Value, error)) operation {
	return func(f compute.Function, in []compute.Value) (compute.Value, error) { return op(f, in[0]) }
}

// measuredOperations are those of docs/operations.md.
func measuredOperations() map[string]measured {
	type (
		function = compute.Function
		value    = compute.Value
	)
	rows := [][]int{{512, 1024}}
	images := [][]int{{32, 32, 32, 16}}
	ones := []int{1, 1}
	return map[string]measured{
		"product 512²": {[][]int{{512, 512}, {512, 512}}, func(f function, in []value) (value, error) {
			return f.DotGeneral(in[0], []int{1}, nil, in[1], []int{0}, nil, compute.DotGeneralConfig{})
		}},
		"dense, GELU": {[][]int{{256, 512}, {512, 512}, {512}}, func(f function, in []value) (value, error) {
			return f.FusedDense(in[0], in[1], in[2], compute.DenseConfig{Activation: compute.ActivationGelu})
		}},
		"dense, SiLU": {[][]int{{256, 512}, {512, 512}, {512}}, func(f function, in []value) (value, error) {
			return f.FusedDense(in[0], in[1], in[2], compute.DenseConfig{Activation: compute.ActivationSilu})
		}},
		"exp":   {rows, unaryOf(compute.Function.Exp)},
		"tanh":  {rows, unaryOf(compute.Function.Tanh)},
		"erf":   {rows, unaryOf(compute.Function.Erf)},
		"sin":   {rows, unaryOf(compute.Function.Sin)},
		"round": {rows, unaryOf(compute.Function.Round)},
		"GELU": {rows, func(f function, in []value) (value, error) {
			return f.FusedGelu(in[0], true)
		}},
		"softmax": {rows, func(f function, in []value) (value, error) {
			return f.FusedSoftmax(in[0], 1)
		}},
		"layer norm": {[][]int{{512, 1024}, {1024}, {1024}}, func(f function, in []value) (value, error) {
			return f.FusedLayerNorm(in[0], []int{1}, 1e-5, in[1], in[2])
		}},
		"embedding": {[][]int{{10000, 256}, {4096, 1}}, func(f function, in []value) (value, error) {
			numbers := must(f.ConvertDType(must(f.Mul(in[1], must(f.Constant([]float32{5000})))), dtypes.Int32))
			return f.Gather(in[0], numbers, 1, []int{1}, []int{0}, []int{0}, []int{1, 256}, false)
		}},
		"sum of rows": {rows, func(f function, in []value) (value, error) {
			return f.ReduceSum(in[0], 1)
		}},
		"product of rows": {rows, func(f function, in []value) (value, error) {
			return f.ReduceProduct(in[0], 1)
		}},
		"transpose": {rows, func(f function, in []value) (value, error) {
			return f.Transpose(in[0], 1, 0)
		}},
		"convolution 3×3":             {[][]int{{32, 32, 32, 16}, {3, 3, 16, 32}}, convolution(2, 1, ones, nil)},
		"convolution 3×3, stride 2":   {[][]int{{32, 32, 32, 16}, {3, 3, 16, 32}}, convolution(2, 1, []int{2, 2}, nil)},
		"convolution 3×3, dilation 2": {[][]int{{32, 32, 32, 16}, {3, 3, 16, 32}}, convolution(2, 1, ones, []int{2, 2})},
		"convolution 3×3, depthwise":  {[][]int{{8, 32, 32, 32}, {3, 3, 1, 32}}, convolution(2, 32, ones, nil)},
		"convolution 3×3×3": {
			[][]int{{2, 16, 16, 16, 8}, {3, 3, 3, 8, 16}}, convolution(3, 1, []int{1, 1, 1}, nil),
		},
		"max-pool 2×2": {images, pool(compute.ReduceOpMax, 2, 2)},
		"max-pool 3×3": {images, pool(compute.ReduceOpMax, 3, 2)},
		"sum-pool 2×2": {images, pool(compute.ReduceOpSum, 2, 2)},
	}
}

// BenchmarkOperations measures operations of networks here and on GoMLX's Go backend, on one thread:
// docs/operations.md.
func BenchmarkOperations(b *testing.B) {
	own, err := cpu.New("threads=1")
	require.NoError(b, err)
	defer own.Finalize()
	reference, err := gobackend.New("")
	require.NoError(b, err)
	defer reference.Finalize()
	all := measuredOperations()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for backend, on := range map[string]compute.Backend{"cpu": own, "go": reference} {
			b.Run(name+"/"+backend, func(b *testing.B) { measure(b, on, all[name]) })
		}
	}
}

func measure(b *testing.B, backend compute.Backend, m measured) {
	random := rand.New(rand.NewPCG(1, 2))
	builder := backend.Builder("measured")
	f := builder.Main()
	var in []compute.Value
	var buffers []compute.Buffer
	for i, dims := range m.dims {
		shape := shapes.Make(dtypes.Float32, dims...)
		v, err := f.Parameter(string(rune('a'+i)), shape, nil)
		require.NoError(b, err)
		buffer, err := backend.BufferFromFlatData(0, uniform(random, shape.Size(), 2), shape)
		require.NoError(b, err)
		in, buffers = append(in, v), append(buffers, buffer)
	}
	out, err := m.op(f, in)
	require.NoError(b, err)
	require.NoError(b, f.Return([]compute.Value{out}, nil))
	exec, err := builder.Compile()
	require.NoError(b, err)
	for b.Loop() {
		results, err := exec.Execute(buffers, nil, 0)
		require.NoError(b, err)
		for _, r := range results {
			require.NoError(b, r.Finalize())
		}
	}
}
