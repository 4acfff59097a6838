package cpu

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// negation compiles −x for x of n elements.
func negation(t *testing.T, b compute.Backend, n int) (*executable, []compute.Buffer) {
	t.Helper()
	shape := shapes.Make(dtypes.Float32, n)
	builder := b.Builder("negation")
	f := builder.Main()
	x, err := f.Parameter("x", shape, nil)
	require.NoError(t, err)
	y, err := f.Neg(x)
	require.NoError(t, err)
	require.NoError(t, f.Return([]compute.Value{y}, nil))
	exec, err := builder.Compile()
	require.NoError(t, err)
	in, err := b.BufferFromFlatData(0, make([]float32, n), shape)
	require.NoError(t, err)
	return exec.(*executable), []compute.Buffer{in}
}

func TestPanicOfAStepIsAnError(t *testing.T) {
	b, err := New("threads=3")
	require.NoError(t, err)
	defer b.Finalize()
	exec, in := negation(t, b, 100_000)
	cause := errors.New("cause")
	run := exec.steps[0].run
	exec.steps[0].run = func(*frame, int, int) { panic(cause) }
	for range 3 {
		_, err = exec.Execute(in, []bool{true}, 0)
		require.ErrorIs(t, err, cause)
		assert.ErrorContains(t, err, "Neg")
	}
	exec.steps[0].run = run
	_, err = exec.Execute(in, nil, 0)
	assert.NoError(t, err, "the input was not taken, the workers still run")
}

// chain compiles layers products of a matrix with itself.
func chain(t *testing.T, b compute.Backend, layers int) *executable {
	t.Helper()
	builder := b.Builder("chain")
	f := builder.Main()
	x, err := f.Parameter("x", shapes.Make(dtypes.Float32, 64, 64), nil)
	require.NoError(t, err)
	for range layers {
		x, err = f.DotGeneral(x, []int{1}, nil, x, []int{0}, nil, compute.DotGeneralConfig{})
		require.NoError(t, err)
	}
	require.NoError(t, f.Return([]compute.Value{x}, nil))
	exec, err := builder.Compile()
	require.NoError(t, err)
	return exec.(*executable)
}

// TestArena checks that memory is used again once a value is dead, and that
// it is aligned. That values alive at the same time do not overlap is what
// all comparisons with the Go backend show.
func TestArena(t *testing.T) {
	b, err := New("threads=1")
	require.NoError(t, err)
	defer b.Finalize()
	short, long := chain(t, b, 5), chain(t, b, 50)
	require.Len(t, long.steps, 50)
	assert.Equal(t, short.arenaSize, long.arenaSize)
	fr, err := long.newFrame()
	require.NoError(t, err)
	for _, p := range long.places {
		assert.Zero(t, uintptr(fr.memory[p.slot])%64, "alignment")
	}
}

func TestProfile(t *testing.T) {
	b, err := New("threads=1")
	require.NoError(t, err)
	defer b.Finalize()
	exec, in := negation(t, b, 10)
	own := b.(*Backend)
	for _, on := range []bool{false, true, true} {
		own.EnableProfile(on)
		for range 4 {
			_, err = exec.Execute(in, nil, 0)
			require.NoError(t, err)
		}
		if !on {
			assert.Empty(t, own.Profile())
			continue
		}
		require.Len(t, own.Profile(), 1)
		e := own.Profile()[0]
		assert.EqualValues(t, 4, e.Calls, "EnableProfile(true) starts anew")
		assert.Equal(t, own.Kernels(), e.Where)
		assert.EqualValues(t, 10, e.Flops)
	}
}

