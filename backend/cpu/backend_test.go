package cpu_test

import (
	"math"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/compute/support/backendtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

func TestBackendSuite(t *testing.T) {
	for _, set := range kernel.Sets() {
		t.Run(set.String(), func(t *testing.T) {
			b, err := cpu.New("kernels=" + set.String())
			require.NoError(t, err)
			defer b.Finalize()
			if !raceEnabled {
				backendtest.RunAll(t, b, nil)
				return
			}
			// RunAll less FusedOps: the Go backend's matrix product, on which some
			// of these run, fails the pointer checks that come with -race.
			backendtest.TestBinaryOps(t, b)
			backendtest.TestUnaryOps(t, b)
			backendtest.TestConvertDType(t, b)
			backendtest.TestBitcast(t, b)
			backendtest.TestExec(t, b)
			backendtest.TestFunctions(t, b)
			backendtest.TestConvGeneral(t, b, nil)
			backendtest.TestSpecialOps(t, b)
			backendtest.TestBarriers(t, b)
		})
	}
}

func TestConfiguration(t *testing.T) {
	for _, config := range []string{"", "threads=1", "threads=3,kernels=generic", " kernels=generic , threads=2 ",
		"graph=fallback"} {
		b, err := cpu.New(config)
		require.NoError(t, err, config)
		assert.Equal(t, "cpu", b.Name())
		assert.False(t, b.IsFinalized())
		b.Finalize()
		b.Finalize()
		assert.True(t, b.IsFinalized())
	}
	for config, word := range map[string]string{
		"threads=0": "1 to 1024", "threads=x": "threads", "threads": "threads", "kernels=sse": "generic",
		"graph=some": "fallback", "speed=9": "threads, kernels and graph",
	} {
		_, err := cpu.New(config)
		assert.ErrorContains(t, err, word, config)
	}
	t.Setenv(cpu.KernelsEnvVar, "sse9")
	_, err := cpu.New("")
	assert.ErrorContains(t, err, "KOOPBENCH_CPU=\"sse9\"")
	t.Setenv(cpu.KernelsEnvVar, "generic")
	assert.Equal(t, "generic", newBackend(t, "").Kernels())
}

func TestRegistered(t *testing.T) {
	b, err := compute.NewWithConfig("cpu:threads=2")
	require.NoError(t, err)
	defer b.Finalize()
	assert.Equal(t, 2, b.(*cpu.Backend).Threads())
}

// program compiles a graph of one parameter.
func program(tb testing.TB, b compute.Backend, shape shapes.Shape,
	build func(f compute.Function, x compute.Value) []compute.Value) compute.Executable {
	tb.Helper()
	builder := b.Builder("test")
	f := builder.Main()
	x, err := f.Parameter("x", shape, nil)
	require.NoError(tb, err)
	require.NoError(tb, f.Return(build(f, x), nil))
	exec, err := builder.Compile()
	require.NoError(tb, err)
	return exec
}

func must(v compute.Value, err error) compute.Value {
	if err != nil {
		panic(err)
	}
	return v
}

func TestWholeGraphFallback(t *testing.T) {
	b := newBackend(t, "graph=fallback")
	shape := shapes.Make(dtypes.Float32, 3)
	exec := program(t, b, shape, func(f compute.Function, x compute.Value) []compute.Value {
		return []compute.Value{must(f.Neg(x))}
	})
	in, err := b.BufferFromFlatData(0, []float32{1, 2, 3}, shape)
	require.NoError(t, err)
	b.EnableProfile(true)
	out, err := exec.Execute([]compute.Buffer{in}, nil, 0)
	require.NoError(t, err)
	flat, err := out[0].Data()
	require.NoError(t, err)
	assert.Equal(t, []float32{-1, -2, -3}, flat)
	require.Len(t, b.Profile(), 1)
	assert.Equal(t, "go", b.Profile()[0].Where)
	assert.Equal(t, `graph "test": graph=fallback`, b.Profile()[0].Operation)
}

func TestBadInputs(t *testing.T) {
	b, other := newBackend(t, ""), newBackend(t, "")
	shape := shapes.Make(dtypes.Float32, 3)
	exec := program(t, b, shape, func(f compute.Function, x compute.Value) []compute.Value {
		return []compute.Value{must(f.Neg(x))}
	})
	good, err := b.BufferFromFlatData(0, []float32{1, 2, 3}, shape)
	require.NoError(t, err)
	foreign, err := other.BufferFromFlatData(0, []float32{1, 2, 3}, shape)
	require.NoError(t, err)
	short, err := b.BufferFromFlatData(0, []float32{1, 2}, shapes.Make(dtypes.Float32, 2))
	require.NoError(t, err)
	for name, inputs := range map[string][]compute.Buffer{"none": nil, "nil": {nil}, "foreign": {foreign},
		"short": {short}, "two": {good, good}} {
		_, err := exec.Execute(inputs, nil, 0)
		assert.Error(t, err, name)
	}
	_, err = exec.Execute([]compute.Buffer{good}, []bool{true, false}, 0)
	assert.Error(t, err)
	_, err = exec.Execute([]compute.Buffer{good}, []bool{true}, 0)
	require.NoError(t, err)
	_, err = good.Data()
	assert.ErrorContains(t, err, "donated")
	assert.NoError(t, good.Finalize())
	_, err = exec.Execute([]compute.Buffer{good}, nil, 0)
	assert.ErrorContains(t, err, "donated")
	exec.Finalize()
	_, err = exec.Execute([]compute.Buffer{short}, nil, 0)
	assert.Error(t, err)
}

// TestOutputs covers outputs that need a copy: parameters, constants, one
// value twice, reshapes of one value.
func TestOutputs(t *testing.T) {
	b := newBackend(t, "")
	shape := shapes.Make(dtypes.Float32, 2, 2)
	exec := program(t, b, shape, func(f compute.Function, x compute.Value) []compute.Value {
		y := must(f.Neg(x))
		flat := must(f.Reshape(y, 4))
		sum := must(f.CumSum(flat, 0, compute.CumSumOptions{})) // on the Go backend
		return []compute.Value{x, x, y, y, flat, must(f.Constant([]float32{7}, 1)), must(f.Reshape(x, 4)), sum,
			must(f.Reshape(sum, 2, 2)), sum}
	})
	in, err := b.BufferFromFlatData(0, []float32{1, 2, 3, 4}, shape)
	require.NoError(t, err)
	for range 3 {
		out, err := exec.Execute([]compute.Buffer{in}, nil, 0)
		require.NoError(t, err)
		x, neg, sum := []float32{1, 2, 3, 4}, []float32{-1, -2, -3, -4}, []float32{-1, -3, -6, -10}
		seen := map[*float32]bool{}
		for i, want := range [][]float32{x, x, neg, neg, neg, {7}, x, sum, sum, sum} {
			flat, err := out[i].Data()
			require.NoError(t, err)
			got := flat.([]float32)
			assert.Equal(t, want, got, "output %d", i)
			assert.False(t, seen[&got[0]], "output %d shares memory", i)
			seen[&got[0]] = true
			require.NoError(t, out[i].Finalize())
		}
	}
}

// TestExecuteAllocatesHandlesOnly counts the allocations of a training step's
// graph in steady state: the list of outputs, and each output's handle.
func TestExecuteAllocatesHandlesOnly(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	b := newBackend(t, "threads=2")
	shape := shapes.Make(dtypes.Float32, 64, 100)
	exec := program(t, b, shape, func(f compute.Function, x compute.Value) []compute.Value {
		y := must(f.Mul(must(f.Tanh(x)), must(f.Constant([]float32{3}))))
		z := must(f.DotGeneral(y, []int{0}, nil, x, []int{0}, nil, compute.DotGeneralConfig{}))
		return []compute.Value{y, must(f.ReduceSum(z)), must(f.Transpose(z, 1, 0))}
	})
	in, err := b.BufferFromFlatData(0, make([]float32, 6400), shape)
	require.NoError(t, err)
	inputs := []compute.Buffer{in}
	run := func() {
		out, err := exec.Execute(inputs, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out {
			_ = o.Finalize()
		}
	}
	run()
	// A garbage collection may empty the pools of storage: allow for few.
	assert.LessOrEqual(t, testing.AllocsPerRun(200, run), 1+3.0)
}

// TestSubgraphsAllocateAConstant counts what a graph that runs in part on the
// Go backend allocates: that one allocates for each subgraph, and per operation.
func TestSubgraphsAllocateAConstant(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	allocations := func(rows int) float64 {
		b := newBackend(t, "threads=2")
		shape := shapes.Make(dtypes.Float32, rows, 100)
		exec := program(t, b, shape, func(f compute.Function, x compute.Value) []compute.Value {
			y := must(f.CumSum(must(f.Mul(x, x)), 0, compute.CumSumOptions{}))
			return []compute.Value{must(f.Neg(y))}
		})
		in, err := b.BufferFromFlatData(0, make([]float32, shape.Size()), shape)
		require.NoError(t, err)
		inputs := []compute.Buffer{in}
		run := func() {
			out, err := exec.Execute(inputs, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			_ = out[0].Finalize()
		}
		run()
		return testing.AllocsPerRun(200, run)
	}
	small, large := allocations(10), allocations(1000)
	t.Logf("%g allocations for 10 rows, %g for 1000", small, large)
	assert.InDelta(t, small, large, 3)
	assert.LessOrEqual(t, large, 20.0)
}

func TestConcurrentExecute(t *testing.T) {
	b := newBackend(t, "threads=3")
	shape := shapes.Make(dtypes.Float32, 50, 300)
	exec := program(t, b, shape, func(f compute.Function, x compute.Value) []compute.Value {
		y := must(f.Add(must(f.Mul(x, x)), must(f.Constant([]float32{1}))))
		s := must(f.CumSum(must(f.ReduceSum(y, 0)), 0, compute.CumSumOptions{})) // the Go backend between own work
		return []compute.Value{must(f.Neg(s)), must(f.ReduceMax(s))}
	})
	var wg sync.WaitGroup
	for k := range 6 {
		wg.Go(func() {
			values := make([]float32, shape.Size())
			for i := range values {
				values[i] = float32(k)
			}
			in, err := b.BufferFromFlatData(0, values, shape)
			if !assert.NoError(t, err) {
				return
			}
			for range 20 {
				out, err := exec.Execute([]compute.Buffer{in}, nil, 0)
				if !assert.NoError(t, err) {
					return
				}
				flat, err := out[1].Data()
				if assert.NoError(t, err) {
					assert.Equal(t, []float32{float32(50*300) * float32(k*k+1)}, flat)
				}
				for _, o := range out {
					assert.NoError(t, o.Finalize())
				}
			}
		})
	}
	wg.Wait()
}

// TestNonFiniteValues checks that NaN and infinities go where IEEE 754 sends them.
func TestNonFiniteValues(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, set := range kernel.Sets() {
		b := newBackend(t, "kernels="+set.String())
		shape := shapes.Make(dtypes.Float32, 4)
		exec := program(t, b, shape, func(f compute.Function, x compute.Value) []compute.Value {
			zero := must(f.Constant([]float32{0}))
			return []compute.Value{
				must(f.Max(x, zero)), must(f.Mul(x, zero)), must(f.ReduceSum(x)), must(f.ReduceMax(x)), must(f.Sign(x)),
				must(f.Sub(x, x)), must(f.Sqrt(x)), must(f.IsFinite(x)),
			}
		})
		in, err := b.BufferFromFlatData(0, []float32{nan, inf, -inf, -1}, shape)
		require.NoError(t, err)
		out, err := exec.Execute([]compute.Buffer{in}, nil, 0)
		require.NoError(t, err)
		for i, want := range []any{
			[]float32{nan, inf, 0, 0}, []float32{nan, nan, nan, 0}, []float32{nan}, []float32{nan}, []float32{0, 1, -1, -1},
			[]float32{nan, nan, nan, 0}, []float32{nan, inf, nan, nan}, []bool{false, false, false, true},
		} {
			got, err := out[i].Data()
			require.NoError(t, err)
			w, ok := want.([]float32)
			if !ok {
				assert.Equal(t, want, got)
				continue
			}
			for k, v := range w {
				g := got.([]float32)[k]
				assert.True(t, v == g || v != v && g != g, "%s: output %d, element %d is %g, want %g", set, i, k, g, v)
			}
		}
	}
}

// TestLargeGraph compiles some thousands of operations, which must not take
// time that grows with their square.
func TestLargeGraph(t *testing.T) {
	b := newBackend(t, "")
	shape := shapes.Make(dtypes.Float32, 10)
	const layers = 1000
	exec := program(t, b, shape, func(f compute.Function, x compute.Value) []compute.Value {
		for i := range layers {
			y := must(f.Add(x, must(f.Constant([]float32{float32(i)}))))
			if i%50 == 0 {
				y = must(f.CumSum(y, 0, compute.CumSumOptions{Exclusive: true}))
			}
			x = must(f.Max(must(f.Sub(x, y)), must(f.Reverse(x, 0))))
		}
		return []compute.Value{x}
	})
	in, err := b.BufferFromFlatData(0, make([]float32, 10), shape)
	require.NoError(t, err)
	_, err = exec.Execute([]compute.Buffer{in}, nil, 0)
	require.NoError(t, err)
}
