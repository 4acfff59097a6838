package benchmark

import (
	"math"
	"runtime"
	"time"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/usage"
)

// share is what a run has of the processor.
type share struct{ jobs, threads int }

// threadsOf is the number of threads for the runs of one worker: all threads, 0 for as many as Go uses, are shared out
// among the workers. It differs by at most one between workers, and is at least one.
func threadsOf(worker, workers, threads int) int {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	n := threads / workers
	if worker < threads%workers {
		n++
	}
	return max(n, 1)
}

// meter measures what a run takes of this program.
type meter struct {
	own      time.Duration // processor time while it measured
	children time.Duration // that of ended processes when the run began
	known    bool
}

func newMeter() *meter {
	m := &meter{}
	_, m.children, m.known = usage.CPU()
	return m
}

// measure does work and adds the seconds that passed.
func (m *meter) measure(seconds *float64, work func()) {
	before, _, _ := usage.CPU()
	begun := time.Now()
	work()
	*seconds += time.Since(begun).Seconds()
	after, _, _ := usage.CPU()
	m.own += after - before
}

// report says what the run took, whose scope is closed. Processor time in this program is the run's if no other run is
// in progress.
func (m *meter) report(result *results.Run, scope *core.Scope) {
	spent, outside := scope.Spent()
	if outside {
		result.RPC = &results.RPC{
			StartSeconds: spent.StartSeconds, Seconds: results.Finite(spent.RPCSeconds), Calls: spent.Calls,
			SentBytes: spent.SentBytes, ReceivedBytes: spent.ReceivedBytes,
		}
	}
	_, children, _ := usage.CPU()
	switch {
	case result.Isolated && outside:
		result.CPUSeconds = results.Finite(spent.CPUSeconds)
	case !result.Isolated && m.known && result.Jobs == 1:
		result.CPUSeconds = results.Finite((m.own + children - m.children).Seconds())
	}
	peak := spent.PeakRSSBytes
	if !result.Isolated {
		peak = math.Max(peak, float64(usage.PeakRSS()))
	}
	if !math.IsNaN(peak) {
		result.PeakRSSBytes = int64(peak)
	}
}
