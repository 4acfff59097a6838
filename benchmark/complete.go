package benchmark

import (
	"errors"
	"fmt"

	"github.com/koopbench/koopbench/benchmark/results"
)

// finished returns a run that is on disk and ok, or nil, and what it lacks: nil if what lies beside it
// is there too and can be read, its arrays, and its model and predictions if the plan wants them.
func (h *harness) finished(r run) (result *results.Run, lack error) {
	found, ok, err := h.store.Run(r.key)
	if err == nil && ok {
		err = found.Check(h.Task.Info)
	}
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, errNotMade
	case !found.Evaluated():
		return nil, fmt.Errorf("it ended with the status %q", found.Status)
	}
	found.Method = r.entry.Written
	found.RankBy(h.Protocol)
	for _, check := range []func(run, *results.Run) error{h.checkArrays, h.checkModel, h.checkPredictions} {
		if err := check(r, &found); err != nil {
			return &found, err
		}
	}
	return &found, nil
}

// errNotMade says of a run that it is not in the folder.
var errNotMade = errors.New("it has not been made")

func (h *harness) checkArrays(r run, result *results.Run) error {
	if _, err := h.store.RunArraysOf(h.Task.Info, result); err != nil {
		return err
	}
	found := h.blankResults()
	for i := range result.Evaluations {
		e := &result.Evaluations[i]
		for step, scores := range found.ScoresOf(e) {
			if h.Task.Info.Measure.Together(scores) != e.Score[step] {
				return fmt.Errorf("%w: the %s of %s by %s at step %d does not agree with its labels or scores", results.ErrResults,
					h.Task.Info.Measure.Name, r.key, e.Protocol, step+1)
			}
		}
	}
	return nil
}

func (h *harness) checkModel(r run, _ *results.Run) error {
	if !h.SaveModels || !savable(r.entry.Method) {
		return nil
	}
	m, err := h.store.ReadModel(results.ModelFile(r.key))
	if err == nil && m.Key != r.key {
		err = fmt.Errorf("%w: it says that it is the run %q", results.ErrModel, m.Key)
	}
	return err
}

func (h *harness) checkPredictions(r run, result *results.Run) error {
	if !h.SavePredictions {
		return nil
	}
	for _, e := range result.Evaluations {
		if e.Status != results.StatusOK {
			continue
		}
		if err := h.store.EachPrediction(r.key, e.Protocol, h.Task.Info, nil); err != nil {
			return err
		}
	}
	return nil
}
