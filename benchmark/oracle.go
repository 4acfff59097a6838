package benchmark

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/koopbench/koopbench/core"
)

// WeakJudge is the test accuracy under which an oracle's verdicts come with a warning.
const WeakJudge = 0.95

// makeOracle takes the judge of all runs from the folder, if it is known there, or fits it. Both
// together may take as long as a run. What an oracle has learned whose time is over stays in its
// checkpoints.
func (h *harness) makeOracle(ctx context.Context, known bool, d core.Description, options core.Options) error {
	clock := newAwake()
	kept := h.store.checkpoints("oracle-"+h.oracle.Key, h.CheckpointEvery, clock)
	ctx, cancel := h.bounded(ctx, clock, kept.before)
	defer cancel()
	var warning string
	if known {
		var loaded bool
		if loaded, warning = h.loadOracle(ctx); loaded {
			return nil
		}
	}
	return h.fitOracle(ctx, kept, d, options, warning)
}

// fitOracle fits the judge of all runs and keeps how good it is. The warning, if it is not empty, is kept too.
func (h *harness) fitOracle(
	ctx context.Context, kept *checkpoints, d core.Description, options core.Options, warning string,
) (err error) {
	start := time.Now()
	progress := h.Observer.Begin(OracleLabel, h.Oracle.Seed)
	defer func() {
		err = h.tooLong(ctx, err)
		outcome := Outcome{Status: StatusOK, Seconds: time.Since(start).Seconds()}
		if err != nil {
			outcome.Status, outcome.Reason = statusOf(err), err.Error()
			err = fmt.Errorf("the oracle %q: %w", d.Name, err)
		}
		h.Observer.End(OracleLabel, h.Oracle.Seed, outcome)
	}()
	return core.Contain(func() error {
		return h.makeJudge(ctx, kept, d, options, warning, start, progress)
	})
}

// makeJudge is fitOracle for a fit that began at start.
func (h *harness) makeJudge(
	ctx context.Context, kept *checkpoints, d core.Description, options core.Options, warning string, start time.Time,
	progress core.Progress,
) (err error) {
	t := h.training(d, options, h.Oracle.Seed, progress)
	t.TrainLabels, t.ValidationLabels = h.Task.TrainLabels, h.Task.ValidationLabels
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
	h.oracle.Warnings = shortened(h.oracle.Warnings)
	h.oracle.History = history(report)
	if h.oracle.ValidationAccuracy, err = h.score(ctx, h.Task.Validation, h.Task.ValidationLabels); err != nil {
		return err
	}
	if h.oracle.TestLabels, err = h.classify(ctx, h.Task.Test); err != nil {
		return err
	}
	h.oracle.TestAccuracy = h.accuracyAt(h.oracle.TestLabels, 0)
	if weak := h.oracle.weak(); weak != "" {
		h.oracle.Warnings = append(h.oracle.Warnings, weak)
	}
	if err := h.saveOracle(ctx); err != nil {
		return err
	}
	return errors.Join(h.store.writeJSON(h.store.path("oracle.json"), h.oracle), kept.remove())
}

// score is the share of snapshots that the judge labels rightly.
func (h *harness) score(ctx context.Context, x core.Snapshots, truth []int) (float64, error) {
	labels, err := h.classify(ctx, x)
	if err != nil {
		return 0, err
	}
	return accuracy(labels, truth, 0, h.Task.Info.States), nil
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

// accuracyAt is the share of labels at a step of a roll-out that are right; step 0 is that of the test
// snapshots themselves.
func (h *harness) accuracyAt(labels []int, step int) float64 {
	return accuracy(labels, h.Task.TestLabels, step*h.Task.Info.Lag, h.Task.Info.States)
}

// weak is a warning if the oracle judges badly, "" otherwise.
func (o OracleInfo) weak() string {
	if o.TestAccuracy >= WeakJudge {
		return ""
	}
	return fmt.Sprintf("a weak judge: it labels %.1f%% of the test snapshots rightly, and %.0f%% is the least for "+
		"verdicts to count; give it more epochs", 100*o.TestAccuracy, 100*WeakJudge)
}

// sound reports whether what is known of an oracle fits what it sees in the test snapshots.
func (h *harness) sound(o OracleInfo) bool {
	weak := o.weak()
	return len(o.TestLabels) == len(h.Task.TestLabels) && o.TestAccuracy == h.accuracyAt(o.TestLabels, 0) &&
		(weak == "" || slices.Contains(o.Warnings, weak))
}

// accuracy is the share of labels equal to (truth + moves) mod states.
func accuracy(labels, truth []int, moves, states int) float64 {
	right := 0
	for i, l := range labels {
		if l == (truth[i]+moves)%states {
			right++
		}
	}
	return float64(right) / float64(len(labels))
}
