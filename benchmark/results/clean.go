package results

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"

	"github.com/koopbench/koopbench/internal/atomicfile"
)

// Waste is a file of a folder of results that nothing needs.
type Waste struct {
	Name  string // with slashes, below the folder
	Bytes int64
	Why   string
}

// keys are the keys of runs.
const keys = `.+-s-?[0-9]+-[0-9a-f]{16}`

// Files that belong to a run, an oracle or a fit, with their keys.
var (
	fileOfRun        = regexp.MustCompile(`^(` + keys + `)(\.json|\.npz|\.model\.npz|\.[a-z]+\.predictions\.npz)$`)
	fileOfOracle     = regexp.MustCompile(`^oracle-([0-9a-f]{16})\.npz$`)
	fileOfCheckpoint = regexp.MustCompile(`^(` + keys + `)-.+\.npz$`)
)

// Waste finds the files that nothing needs: those of runs and oracles that neither results.json nor a
// plan under way has, checkpoints of runs that are finished or not planned, and what killed commands
// left half written. It looks at names that this program gives alone. The error is [ErrResults] if the
// folder has no results, or others than this version writes.
func (s *Store) Waste() ([]Waste, error) {
	r, err := s.current()
	if err != nil {
		return nil, err
	}
	return s.waste(r)
}

func (s *Store) waste(r *Results) ([]Waste, error) {
	plans, err := s.plans()
	if err != nil {
		return nil, err
	}
	oracles, runs, due := map[string]bool{r.Oracle.Key: true}, map[string]bool{}, map[string]bool{}
	for _, run := range r.Runs {
		runs[run.Key] = true
	}
	for _, p := range plans {
		oracles[p.Oracle.Key] = true
		for _, run := range p.Runs {
			due[run.Key] = true
		}
	}
	var all []Waste
	find := func(folder string, name *regexp.Regexp, why string, needed func(key string) bool) error {
		entries, err := s.Files().Entries(folder)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrResults, err)
		}
		left := atomicfile.Leftovers(s.Path(folder))
		for _, e := range entries {
			w := Waste{Name: e.Name(), Why: why}
			if folder != "." {
				w.Name = folder + "/" + e.Name()
			}
			key := name.FindStringSubmatch(e.Name())
			switch {
			case !e.Type().IsRegular():
				continue
			case slices.Contains(left, e.Name()):
				w.Why = "half written"
			case key == nil || needed(key[1]):
				continue
			}
			if info, err := e.Info(); err == nil {
				w.Bytes = info.Size()
			}
			all = append(all, w)
		}
		return nil
	}
	err = cmp.Or(
		find(".", fileOfOracle, "another oracle", func(key string) bool { return oracles[key] }),
		find("runs", fileOfRun, "a run that is not in the table", func(key string) bool { return runs[key] || due[key] }),
		find("checkpoints", fileOfCheckpoint, "a fit that is not in progress", func(key string) bool {
			return due[key] && s.Files().Missing(runFile(key))
		}),
	)
	return all, err
}

// Clean removes the files that [Store.Waste] finds, and returns those that it has removed. The error is
// [ErrBusy] if another command writes the results of the folder.
func (s *Store) Clean() (removed []Waste, err error) {
	before, _ := s.Files().Stat(resultsFile)
	r, err := s.current() // before a lock is written into a folder of something else
	if err != nil {
		return nil, err
	}
	unlock, err := s.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	now, err := s.Files().Stat(resultsFile)
	if err != nil || before == nil || !os.SameFile(before, now) || !before.ModTime().Equal(now.ModTime()) {
		return nil, fmt.Errorf("%w: the results in %s have just been written; give the command again", ErrBusy, s.dir)
	}
	waste, err := s.waste(r)
	if err != nil {
		return nil, err
	}
	for _, w := range waste {
		if err := s.Files().Remove(w.Name); err != nil {
			return removed, fmt.Errorf("%s cannot be removed: %w", s.Path(w.Name), err)
		}
		removed = append(removed, w)
	}
	return removed, nil
}
