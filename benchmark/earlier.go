package benchmark

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A folder may hold results of an earlier command. Nothing of them leaves the table without a word:
// runs that the plan makes too are taken or replaced, others that can share a table with it stay in
// it, and if there are others that cannot, the plan is refused.

// earlier returns the runs of results.json that are not of the plan, each Carried. The error is
// [ErrNotComparable] if they cannot share a table with it.
func (h *harness) earlier(runs []run) (carried []RunResult, notes []string, err error) {
	if !h.Shard.Whole() || !h.store.hasResults() {
		return nil, nil, nil
	}
	old, err := h.store.Results()
	if err != nil {
		return nil, nil, err
	}
	type name struct {
		label string
		seed  int64
	}
	keys, names := map[string]bool{}, map[name]bool{}
	for _, r := range runs {
		keys[r.key], names[name{r.entry.Label, r.seed}] = true, true
	}
	replaced := 0
	for _, r := range old.Runs {
		switch {
		case keys[r.Key]:
		case names[name{r.Method, r.Seed}]:
			replaced++
		default:
			r.Carried = true
			carried = append(carried, r)
		}
	}
	own := setting{h.Task.Info, h.oracle, h.Environment, h.limit()}
	unlike := settingOf(old).unlike(own)
	if replaced > 0 {
		why := "their methods have other options or come from another plugin"
		if len(unlike) > 0 {
			why = unlike.err().Error()
		}
		notes = append(notes, fmt.Sprintf("%d runs of earlier results in %s are replaced in its table (%s); their files stay in runs/",
			replaced, h.store.dir, why))
	}
	if len(carried) == 0 {
		return nil, notes, nil
	}
	refuse := func(why error) error {
		return fmt.Errorf("%w: %s has results of runs that this command does not make (%s), and they cannot stay in its "+
			"table: %w; choose another folder with --out, or remove %s: the runs stay",
			ErrNotComparable, h.store.dir, labelsOf(carried), why, h.store.path("results.json"))
	}
	if len(unlike) > 0 {
		return nil, nil, refuse(unlike.err())
	}
	var planned []RunResult
	for _, r := range runs {
		planned = append(planned, RunResult{
			Key: r.key, Method: r.entry.Label, Name: r.description.Name, Seed: r.seed,
			Options: r.options.Map(), Plugin: r.entry.Plugin,
		})
	}
	if _, err := h.store.together(planned, slices.Clone(carried)); err != nil {
		return nil, nil, refuse(errors.New(strings.TrimPrefix(err.Error(), ErrNotComparable.Error()+": ")))
	}
	kept := fmt.Sprintf("the table also holds %d runs of earlier commands (%s)", len(carried), labelsOf(carried))
	return carried, append(notes, kept), nil
}

// together joins the runs of a plan with those of earlier commands, as [Merge] does.
func (s *Store) together(own, carried []RunResult) ([]RunResult, error) {
	j := &joined{}
	for _, runs := range [][]RunResult{own, carried} {
		for i := range runs {
			r := &runs[i]
			j.runs = append(j.runs, foundRun{store: s, key: r.Key, label: r.Method, seed: r.Seed, result: r})
		}
	}
	if err := j.name(); err != nil {
		return nil, err
	}
	all := make([]RunResult, len(j.runs))
	for i, r := range j.runs {
		all[i] = *r.result
	}
	return all, nil
}

// labelsOf lists the labels of runs, each once.
func labelsOf(runs []RunResult) string {
	var labels []string
	for _, r := range runs {
		if !slices.Contains(labels, r.Method) {
			labels = append(labels, r.Method)
		}
	}
	return strings.Join(labels, ", ")
}
