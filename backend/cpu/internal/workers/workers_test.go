package workers_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu/internal/workers"
)

type task func(part, worker int)

func (t task) Run(part, worker int) { t(part, worker) }

func TestRunDoesEachPartOnce(t *testing.T) {
	for _, size := range []int{1, 2, 5} {
		p := workers.New(size)
		var job workers.Job
		for _, parts := range []int{0, 1, 2, 3, 100} {
			counts := make([]atomic.Int32, parts)
			held := make([]atomic.Int32, size)
			require.NoError(t, p.Run(&job, task(func(part, worker int) {
				if held[worker].Add(1) != 1 {
					t.Error("two parts hold one worker number")
				}
				counts[part].Add(1)
				held[worker].Add(-1)
			}), parts))
			for i := range counts {
				assert.EqualValues(t, 1, counts[i].Load(), "part %d of %d, %d workers", i, parts, size)
			}
		}
		p.Close()
		require.NoError(t, p.Run(&job, task(func(int, int) {}), 4), "after Close the caller works alone")
	}
}

func TestConcurrentRuns(t *testing.T) {
	p := workers.New(3)
	defer p.Close()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var job workers.Job
			for range 200 {
				var n atomic.Int32
				assert.NoError(t, p.Run(&job, task(func(int, int) { n.Add(1) }), 17))
				assert.EqualValues(t, 17, n.Load())
			}
		})
	}
	wg.Wait()
}

func TestPanicIsAnError(t *testing.T) {
	cause := errors.New("cause")
	for _, size := range []int{1, 3} {
		p := workers.New(size)
		var job workers.Job
		err := p.Run(&job, task(func(part, _ int) {
			if part == 5 {
				panic(cause)
			}
		}), 10)
		var panicked *workers.PanicError
		require.ErrorAs(t, err, &panicked)
		assert.ErrorIs(t, err, cause)
		assert.NotEmpty(t, panicked.Stack)
		require.NoError(t, p.Run(&job, task(func(int, int) {}), 10), "the pool still works")
		p.Close()
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	p := workers.New(2)
	defer p.Close()
	var job workers.Job
	var work workers.Task = task(func(int, int) {})
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = p.Run(&job, work, 8) }))
}

func BenchmarkRun(b *testing.B) {
	p := workers.New(2)
	defer p.Close()
	var job workers.Job
	var work workers.Task = task(func(int, int) {})
	for b.Loop() {
		_ = p.Run(&job, work, 2)
	}
}
