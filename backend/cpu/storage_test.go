package cpu

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func storageOf(t *testing.T, b *Backend, n int) *storage {
	t.Helper()
	s, err := b.allocate(shapes.Make(dtypes.Float32, n))
	require.NoError(t, err)
	return s
}

func newOwn(t *testing.T, config string) *Backend {
	t.Helper()
	made, err := New(config)
	require.NoError(t, err)
	t.Cleanup(made.Finalize)
	return made.(*Backend)
}

// TestStoragePoolIsBounded: shapes that never come again do not fill the memory, and what one
// execution puts out is kept in any case.
func TestStoragePoolIsBounded(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // collections empty the pool too
	b := newOwn(t, "threads=1")
	const values = 1 << 18 // 1 MiB
	for i := range 100 {
		b.release(storageOf(t, b, values+i))
	}
	assert.LessOrEqual(t, b.storage.bytes, leastPooled)
	assert.Len(t, b.storage.tops, 63)
	newest := storageOf(t, b, values+99)
	b.release(newest)
	assert.Same(t, newest, storageOf(t, b, values+99), "the newest is there")

	b.storage.raise(40 << 20)
	for i := range 100 {
		b.release(storageOf(t, b, values+i))
	}
	assert.Greater(t, b.storage.bytes, 79<<20)
	assert.LessOrEqual(t, b.storage.bytes, 80<<20)
}

// TestStoragePoolGivesBack: what no allocation takes between two garbage collections goes.
func TestStoragePoolGivesBack(t *testing.T) {
	b := newOwn(t, "threads=1")
	old := []*storage{storageOf(t, b, 100), storageOf(t, b, 100), storageOf(t, b, 200)}
	for _, s := range old {
		b.release(s)
	}
	b.storage.collected()
	used := storageOf(t, b, 100)
	b.release(used)
	b.storage.collected()
	assert.Equal(t, 400, b.storage.bytes, "the one that was used is left")
	assert.Same(t, used, storageOf(t, b, 100))
	b.storage.collected()
	assert.Nil(t, b.storage.oldest)
	assert.Zero(t, b.storage.bytes)

	b.release(used)
	for range 100 { // the real ones; cleanups run behind them
		runtime.GC()
		b.storage.mu.Lock()
		empty := b.storage.oldest == nil
		b.storage.mu.Unlock()
		if empty {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("garbage collections do not empty the pool")
}

// TestBackendThatIsNotFinalized: its workers end when nothing refers to it any more.
func TestBackendThatIsNotFinalized(t *testing.T) {
	before := runtime.NumGoroutine()
	var backends []compute.Backend
	for range 10 {
		b, err := New("threads=8")
		require.NoError(t, err)
		exec, in := negation(t, b, 100_000)
		_, err = exec.Execute(in, nil, 0)
		require.NoError(t, err)
		backends = append(backends, b)
	}
	require.GreaterOrEqual(t, runtime.NumGoroutine(), before+70)
	clear(backends)
	for range 200 {
		runtime.GC()
		if runtime.NumGoroutine() <= before+7 { // one backend may still be on a stack
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines are left, of %d at the start", runtime.NumGoroutine(), before)
}

// TestThreadsLimitTheGoBackend: what runs there uses no more threads either.
func TestThreadsLimitTheGoBackend(t *testing.T) {
	parallelism := func(b compute.Backend) string { return b.(*Backend).fallback.Description() }
	one, three := newOwn(t, "threads=1"), newOwn(t, "threads=3")
	assert.Contains(t, parallelism(one), "parallelism=0")
	assert.Contains(t, parallelism(three), "parallelism=3")
	share := three.WithThreads(2)
	defer share.Finalize()
	assert.Contains(t, parallelism(share), "parallelism=2")
	assert.Contains(t, parallelism(three), "parallelism=3", "the other keeps its own")
}
