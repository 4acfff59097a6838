package results

import (
	"errors"
	"fmt"

	"github.com/koopbench/koopbench/core"
)

// Shard is one of Count parts of a plan. Index counts from 1: the runs are Index, Index+Count,
// Index+2·Count … in the order of the plan, which has all seeds of the first entry, then of the
// second. All parts together are the plan, and no two share a run. The zero value is the whole
// plan.
//
// Shards may share a folder of results on storage that several machines see, without a lock. A
// shard writes the files of its runs, which no other shard makes, its own plan, which stays, and
// files that are the same for all shards. It does not write results.json; [Merge] does.
type Shard struct {
	Index int `json:"index"`
	Count int `json:"count"`
}

// MaxShards is the largest number of shards.
const MaxShards = 100_000

// Whole reports whether the shard is the whole plan.
func (s Shard) Whole() bool { return s.Count == 0 }

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Count) }

// Check returns [core.ErrOption] if there is no such shard.
func (s Shard) Check() error {
	if s.Whole() && s.Index == 0 {
		return nil
	}
	if s.Count < 1 || s.Count > MaxShards {
		return fmt.Errorf("%w: %d shards; give 1 to %d", core.ErrOption, s.Count, MaxShards)
	}
	if s.Index < 1 || s.Index > s.Count {
		return fmt.Errorf("%w: shard %d of %d; shards count from 1 to %d", core.ErrOption, s.Index, s.Count, s.Count)
	}
	return nil
}

// Has reports whether the run at an index of the plan, counted from 0, is in the shard.
func (s Shard) Has(place int) bool { return s.Whole() || place%s.Count == s.Index-1 }

// CheckShards makes sure that the folder has no plans of other shards with which this one could not
// be merged. It is better to know this before anything trains. If another shard writes its plan at
// the same instant, only [Merge] finds the difference.
func (s *Store) CheckShards(own Planned) error {
	plans, err := s.plans()
	if err != nil {
		return err
	}
	for _, p := range plans {
		if p.Shard == nil || *p.Shard == *own.Shard {
			continue
		}
		if p.Shard.Count != own.Shard.Count && !s.finished(p) {
			return fmt.Errorf("%w: the folder %s has the plan of shard %v, which is not finished, but this is shard %v; "+
				"give the same number of shards, or another folder with --out", ErrNotComparable, s.dir, *p.Shard, *own.Shard)
		}
		if reasons := p.setting().unlike(own.setting()); len(reasons) > 0 {
			return fmt.Errorf("%w: the folder %s has the plan of shard %v, and this shard could not be merged with it: %w; "+
				"give another folder with --out, or remove %s (its runs are "+
				"kept)", ErrNotComparable, s.dir, *p.Shard, reasons.err(),
				s.Path(p.name()))
		}
	}
	return nil
}

// finished reports whether every run of a plan's shard has its file.
func (s *Store) finished(p Planned) bool {
	for place, due := range p.Runs {
		if !p.shard().Has(place) {
			continue
		}
		if _, ok, err := s.Run(due.Key); err != nil || !ok {
			return false
		}
	}
	return true
}

// ErrNotComparable means that results cannot be joined or compared. Its text gives the reason.
var ErrNotComparable = errors.New("not comparable")
