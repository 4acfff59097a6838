package results

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"

	"github.com/koopbench/koopbench/internal/foreign"
)

// Planned is what a command will do: the content of plan.json or plan-I-of-N.json. plan.json exists
// from before the first run until results.json is written, and longer only if the command was
// killed. plan-I-of-N.json stays, because another command writes the results of shards.
type Planned struct {
	Schema      string       `json:"schema"`
	Shard       *Shard       `json:"shard,omitempty"`
	Task        TaskInfo     `json:"task"`
	Environment Environment  `json:"environment"`
	Oracle      OracleInfo   `json:"oracle"` // as it is before it is fitted
	MaxEpochs   int          `json:"max_epochs,omitempty"`
	Protocol    string       `json:"protocol"`
	Expected    [][]int      `json:"expected,omitempty"` // see [Results]
	Runs        []PlannedRun `json:"runs"`               // all of the command, those of other shards too
}

// PlannedRun names a run of a command.
type PlannedRun struct {
	Key    string `json:"key"`
	Method string `json:"method"`
	Seed   int64  `json:"seed"`
}

func (p Planned) setting() setting { return setting{p.Task, p.Oracle, p.Environment, p.MaxEpochs} }

// shard is the zero value for a whole plan.
func (p Planned) shard() Shard {
	if p.Shard == nil {
		return Shard{}
	}
	return *p.Shard
}

const wholePlan = "plan.json"

// name is that of the plan's file.
func (p Planned) name() string {
	if p.Shard == nil {
		return wholePlan
	}
	return fmt.Sprintf("plan-%d-of-%d.json", p.Shard.Index, p.Shard.Count)
}

var planName = regexp.MustCompile(`^plan(-[0-9]+-of-[0-9]+)?\.json$`)

// Progress returns the results as far as they go. During a command or shards, or after they were
// killed, these are the finished runs of their plans, possibly none, and due is the number of all
// runs. Otherwise they are those of results.json, and due is 0; without results.json, r is nil. The
// error is [ErrResults] if the files cannot be read, and [ErrNotComparable] if they do not belong
// together.
func (s *Store) Progress() (r *Results, due int, err error) {
	plans, err := s.plans()
	if err != nil {
		return nil, 0, err
	}
	switch whole := len(plans) > 0 && plans[0].Shard == nil; {
	case whole:
		plans = plans[:1]
	case s.hasResults():
		if r, err = s.Results(); err != nil || r.hold(plans) {
			return r, 0, err
		}
	case len(plans) == 0:
		return nil, 0, nil
	}
	f, err := s.gather(nil, plans)
	if err != nil {
		return nil, 0, err
	}
	r = f.results(f.oracle)
	for _, found := range f.runs {
		if found.damage != nil {
			return nil, 0, found.damage
		}
		if found.result != nil {
			r.Runs = append(r.Runs, *found.result)
		}
	}
	r.RankBy(r.Protocol)
	return r, len(f.runs), nil
}

// hold reports whether all runs of the plans are in the results.
func (r *Results) hold(plans []Planned) bool {
	keys := map[string]bool{}
	for _, run := range r.Runs {
		keys[run.Key] = true
	}
	for _, p := range plans {
		for _, due := range p.Runs {
			if !keys[due.Key] {
				return false
			}
		}
	}
	return true
}

// plans reads the plans in the folder, that of a whole command first.
func (s *Store) plans() ([]Planned, error) {
	entries, err := s.Files().Entries(".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrResults, err)
	}
	var plans []Planned
	b := foreign.NewBudget()
	for _, entry := range entries {
		if !planName.MatchString(entry.Name()) {
			continue
		}
		p, err := s.readPlan(entry.Name(), b)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has just been finished
		}
		if err != nil {
			return nil, fmt.Errorf("%w; give its command again, or remove the file (its runs are kept)", err)
		}
		plans = append(plans, p)
	}
	slices.SortStableFunc(plans, func(a, b Planned) int {
		x, y := a.shard(), b.shard()
		return cmp.Or(cmp.Compare(x.Count, y.Count), cmp.Compare(x.Index, y.Index))
	})
	return plans, nil
}

func (s *Store) readPlan(name string, b *foreign.Budget) (p Planned, err error) {
	path := s.Path(name)
	if err = s.readJSON(name, &p, b); err != nil {
		return p, err
	}
	broken := func(format string, values ...any) (Planned, error) {
		return p, fmt.Errorf("%w: %s "+format, append([]any{ErrResults, path}, values...)...)
	}
	switch {
	case p.Schema != Schema:
		return broken("has the schema %.100q, but this version reads %q", p.Schema, Schema)
	case p.name() != name:
		return broken("says that it is %s", p.name())
	case p.shard().Check() != nil:
		return broken("does not belong to a shard: %w", p.shard().Check())
	}
	if err := cmp.Or(p.Task.Check(), p.Oracle.check(p.Task), checkProtocol(p.Protocol), checkExpected(p.Expected, p.Task),
		p.Environment.check()); err != nil {
		return broken("does not belong to a command: %w", err)
	}
	for _, r := range p.Runs {
		if !isFileName(r.Key) || checkNames(r.Method) != nil {
			return broken("names a run %.200q of the key %.200q, which is not a file name", r.Method, r.Key)
		}
	}
	return p, nil
}

// WritePlan writes the file of a plan.
func (s *Store) WritePlan(p Planned) error { return s.writeJSON(p.name(), p) }

// RemovePlan removes the plan of a whole command, if there is one.
func (s *Store) RemovePlan() error {
	if err := os.Remove(s.Path(wholePlan)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
