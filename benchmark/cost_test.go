//go:build unix

package benchmark_test

import (
	"context"
	"encoding/json"
	"math"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/usage"
)

// burn takes so much processor time, however long that takes.
func burn(d time.Duration) {
	begun, _, _ := usage.CPU()
	for now := begun; now-begun < d; now, _, _ = usage.CPU() {
	}
}

// TestCostInThisProgram: one run at a time has the processor time of this program and of what it starts.
func TestCostInThisProgram(t *testing.T) {
	const fits, child = 50 * time.Millisecond, "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"
	busy, parent, idle := perfect(), perfect(), perfect()
	busy.name, parent.name, idle.name = "busy", "parent", "idle"
	busy.fit = func(context.Context, *core.Training) error { burn(fits); return nil }
	parent.fit = func(ctx context.Context, _ *core.Training) error {
		return exec.CommandContext(ctx, "sh", "-c", child).Run()
	}
	p := plan(t, t.TempDir(), &oracle{}, busy, parent, idle)
	p.Seeds = p.Seeds[:1]
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	for _, run := range got.Runs {
		require.NotNil(t, run.CPUSeconds)
		assert.False(t, run.Isolated)
		assert.Nil(t, run.RPC)
		assert.Positive(t, run.PeakRSSBytes)
		assert.Equal(t, 1, run.Jobs)
		assert.Positive(t, run.Threads)
	}
	assert.GreaterOrEqual(t, *got.Runs[0].CPUSeconds, fits.Seconds())
	assert.Less(t, *got.Runs[0].CPUSeconds, 10*fits.Seconds())
	assert.Greater(t, *got.Runs[1].CPUSeconds, 10*(*got.Runs[2].CPUSeconds), "of the child it waited for")
}

// TestCostOfRunsAtOnce: whose processor time it is cannot be told, and is not told.
func TestCostOfRunsAtOnce(t *testing.T) {
	p := plan(t, t.TempDir(), &oracle{}, perfect())
	p.Jobs = 2
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	for _, run := range got.Runs {
		assert.Nil(t, run.CPUSeconds)
		assert.Equal(t, 2, run.Jobs)
		assert.Contains(t, asJSON(t, run), `"cpu_seconds":null`)
	}
}

// TestCostElsewhere: what other processes took is the run's; how long they took to start is no part of the fit.
func TestCostElsewhere(t *testing.T) {
	const start = 1000.0 // more than the test takes
	spent := core.Spent{CPUSeconds: 3, PeakRSSBytes: 1 << 50, Calls: 4, CallSeconds: 2, RPCSeconds: 0.5, SentBytes: 10,
		ReceivedBytes: 20}
	far := perfect()
	far.fit = func(ctx context.Context, _ *core.Training) error {
		core.ScopeOf(ctx).Spend(core.Spent{StartSeconds: start})
		core.ScopeOf(ctx).Spend(spent)
		return nil
	}
	run := func(t *testing.T, isolated bool, jobs int) results.Run {
		p := plan(t, t.TempDir(), &oracle{}, far)
		p.Jobs = jobs
		p.Entries[0].Isolated = isolated
		got, err := benchmark.Run(t.Context(), p)
		require.NoError(t, err)
		r := got.Runs[0]
		require.NotNil(t, r.RPC)
		assert.Zero(t, r.FitSeconds)
		assert.InDelta(t, start, r.RPC.StartSeconds, 1e-9)
		assert.EqualValues(t, []int64{4, 10, 20}, []int64{r.RPC.Calls, r.RPC.SentBytes, r.RPC.ReceivedBytes})
		assert.Equal(t, isolated, r.Isolated)
		return r
	}
	for _, jobs := range []int{1, 2} {
		whole := run(t, true, jobs)
		assert.InDelta(t, 3, *whole.CPUSeconds, 1e-9, "even with others at once")
		assert.EqualValues(t, 1<<50, whole.PeakRSSBytes)
		assert.InDelta(t, 0.5, *whole.RPC.Seconds, 1e-9)
	}
	part := run(t, false, 1)
	assert.Less(t, *part.CPUSeconds, 3.0, "this program's, and what the system says of its children")
	assert.EqualValues(t, 1<<50, part.PeakRSSBytes)

	spent = core.Spent{CPUSeconds: math.NaN(), PeakRSSBytes: math.NaN(), RPCSeconds: math.NaN(), Calls: 4, SentBytes: 10,
		ReceivedBytes: 20}
	unknown := run(t, true, 1)
	assert.Nil(t, unknown.CPUSeconds)
	assert.Zero(t, unknown.PeakRSSBytes)
	assert.Nil(t, unknown.RPC.Seconds)
	text, err := json.Marshal(unknown)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"rpc":{"start_seconds":1000,"seconds":null,`)
}

// TestThreads: runs under way at once share the processor.
func TestThreads(t *testing.T) {
	for _, c := range []struct {
		jobs, threads int
		want          []int // of runs that are under way at once
	}{
		{1, 5, []int{5}}, {2, 5, []int{2, 3}}, {2, 4, []int{2, 2}}, {3, 2, []int{1, 1, 1}}, {4, 2, []int{1, 1, 1}},
	} {
		var mu sync.Mutex
		var got []int
		var all sync.WaitGroup // each run waits until all are there
		all.Add(len(c.want))
		watched := perfect()
		watched.fit = func(ctx context.Context, _ *core.Training) error {
			mu.Lock()
			got = append(got, core.ScopeOf(ctx).Threads)
			mu.Unlock()
			all.Done()
			all.Wait()
			return nil
		}
		p := plan(t, t.TempDir(), &oracle{}, watched)
		p.Jobs, p.Threads, p.Seeds = c.jobs, c.threads, []int64{1, 2, 3}[:len(c.want)]
		results, err := benchmark.Run(t.Context(), p)
		require.NoError(t, err)
		slices.Sort(got)
		assert.Equal(t, c.want, got)
		assert.Equal(t, min(c.jobs, len(c.want)), results.Runs[0].Jobs)
	}
}