// TestProfileIsComplete compares the profile with the steps of a plan that
// runs here and on the Go backend.
func TestProfileIsComplete(t *testing.T) {
	b, err := New("threads=2")
	require.NoError(t, err)
	defer b.Finalize()
	builder := b.Builder("mixed")
	f := builder.Main()
	shape := shapes.Make(dtypes.Float32, 8, 40)
	x, err := f.Parameter("x", shape, nil)
	require.NoError(t, err)
	product, err := f.DotGeneral(x, []int{0}, nil, x, []int{0}, nil, compute.DotGeneralConfig{})
	require.NoError(t, err)
	sums, err := f.CumSum(product, 0, compute.CumSumOptions{})
	require.NoError(t, err)
	total, err := f.ReduceSum(sums, 1)
	require.NoError(t, err)
	negative, err := f.Neg(total)
	require.NoError(t, err)
	require.NoError(t, f.Return([]compute.Value{negative, x}, nil))
	compiled, err := builder.Compile()
	require.NoError(t, err)
	in, err := b.BufferFromFlatData(0, make([]float32, shape.Size()), shape)
	require.NoError(t, err)
	own := b.(*Backend)
	own.EnableProfile(true)
	const calls = 3
	for range calls {
		_, err = compiled.Execute([]compute.Buffer{in}, nil, 0)
		require.NoError(t, err)
	}
	type row struct {
		operation, where string
		calls            int64
		flops            int64
	}
	var want, got []row
	for _, s := range compiled.(*executable).steps {
		want = append(want, row{s.name, s.where, calls, s.flops})
	}
	for _, e := range own.Profile() {
		got = append(got, row{e.Operation, e.Where, e.Calls, e.Flops})
		assert.Positive(t, e.Time, e.Operation)
	}
	assert.ElementsMatch(t, want, got)
	assert.ElementsMatch(t, []row{
		{"matmul 1×(40×8 · 8×40)", own.Kernels(), calls, 2 * 40 * 8 * 40},
		{"subgraph: CumSum", "go", calls, 0},
		{"ReduceSum 40×40×1", own.Kernels(), calls, 1600},
		{"loop [40] Neg", own.Kernels(), calls, 40},
		{"copy [8 40]", own.Kernels(), calls, 0},
	}, got)
}

// TestForcedKernelsRun multiplies matrices with each set. Each sums in an
// order of its own, so the bits tell which one ran.
func TestForcedKernelsRun(t *testing.T) {
	const k = 1568
	r := rand.New(rand.NewPCG(4, 4))
	x, y := make([]float32, 3*k), make([]float32, k*5)
	for i := range x {
		x[i] = r.Float32() - 0.5
	}
	for i := range y {
		y[i] = r.Float32() - 0.5
	}
	seen := map[[15]float32]kernel.Set{}
	for _, set := range kernel.Sets() {
		b, err := New("kernels=" + set.String())
		require.NoError(t, err)
		defer b.Finalize()
		builder := b.Builder("product")
		f := builder.Main()
		left, err := f.Parameter("x", shapes.Make(dtypes.Float32, 3, k), nil)
		require.NoError(t, err)
		right, err := f.Parameter("y", shapes.Make(dtypes.Float32, k, 5), nil)
		require.NoError(t, err)
		product, err := f.DotGeneral(left, []int{1}, nil, right, []int{0}, nil, compute.DotGeneralConfig{})
		require.NoError(t, err)
		require.NoError(t, f.Return([]compute.Value{product}, nil))
		exec, err := builder.Compile()
		require.NoError(t, err)
		a, err := b.BufferFromFlatData(0, x, shapes.Make(dtypes.Float32, 3, k))
		require.NoError(t, err)
		c, err := b.BufferFromFlatData(0, y, shapes.Make(dtypes.Float32, k, 5))
		require.NoError(t, err)
		own := b.(*Backend)
		own.EnableProfile(true)
		out, err := exec.Execute([]compute.Buffer{a, c}, nil, 0)
		require.NoError(t, err)
		flat, err := out[0].Data()
		require.NoError(t, err)
		require.Len(t, own.Profile(), 1)
		assert.Equal(t, set.String(), own.Profile()[0].Where)

		want := make([]float32, 15)
		g := kernel.MatMul{M: 3, N: 5, K: k, LDA: k, LDB: 5, LDC: 5}
		kernel.Gemm(set, &g, 0, kernel.GemmBlocks[float32](set, &g), 1, x, y, 0, want,
			make([]float32, kernel.GemmScratch[float32](set, &g)))
		assert.Equal(t, want, flat)
		bits := [15]float32(want)
		other, ok := seen[bits]
		assert.False(t, ok, "%s gives the bits of %s", set, other)
		seen[bits] = set
	}
}

func TestBuilderMisuse(t *testing.T) {
	b, err := New("threads=1")
	require.NoError(t, err)
	defer b.Finalize()
	builder, other := b.Builder("one"), b.Builder("two")
	f := builder.Main()
	shape := shapes.Make(dtypes.Float32, 2)
	x, err := f.Parameter("x", shape, nil)
	require.NoError(t, err)
	foreign, err := other.Main().Parameter("x", shape, nil)
	require.NoError(t, err)
	for _, v := range []compute.Value{nil, (*value)(nil), 3, foreign} {
		_, err = f.Neg(v)
		assert.Error(t, err, "%v", v)
	}
	_, err = f.Add(x, x)
	require.NoError(t, err)
	_, err = builder.Compile()
	assert.ErrorContains(t, err, "Return")
	require.NoError(t, f.Return([]compute.Value{x}, nil))
	_, err = builder.Compile()
	require.NoError(t, err)
	_, err = builder.Compile()
	assert.ErrorContains(t, err, "already compiled")
	_, err = f.Neg(x)
	assert.Error(t, err)
}
