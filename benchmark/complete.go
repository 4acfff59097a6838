package benchmark

import (
	"fmt"
	"slices"
)

// finished returns a run that is on disk and ok, or nil. It is complete if what lies beside it is
// there too and can be read: its arrays, and its model and predictions if the plan wants them.
func (h *harness) finished(r run) (result *RunResult, complete bool) {
	found, ok, err := h.store.Run(r.key)
	if !ok || err != nil || found.Status != StatusOK || found.check(h.Task.Info) != nil {
		return nil, false
	}
	found.Method = r.entry.Label
	for _, check := range []func(run, *RunResult) error{h.checkArrays, h.checkModel, h.checkPredictions} {
		if check(r, &found) != nil {
			return &found, false
		}
	}
	return &found, true
}

func (h *harness) checkArrays(r run, result *RunResult) error {
	arrays, err := h.store.RunArraysOf(h.Task.Info, result)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(arrays.Labels, result.Labels, slices.Equal[[]int]) {
		return fmt.Errorf("%w: the labels of %s are not those of its arrays", ErrResults, r.key)
	}
	for i, recorded := range result.Accuracy {
		if h.accuracyAt(result.Labels[i], i+1) != recorded {
			return fmt.Errorf("%w: the accuracy of %s at step %d is not that of its labels", ErrResults, r.key, i+1)
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

func (h *harness) checkPredictions(r run, _ *RunResult) error {
	if !h.SavePredictions {
		return nil
	}
	return h.store.eachPrediction(r.key, h.Task.Info, nil)
}
