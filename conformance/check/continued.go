package check

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/koopbench/koopbench/core"
)

// keeper is checkpoints that are always due. It hands out what was left, and remembers what there
// was to load after some of the times at which something was stored.
type keeper struct {
	core.Leftovers

	mu      sync.Mutex
	kept    map[string]*core.State
	moments []map[string]*core.State
	stores  int
	every   int // of how many stores one is remembered
	failure error
}

var _ core.Checkpoints = (*keeper)(nil)

// mostMoments is how many moments are remembered, at most.
const mostMoments = 32

func (k *keeper) Due() bool { return true }

// Every is as short as crosses the boundary of a process.
func (k *keeper) Every() time.Duration { return time.Microsecond }

func (k *keeper) Store(name string, state *core.State) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failure != nil {
		return
	}
	if core.CheckCheckpointName(name) != nil {
		k.failure = wrong("name checkpoints by lower-case letters, digits and hyphens, at most 40 of them",
			"a checkpoint has the name %q", name)
		return
	}
	var read *core.State
	if read, k.failure = copied(state); k.failure != nil {
		k.failure = inCase("of a checkpoint", k.failure)
		return
	}
	k.kept = maps.Clone(k.kept) // the moments before keep theirs
	if k.kept == nil {
		k.kept = map[string]*core.State{}
	}
	k.kept[name] = read
	k.remember()
}

func (k *keeper) remember() {
	k.every = max(k.every, 1)
	if k.stores%k.every == 0 {
		k.moments = append(k.moments, k.kept)
	}
	k.stores++
	if len(k.moments) == mostMoments { // every second is enough from here on
		for i := range mostMoments / 2 {
			k.moments[i] = k.moments[2*i]
		}
		k.moments, k.every = k.moments[:mostMoments/2], 2*k.every
	}
}

// from returns a keeper that has what there was to load at a moment.
func (k *keeper) from(moment int) (*keeper, error) {
	left := &keeper{}
	for name, state := range k.moments[moment] {
		read, err := copied(state)
		if err != nil {
			return nil, err
		}
		left.Leave(name, read)
	}
	return left, nil
}

func (s *trainee) checkContinued(ctx context.Context, _ *notes) error {
	data, err := s.short()
	if err != nil {
		return err
	}
	fit := func(kept *keeper) (any, table, error) {
		fitted, out, err := s.brief(ctx, data, func(t *core.Training) { t.Checkpoints = kept })
		if err == nil {
			err = kept.failure
		}
		return fitted, out, err
	}
	fitted, want, err := s.brief(ctx, data, nil)
	if err != nil {
		return err
	}
	history := historyTable(core.ReportOf(fitted))
	whole := &keeper{}
	_, got, err := fit(whole)
	if err != nil {
		return err
	}
	if d := want.difference(got); d != "" {
		return wrong("store copies, and change nothing by it",
			"%s after a fit without checkpoints, and after one that stores them: %s", s.use, d)
	}
	n := len(whole.moments)
	if n == 0 {
		return &skip{"its fits store no checkpoints, so one that is killed is repeated from its beginning"}
	}
	for _, moment := range slices.Compact([]int{0, n / 2, n - 1}) {
		kept, err := whole.from(moment)
		if err != nil {
			return err
		}
		fitted, got, err := fit(kept)
		if err != nil {
			return inCase("of a fit that continues from a checkpoint of its own", err)
		}
		if !kept.Loaded() {
			return wrong("load what an identical fit stored, and go on from there",
				"a fit stores checkpoints and loads none of them")
		}
		if d := want.difference(got); d != "" {
			return wrong("store all that the rest of the fit depends on: parameters, the optimiser's moments, the place in the "+
				"data, random streams",
				"%s after a fit, and after one that continues from its own checkpoint %d of %d: %s", s.use, moment+1, n, d)
		}
		if d := history.difference(historyTable(core.ReportOf(fitted))); d != "" {
			return wrong("store the epochs of the report too: that of a fit that continues has them all",
				"the history (number, training loss and validation loss of each epoch) of a fit, and of one that continues from "+
					"its own checkpoint %d of %d: %s", moment+1, n, d)
		}
	}
	return nil
}
