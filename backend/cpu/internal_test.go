package cpu

import (
	"errors"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
