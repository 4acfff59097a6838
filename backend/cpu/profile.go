package cpu

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ProfileEntry is what one kind of operation cost since profiling began: one
// step of a compiled graph, or all of them that have its name and work.
type ProfileEntry struct {
	Operation string        // what ran, e.g. "conv 64×28×28×1 5×5→16 relu pool"
	Where     string        // "generic", "avx2", "avx512": own kernels; "go": the Go backend
	Calls     int64         // how often
	Time      time.Duration // in all, wall clock
	Flops     int64         // floating-point operations of one call, of its dense form; 0 where it is not known
}

// profile adds up what operations cost. The zero value is off.
type profile struct {
	on      atomic.Bool
	mu      sync.Mutex
	entries map[profileKey]*ProfileEntry
}

type profileKey struct {
	operation, where string
	flops            int64
}

// EnableProfile starts or stops profiling. Starting forgets what was measured before.
func (b *Backend) EnableProfile(on bool) {
	b.profile.mu.Lock()
	defer b.profile.mu.Unlock()
	if on {
		b.profile.entries = map[profileKey]*ProfileEntry{}
	}
	b.profile.on.Store(on)
}

// Profile returns what was measured since EnableProfile(true), the most
// expensive first.
func (b *Backend) Profile() []ProfileEntry {
	b.profile.mu.Lock()
	defer b.profile.mu.Unlock()
	out := make([]ProfileEntry, 0, len(b.profile.entries))
	for _, e := range b.profile.entries {
		out = append(out, *e)
	}
	slices.SortFunc(out, func(x, y ProfileEntry) int {
		return cmp.Or(cmp.Compare(y.Time, x.Time), cmp.Compare(x.Operation, y.Operation), cmp.Compare(x.Where, y.Where),
			cmp.Compare(x.Flops, y.Flops))
	})
	return out
}

func nothing() {}

// start begins to measure one call; the function it returns ends it.
func (p *profile) start(operation, where string, flops int64) (stop func()) {
	if !p.on.Load() {
		return nothing
	}
	begin := time.Now()
	return func() { p.add(operation, where, flops, time.Since(begin)) }
}

func (p *profile) add(operation, where string, flops int64, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.entries == nil {
		return
	}
	key := profileKey{operation, where, flops}
	e := p.entries[key]
	if e == nil {
		e = &ProfileEntry{Operation: operation, Where: where, Flops: flops}
		p.entries[key] = e
	}
	e.Calls++
	e.Time += d
}
