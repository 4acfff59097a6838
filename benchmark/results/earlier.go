package results

import (
	"fmt"
	"slices"
	"strings"
)

// A folder may hold results of an earlier command. Nothing of them leaves the table without a word:
// runs that the plan makes too are taken or replaced, others that can share a table with it stay in
// it, and if there are others that cannot, the plan is refused.

// Earlier are the runs of results.json that a plan does not use unchanged.
type Earlier struct {
	store    *Store
	carried  []Run       // stay in the table, each Carried
	replaced []Run       // have the method and the seed of a run of the plan
	why      string      // reason why they are replaced
	Task     *PluginInfo // that served the task, nil if it is another now
}

// Earlier finds the earlier runs. own are the results of the plan, without any run yet; planned
// lists its future runs. The error is [ErrNotComparable] if there are runs that do not belong to
// the plan and cannot share a table with it.
func (s *Store) Earlier(own *Results, planned []Run) (e Earlier, err error) {
	e.store = s
	if !s.hasResults() {
		return e, nil
	}
	old, err := s.current()
	if err != nil {
		return e, err
	}
	keys, names := map[string]bool{}, map[string]bool{}
	for _, r := range planned {
		keys[r.Key], names[r.Title()] = true, true
	}
	for _, r := range old.Runs {
		switch {
		case keys[r.Key]:
		case names[r.Title()]:
			e.replaced = append(e.replaced, r)
		default:
			r.Carried = true
			e.carried = append(e.carried, r)
		}
	}
	if old.Task.Plugin.Identity() == own.Task.Plugin.Identity() {
		e.Task = old.Task.Plugin
	}
	e.why = "their methods have other options or come from another plugin"
	unlike := settingOf(old).unlike(settingOf(own))
	if len(unlike) > 0 {
		e.why = unlike.err().Error()
	}
	if len(e.carried) == 0 {
		return e, nil
	}
	refuse := func(why string) error {
		return fmt.Errorf("%w: %s has runs that this command does not make (%s), and they cannot stay in its "+
			"table: %s; choose another folder with --out, or remove %s (the runs are kept)",
			ErrNotComparable, s.dir, methodsOf(e.carried), why, s.Path(resultsFile))
	}
	if len(unlike) > 0 {
		return e, refuse(e.why)
	}
	trial := e
	trial.carried = slices.Clone(e.carried)
	if _, _, err := trial.Join(planned); err != nil {
		return e, refuse(strings.TrimPrefix(err.Error(), ErrNotComparable.Error()+": "))
	}
	return e, nil
}

// Replaced returns why an earlier run with the method and the seed of r leaves the table; "" if
// there is no such run.
func (e Earlier) Replaced(r Run) string {
	for _, old := range e.replaced {
		if old.Title() == r.Title() {
			return e.why
		}
	}
	return ""
}

// Join joins the runs of a plan with the earlier runs that stay, as [Merge] does. It also says what
// happened to the earlier ones.
func (e Earlier) Join(own []Run) (all []Run, notes []string, err error) {
	finished := map[string]bool{}
	for i := range own {
		finished[own[i].Title()] = true
	}
	gone := slices.DeleteFunc(slices.Clone(e.replaced), func(r Run) bool { return finished[r.Title()] })
	if n := len(e.replaced) - len(gone); n > 0 {
		notes = append(notes, fmt.Sprintf("%d earlier runs in %s are replaced in its table (%s); their files "+
			"stay in runs/", n, e.store.dir, e.why))
	}
	if len(gone) > 0 {
		notes = append(notes, fmt.Sprintf("%d earlier runs in %s have left its table (%s), and those in their "+
			"place have not finished; the same command makes them", len(gone), e.store.dir, e.why))
	}
	if len(e.carried) == 0 {
		return own, notes, nil
	}
	j := &joined{}
	for _, runs := range [][]Run{own, e.carried} {
		for i := range runs {
			r := &runs[i]
			j.runs = append(j.runs, foundRun{store: e.store, key: r.Key, method: r.Method, seed: r.Seed, result: r})
		}
	}
	if err := j.name(); err != nil {
		return nil, nil, err
	}
	for _, r := range j.runs {
		all = append(all, *r.result)
	}
	notes = append(append(notes, j.notes...), fmt.Sprintf("the table also has %d runs of earlier commands (%s)",
		len(e.carried), methodsOf(e.carried)))
	return all, notes, nil
}

// methodsOf lists the methods of runs, each once.
func methodsOf(runs []Run) string {
	var methods []string
	for _, r := range runs {
		if !slices.Contains(methods, r.Method) {
			methods = append(methods, r.Method)
		}
	}
	return strings.Join(methods, ", ")
}
