package cpu_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// evaluate runs an operation of values of shapes [n] on a backend.
func evaluate(t *testing.T, b compute.Backend, inputs [][]float32, shape [][]int,
	record func(f compute.Function, in []compute.Value) (compute.Value, error),
) []float32 {
	t.Helper()
	builder := b.Builder("evaluate")
	f := builder.Main()
	var values []compute.Value
	var buffers []compute.Buffer
	for i, flat := range inputs {
		s := shapes.Make(dtypes.Float32, shape[i]...)
		v, err := f.Parameter(string(rune('a'+i)), s, nil)
		require.NoError(t, err)
		buffer, err := b.BufferFromFlatData(0, flat, s)
		require.NoError(t, err)
		values, buffers = append(values, v), append(buffers, buffer)
	}
	out, err := record(f, values)
	require.NoError(t, err)
	require.NoError(t, f.Return([]compute.Value{out}, nil))
	exec, err := builder.Compile()
	require.NoError(t, err)
	results, err := exec.Execute(buffers, nil, 0)
	require.NoError(t, err)
	s, err := results[0].Shape()
	require.NoError(t, err)
	flat := make([]float32, s.Size())
	require.NoError(t, results[0].ToFlatData(flat))
	return flat
}

// bitsOf returns the bits of values.
func bitsOf(values []float32) []uint32 {
	bits := make([]uint32, len(values))
	for i, v := range values {
		bits[i] = math.Float32bits(v)
	}
	return bits
}

func goBackend(t *testing.T) compute.Backend {
	t.Helper()
	b, err := gobackend.New("")
	require.NoError(t, err)
	t.Cleanup(b.Finalize)
	return b
}

// TestSignsOfZeros: of two zeros, 0 is the larger one, and a zero keeps its sign where 0 is taken from
// it, as on the Go backend.
func TestSignsOfZeros(t *testing.T) {
	const n = 37 // vectors and a rest
	negative := float32(math.Copysign(0, -1))
	x, y := make([]float32, n), make([]float32, n)
	for i := range n {
		x[i] = []float32{0, negative, negative, 0, 1, -1}[i%6]
		y[i] = []float32{negative, 0, negative, 0, negative}[i%5]
	}
	reference := goBackend(t)
	constant := func(f compute.Function, c float32) compute.Value {
		return must(f.BroadcastInDim(must(f.Constant([]float32{c})), shapes.Make(dtypes.Float32, n), nil))
	}
	for name, record := range map[string]func(f compute.Function, in []compute.Value) (compute.Value, error){
		"max": func(f compute.Function, in []compute.Value) (compute.Value, error) { return f.Max(in[0], in[1]) },
		"min": func(f compute.Function, in []compute.Value) (compute.Value, error) { return f.Min(in[0], in[1]) },
		"max(x, 0)": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.Max(in[0], constant(f, 0))
		},
		"max(0, x)": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.Max(constant(f, 0), in[0])
		},
		"x − y": func(f compute.Function, in []compute.Value) (compute.Value, error) { return f.Sub(in[0], in[1]) },
		"x − 0": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.Sub(in[0], constant(f, 0))
		},
		"x − −0": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.Sub(in[0], constant(f, negative))
		},
		"0 − x": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.Sub(constant(f, 0), in[0])
		},
		"reduce max": func(f compute.Function, in []compute.Value) (compute.Value, error) { return f.ReduceMax(in[1], 0) },
		"reduce min": func(f compute.Function, in []compute.Value) (compute.Value, error) { return f.ReduceMin(in[1], 0) },
	} {
		in, dims := [][]float32{x, y}, [][]int{{n}, {n}}
		want := evaluate(t, reference, in, dims, record)
		for _, set := range kernel.Sets() {
			got := evaluate(t, newBackend(t, "kernels="+set.String()), in, dims, record)
			assert.Equal(t, bitsOf(want), bitsOf(got), "%s, %s", name, set)
		}
	}
}

// TestPadThatLeavesNothing: it gives the fill value, which GoMLX's Go backend does not.
func TestPadThatLeavesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		axes []compute.PadAxis
		want []float32
	}{
		"one axis":   {[]compute.PadAxis{{Start: -1, End: 1}, {Start: 2, End: -2}}, []float32{7, 7}},
		"the last":   {[]compute.PadAxis{{}, {Start: -2, End: 3}}, []float32{7, 7, 7}},
		"the first":  {[]compute.PadAxis{{}, {Start: 3, End: -2}}, []float32{7, 7, 7}},
		"some":       {[]compute.PadAxis{{}, {Start: 1, End: -2}}, []float32{7}},
		"not all":    {[]compute.PadAxis{{}, {Start: 1, End: -1}}, []float32{7, 1}},
		"in between": {[]compute.PadAxis{{}, {Start: -1, End: -1, Interior: 1}}, []float32{7}},
	} {
		got := evaluate(t, newBackend(t, ""), [][]float32{{1, 2}}, [][]int{{1, 2}},
			func(f compute.Function, in []compute.Value) (compute.Value, error) {
				return f.Pad(in[0], must(f.Constant([]float32{7})), c.axes...)
			})
		assert.Equal(t, c.want, got, name)
	}
}

// TestBatchGroups: groups of the batch have their own output channels, as on the Go backend.
func TestBatchGroups(t *testing.T) {
	skipGoMatMulUnderRace(t)
	random := rand.New(rand.NewPCG(5, 6))
	for _, groups := range []int{2, 4} {
		const n, side, in, out, k = 8, 7, 3, 8, 3
		axes := compute.ConvolveAxesConfig{
			InputBatch: 0, InputChannels: 3, InputSpatial: []int{1, 2},
			KernelInputChannels: 2, KernelOutputChannels: 3, KernelSpatial: []int{0, 1},
			OutputBatch: 0, OutputChannels: 3, OutputSpatial: []int{1, 2},
		}
		record := func(f compute.Function, v []compute.Value) (compute.Value, error) {
			return f.ConvGeneral(v[0], v[1], axes, []int{1, 1}, nil, nil, nil, 1, groups)
		}
		values := [][]float32{uniform(random, n*side*side*in, 1), uniform(random, k*k*in*out, 1)}
		dims := [][]int{{n, side, side, in}, {k, k, in, out}}
		b := newBackend(t, "")
		got := evaluate(t, b, values, dims, record)
		assert.InDeltaSlice(t, evaluate(t, goBackend(t), values, dims, record), got, 1e-4, groups)
	}
}
