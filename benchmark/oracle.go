package benchmark

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// makeOracle takes the judge of all runs from the folder, if it is known there, or fits it. Both
// together may take as long as a run. What an oracle has learned whose time is over stays in its
// checkpoints.
func (h *harness) makeOracle(ctx context.Context, known bool, d core.Description, options core.Options) error {
	clock := newAwake()
	kept := openCheckpoints(h.store, "oracle-"+h.oracle.Key, h.CheckpointEvery, clock)
	ctx, cancel := h.bounded(ctx, clock, kept.before)
	defer cancel()
	var warning string
	if known {
		var loaded bool
		if loaded, warning = h.loadOracle(ctx); loaded {
			return nil
		}
	}
	return h.observe(ctx, OracleName, fmt.Sprintf("the oracle %q", d.Name), func(progress core.Progress) error {
		return h.fitOracle(ctx, kept, d, options, warning, progress)
	})
}

// fitOracle fits the judge of all runs and keeps how good it is. The warning, if it is not empty, is kept too.
func (h *harness) fitOracle(
	ctx context.Context, kept *checkpoints, d core.Description, options core.Options, warning string,
	progress core.Progress,
) (err error) {
	start := time.Now()
	t := h.training(d, options, h.Oracle.Seed, progress)
	h.label(t)
	t.Checkpoints = kept
	if h.judge, err = fit(ctx, "judge", h.Oracle.Oracle.Fit, t); err != nil {
		return err
	}
	report, err := reportOf(h.judge)
	if err != nil {
		return err
	}
	h.oracle.FitSeconds = kept.earlier() + time.Since(start).Seconds()
	h.oracle.Warnings = append(append([]string{}, report.Warnings...), kept.told()...)
	if warning != "" {
		h.oracle.Warnings = append(h.oracle.Warnings, warning)
	}
	h.oracle.Warnings = beginnings(h.oracle.Warnings)
	h.oracle.History = history(report)
	var seen []int
	for i := range h.Task.Validation.Count() {
		labels, err := h.classify(ctx, h.Task.Validation.At(i))
		if err != nil {
			return err
		}
		seen = append(seen, labels...)
	}
	h.oracle.ValidationAccuracy = results.Accuracy(seen, h.Task.States.Validation)
	if h.oracle.TestLabels, err = h.classify(ctx, h.Task.starts); err != nil {
		return err
	}
	h.oracle.TestAccuracy = results.Accuracy(h.oracle.TestLabels, h.Task.startStates)
	if weak := h.oracle.Weak(); weak != "" {
		h.oracle.Warnings = append(h.oracle.Warnings, weak)
	}
	if err := h.saveOracle(ctx); err != nil {
		return err
	}
	return errors.Join(h.store.WriteOracle(h.oracle), kept.remove())
}

// classify calls the judge and checks what it says.
func (h *harness) classify(ctx context.Context, x core.Snapshots) (_ []int, err error) {
	defer core.Recover(&err)
	labels, err := h.judge.Classify(ctx, x)
	if err != nil {
		return nil, fmt.Errorf("the oracle: %w", err)
	}
	if err := core.CheckLabels(labels, x.Len(), h.Task.Info.States); err != nil {
		return nil, fmt.Errorf("the oracle: %w: %w", core.ErrContract, err)
	}
	return labels, nil
}

// sound reports whether what is known of an oracle fits what it sees in the test snapshots.
func (h *harness) sound(o results.OracleInfo) bool {
	weak := o.Weak()
	return len(o.TestLabels) == len(h.Task.startStates) &&
		o.TestAccuracy == results.Accuracy(o.TestLabels, h.Task.startStates) &&
		(weak == "" || slices.Contains(o.Warnings, weak))
}
