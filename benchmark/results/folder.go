package results

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/internal/foreign"
)

// folder is what a folder of results holds of the commands that its results.json and its plans tell of.
type folder struct {
	setting
	store     *Store
	protocol  string   // by which its results rank
	protocols []string // by which its commands rank, each once
	expected  [][]int
	runs      []foundRun // in the order of the commands
	notes     []string
}

// foundRun is a run that a folder tells of.
type foundRun struct {
	store  *Store
	key    string
	method string
	seed   int64
	result *Run  // nil where it has not finished, or cannot be read
	damage error // why it cannot be read
}

func (r foundRun) missing() MissingRun {
	m := MissingRun{r.method, r.seed, "not finished"}
	if r.damage != nil {
		m.Reason = r.damage.Error()
	}
	return m
}

// betterThan reports whether it says more than another result of the same run.
func (r foundRun) betterThan(o *foundRun) bool {
	rank := func(f foundRun) int {
		switch {
		case f.result == nil && f.damage == nil:
			return 0
		case f.result == nil:
			return 1
		case !f.result.Evaluated():
			return 2
		}
		return 3
	}
	return rank(r) > rank(*o)
}

// folder reads all that the folder holds. The error is [ErrResults] where there is nothing, or something is damaged,
// and [ErrNotComparable] where results.json and plans do not belong together.
func (s *Store) folder() (*folder, error) {
	info, err := os.Stat(s.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: there is no folder %s: %w", ErrResults, s.dir, errNone)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrResults, err)
	case !info.IsDir():
		return nil, fmt.Errorf("%w: %s is a file; name the folder of the results", ErrResults, s.dir)
	}
	plans, err := s.plans()
	if err != nil {
		return nil, err
	}
	if !s.hasResults() {
		if len(plans) == 0 {
			return nil, fmt.Errorf("%w: the folder %s %w", ErrResults, s.dir, errNone)
		}
		return s.gather(nil, plans)
	}
	r, err := s.current()
	if err != nil {
		return nil, err
	}
	return s.gather(r, plans)
}

// results are those of the folder without runs, judged by an oracle of which more may be known.
func (f *folder) results(oracle OracleInfo) *Results {
	r := &Results{
		Schema: Schema, Task: f.Task, Protocol: f.protocol, Environment: f.environment, Oracle: oracle,
		Expected: f.expected, Baselines: []Baseline{}, MaxEpochs: f.maxEpochs, Runs: []Run{},
	}
	if baselines, ok := f.store.Baselines(r); ok {
		r.Baselines = baselines
	}
	return r
}

// gather finds the runs of results, if any, and of plans.
func (s *Store) gather(r *Results, plans []Planned) (*folder, error) {
	f := &folder{store: s}
	name := resultsFile
	if r != nil {
		f.setting, f.protocol, f.expected = settingOf(r), r.Protocol, r.Expected
	} else {
		f.setting, name = plans[0].setting(), plans[0].name()
		f.protocol, f.expected = plans[0].Protocol, plans[0].Expected
		if info, ok := s.OracleInfo(f.oracle.Key, f.Task); ok {
			f.oracle = info
		}
	}
	f.protocols = []string{f.protocol}
	known := map[string]bool{}
	b := foreign.NewBudget()
	add := func(key, method string, seed int64, stored *Run) {
		if known[key] {
			return
		}
		known[key] = true
		found := foundRun{store: s, key: key, method: method, seed: seed}
		run, ok, err := s.runOf(key, b)
		if ok {
			if broken := run.Check(f.Task); broken != nil {
				ok, err = false, fmt.Errorf("%w: %s: %w", ErrResults, s.Path(runFile(key)), broken)
			}
		}
		switch {
		case ok:
			run.Method = method
			run.RankBy(f.protocol)
			found.result = &run
		case stored != nil:
			found.result = stored
			if err != nil {
				f.notes = append(f.notes, fmt.Sprintf("%s, seed %d: %v; it is taken from results.json", method, seed, err))
			}
		case err != nil:
			found.damage = err
		}
		f.runs = append(f.runs, found)
	}
	if r != nil {
		for i := range r.Runs {
			add(r.Runs[i].Key, r.Runs[i].Method, r.Runs[i].Seed, &r.Runs[i])
		}
	}
	for _, p := range plans {
		if reasons := p.setting().unlike(f.setting); len(reasons) > 0 {
			return nil, fmt.Errorf("%w: in %s, %s and %s belong to different commands: %w; remove the one that you do not "+
				"want ("+
				"its runs are kept)", ErrNotComparable, s.dir, p.name(), name, reasons.err())
		}
		if !slices.Contains(f.protocols, p.Protocol) {
			f.protocols = append(f.protocols, p.Protocol)
		}
		for _, due := range p.Runs {
			add(due.Key, due.Method, due.Seed, nil)
		}
	}
	f.countOthers(known)
	return f, nil
}

// countOthers notes runs of commands that neither results.json nor a plan tells of any more.
func (f *folder) countOthers(known map[string]bool) {
	entries, err := f.store.Files().Entries("runs")
	if err != nil {
		return // a folder of results may be without its runs
	}
	others := 0
	for _, entry := range entries {
		if key, ok := strings.CutSuffix(entry.Name(), ".json"); ok && !known[key] && filepath.Base(key)[0] != '.' {
			others++
		}
	}
	if others > 0 {
		f.notes = append(f.notes, fmt.Sprintf("%s has %d more runs of earlier commands, which its results do not name; "+
			"they stay there", f.store.dir, others))
	}
}
