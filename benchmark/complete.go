package benchmark

import "fmt"

// finished returns a run that is on disk and ok, or nil. It is complete if what lies beside it is
// there too and can be read: its arrays, and its model and predictions if the plan wants them.
func (h *harness) finished(r run) (result *RunResult, complete bool) {
	found, ok, err := h.store.Run(r.key)
	if !ok || err != nil || !found.evaluated() || found.check(h.Task.Info) != nil {
		return nil, false
	}
	found.Method = r.entry.Label
	found.rank(h.Protocol)
	for _, check := range []func(run, *RunResult) error{h.checkArrays, h.checkModel, h.checkPredictions} {
		if check(r, &found) != nil {
			return &found, false
		}
	}
	return &found, true
}

func (h *harness) checkArrays(r run, result *RunResult) error {
	if _, err := h.store.RunArraysOf(h.Task.Info, result); err != nil {
		return err
	}
	results := h.blankResults()
	for i := range result.Evaluations {
		e := &result.Evaluations[i]
		for step, scores := range results.ScoresOf(e) {
			if mean(scores) != e.Score[step] {
				return fmt.Errorf("%w: the %s of %s by %s at step %d is not that of its labels or scores", ErrResults,
					h.Task.Info.Measure.Name, r.key, e.Protocol, step+1)
			}
		}
	}
	return nil
}

func (h *harness) checkModel(r run, _ *RunResult) error {
	if !h.SaveModels || !savable(r.entry.Method) {
		return nil
	}
	m, err := h.store.readModel(modelFile(r.key))
	if err == nil && m.Key != r.key {
		err = fmt.Errorf("%w: it says it is the run %q", ErrModel, m.Key)
	}
	return err
}

func (h *harness) checkPredictions(r run, result *RunResult) error {
	if !h.SavePredictions {
		return nil
	}
	for _, e := range result.Evaluations {
		if e.Status != StatusOK {
			continue
		}
		if err := h.store.eachPrediction(r.key, e.Protocol, h.Task.Info, nil); err != nil {
			return err
		}
	}
	return nil
}
