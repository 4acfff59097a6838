package benchmark

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Verification is what [Verify] has found.
type Verification struct {
	// Here is what was found now.
	Here *Results
	// Differences are those of this program and machine, from what the results say of themselves.
	Differences []Difference
	// Oracle says how the judge differs from that of the results, "" where it does not.
	Oracle string
	Runs   []VerifiedRun
}

// VerifiedRun is a run that was made again.
type VerifiedRun struct {
	Recorded, Here *RunResult
	// Step is the first step whose predictions are not the same bits, 0 where all are; Steps is how many are not.
	Step, Steps int
	// Labels is in how many predictions, of all steps, the oracle sees something else.
	Labels int
	// Differences are those of program, plugin and machine from the ones that made the run, which may explain it.
	Differences []Difference
}

// Same reports whether all predictions are the same bits.
func (v VerifiedRun) Same() bool { return v.Step == 0 && v.Here.Status == StatusOK }

// Verify makes runs of results again, in a folder that is removed, and compares the predictions step by step. The plan must
// have the task, the oracle, and the options of the results; its Out is ignored. Runs of the plan that are not among the
// results, or were not evaluated, are left out. The error is [ErrNotComparable] where the plan would judge by other measures
// than the results: that is found before anything is fitted.
func Verify(ctx context.Context, recorded *Results, plan Plan) (v *Verification, err error) {
	here := &Results{Task: plan.Task.Info, Environment: plan.Environment, Oracle: OracleInfo{
		Name: plan.Oracle.Oracle.Describe().Name, Key: recorded.Oracle.Key, Seed: plan.Oracle.Seed,
		Options: plan.Oracle.Options.Map(), Plugin: plan.Oracle.Plugin,
	}}
	v = &Verification{Differences: Differences(here, recorded)}
	var fatal differences
	for _, d := range v.Differences {
		if d.Fatal() {
			fatal = append(fatal, d)
		}
	}
	if len(fatal) > 0 {
		return nil, fmt.Errorf("%w: this is not what the results were made from: %w", ErrNotComparable, fatal.err())
	}
	type name struct {
		label string
		seed  int64
	}
	wanted := map[name]*RunResult{}
	for i, run := range recorded.Runs {
		if run.Status == StatusOK {
			wanted[name{run.Method, run.Seed}] = &recorded.Runs[i]
		}
	}
	only := plan.Only
	plan.Only = func(label string, seed int64) bool {
		return wanted[name{label, seed}] != nil && (only == nil || only(label, seed))
	}
	if plan.Out, err = os.MkdirTemp("", "bench-verify-"); err != nil {
		return nil, err
	}
	plan.CheckpointEvery = -1 // what is made again is made from the beginning
	defer func() { err = errors.Join(err, os.RemoveAll(plan.Out)) }()
	if v.Here, err = Run(ctx, plan); err != nil {
		return nil, err
	}
	if v.Here == nil {
		return nil, fmt.Errorf("%w: no run to make again", ErrResults)
	}
	if a, b := v.Here.Oracle, recorded.Oracle; a.ValidationAccuracy != b.ValidationAccuracy || a.TestAccuracy != b.TestAccuracy {
		v.Oracle = fmt.Sprintf("accuracy %v on validation and %v on test snapshots against %v and %v", a.ValidationAccuracy, a.TestAccuracy, b.ValidationAccuracy, b.TestAccuracy)
	}
	for i := range v.Here.Runs {
		run := &v.Here.Runs[i]
		v.Runs = append(v.Runs, compareRuns(wanted[name{run.Method, run.Seed}], run, recorded))
	}
	return v, nil
}

func compareRuns(old, run *RunResult, recorded *Results) VerifiedRun {
	v := VerifiedRun{Recorded: old, Here: run}
	for i, hash := range old.PredictionSHA256 {
		if i >= len(run.PredictionSHA256) || run.PredictionSHA256[i] != hash {
			v.Steps++
			if v.Step == 0 {
				v.Step = i + 1
			}
		}
	}
	for i := range min(len(old.Labels), len(run.Labels)) {
		for k := range min(len(old.Labels[i]), len(run.Labels[i])) {
			if old.Labels[i][k] != run.Labels[i][k] {
				v.Labels++
			}
		}
	}
	was := &Results{Environment: recorded.Environment}
	if old.Environment != nil {
		was.Environment = *old.Environment
	}
	v.Differences = Differences(&Results{Environment: *run.Environment}, was)
	if run.Plugin.identity() != old.Plugin.identity() {
		v.Differences = append(v.Differences, Difference{AspectCode, fmt.Sprintf("the method is from %s against %s", run.Plugin.Origin(), old.Plugin.Origin())})
	}
	if text := UnlikeOptions(run.Options, old.Options); text != "" {
		v.Differences = append(v.Differences, Difference{AspectCode, "other options: " + text})
	}
	return v
}
