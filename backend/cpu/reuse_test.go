package cpu_test

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMemoryIsReused: what goes in and what the Go backend makes on the way leave nothing behind
// once they are finalized, and what goes in is put where the last one was.
func TestMemoryIsReused(t *testing.T) {
	b := newBackend(t, "")
	shape := shapes.Make(dtypes.Float32, 1<<18)
	exec := program(t, b, shape, func(f compute.Function, x compute.Value) []compute.Value {
		return []compute.Value{must(f.Add(x, must(f.Iota(shape, 0))))}
	})
	values := make([]float32, shape.Size())
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.GC()
	runtime.GC()
	var before, after, collected runtime.MemStats
	runtime.ReadMemStats(&before)
	const runs = 100 // of 1 MB each
	for range runs {
		in, err := b.BufferFromFlatData(0, values, shape)
		require.NoError(t, err)
		out, err := exec.Execute([]compute.Buffer{in}, nil, 0)
		require.NoError(t, err)
		require.NoError(t, in.Finalize())
		require.NoError(t, out[0].Finalize())
	}
	runtime.ReadMemStats(&after)
	runtime.GC() // a pool is emptied by the second
	runtime.ReadMemStats(&collected)
	assert.Less(t, (after.TotalAlloc-before.TotalAlloc)>>20, uint64(2*runs), "Iota alone is made anew")
	assert.Less(t, int64(collected.HeapAlloc)-int64(before.HeapAlloc), int64(runs/4)<<20)

	for name, flat := range map[string]any{"type": make([]int32, 1<<18), "length": values[1:], "no slice": 1, "nil": nil} {
		_, err := b.BufferFromFlatData(0, flat, shape)
		assert.ErrorContains(t, err, "it takes 262144 values", name)
	}
	_, err := b.BufferFromFlatData(1, values, shape)
	require.Error(t, err)
}
