// Package verify makes published results again, and reports what differs from the record.
package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// Published are results that somebody shows, to be verified. Nothing that they say is taken for
// code or for a path.
type Published struct {
	*results.Results
	// Store is the folder that they are from; it is only read.
	Store *results.Store
	// Meaning returns the method that a name as written stands for, by its declared name, and all its
	// options. The error is [core.ErrUnknown] where there is no such method here.
	Meaning func(method string) (name string, options core.Options, err error)
}

// Verification is what [Check] has found.
type Verification struct {
	// Here is what was found now.
	Here *results.Results
	// Differences are those of this program and machine, from what the results say of themselves.
	Differences []results.Difference
	// Findings are sentences, without a full stop, on what is not as recorded: of the task, the
	// oracle, the files, and what runs say of themselves.
	Findings []string
	// Runs are those that were made again.
	Runs []Run
	// Unchecked are sentences on what was left out.
	Unchecked []string
}

// Run is a run that was made again.
type Run struct {
	Recorded, Here *results.Run
	// Findings are sentences, without a full stop, on what is not as recorded, but for predictions.
	Findings []string
	// Step is the first step whose predictions are not the same bits, 0 where all are; Steps is
	// how many are not.
	Step, Steps int
	// Labels is in how many predictions, of all steps, the judge sees something else.
	Labels int
	// Differences are those of program, plugin and machine from the ones that made the run, which
	// may explain other predictions.
	Differences []results.Difference
}

// Same reports whether all is as recorded.
func (v Run) Same() bool { return v.Step == 0 && len(v.Findings) == 0 }

// Check makes runs of results again, in a folder that is removed, and compares all that can be
// repeated: predictions bit by bit, what follows from them, and the files beside results.json.
// The plan must have the task, the oracle, and the options of the results; its Out is ignored.
// Runs of the plan that are not among the results, or not [Status.Repeatable], are left out. What
// the results say of themselves, keys and names for instance, is checked for all runs.
//
// The error is [ErrResults] where the results have not the form of any, and [ErrNotComparable]
// where the plan would judge by other measures than the results: both are found before anything
// is fitted.
func Check(ctx context.Context, p Published, plan benchmark.Plan) (v *Verification, err error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if err := p.Store.CheckCurrent(p.Results); err != nil {
		return nil, err
	}
	plan.Protocol = p.Protocol
	here := &results.Results{
		Task: plan.Task.Info, Protocol: p.Protocol, Environment: plan.Environment, MaxEpochs: p.MaxEpochs,
	}
	if plan.Task.Info.Judged() {
		here.Oracle = results.OracleInfo{
			Name: plan.Oracle.Oracle.Describe().Name, Key: p.Oracle.Key, Seed: plan.Oracle.Seed,
			Options: plan.Oracle.Options.Map(), Plugin: plan.Oracle.Plugin,
		}
	}
	v = &Verification{Differences: results.Differences(here, p.Results)}
	if err := results.Fatal(v.Differences); err != nil {
		return nil, fmt.Errorf("%w: this is not what the results were made from: %w", results.ErrNotComparable, err)
	}
	asked := plan.Only
	if asked == nil {
		asked = func(string, int64) bool { return true }
	}
	plan.Only = func(method string, seed int64) bool {
		run := p.Run(method, seed)
		return run != nil && run.Status.Repeatable() && asked(method, seed)
	}
	plan.CheckpointEvery = -1 // what is made again is made from the beginning
	plan.SavePredictions, plan.SaveModels, plan.Shard, plan.MaxEpochs = false, p.hasModels(), results.Shard{}, 0
	if plan.Out, err = os.MkdirTemp("", "bench-verify-"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(plan.Out)) }()
	if v.Here, err = benchmark.Run(ctx, plan); err != nil {
		return nil, err
	}
	if v.Here == nil {
		return nil, fmt.Errorf("%w: there is no run to make again", results.ErrResults)
	}
	c := &comparison{Published: p, here: v.Here, made: results.OpenStore(plan.Out), asked: asked, v: v}
	return v, c.compare()
}

// hasModels reports whether the model of any run is in the folder.
func (p Published) hasModels() bool {
	return slices.ContainsFunc(p.Runs, func(r results.Run) bool {
		return !p.Store.Files().Missing(results.ModelFile(r.Key))
	})
}

// comparison holds results against what was made again.
type comparison struct {
	Published
	here  *results.Results
	made  *results.Store // the folder of what was made again
	asked func(method string, seed int64) bool
	v     *Verification
}

func (c *comparison) find(format string, values ...any) {
	c.v.Findings = append(c.v.Findings, fmt.Sprintf(format, values...))
}

func (c *comparison) leave(format string, values ...any) {
	if text := fmt.Sprintf(format, values...); !slices.Contains(c.v.Unchecked, text) {
		c.v.Unchecked = append(c.v.Unchecked, text)
	}
}

func (c *comparison) compare() error {
	if a, b := c.Task.Shape, c.here.Task.Shape; !slices.Equal(a, b) {
		c.find("the shape of the snapshots is recorded as %v but is %v here", a, b)
	}
	c.compareOracle()
	c.compareTask()
	c.checkClaims()
	for i := range c.here.Runs {
		run := &c.here.Runs[i]
		c.v.Runs = append(c.v.Runs, c.compareRun(c.Run(run.Method, run.Seed), run))
	}
	if err := c.compareFiles(); err != nil {
		return err
	}
	c.tellLeft()
	return nil
}

// tellLeft says which runs were not made again.
func (c *comparison) tellLeft() {
	left, checked := 0, false
	for _, p := range []*results.PluginInfo{c.Oracle.Plugin, c.Task.Plugin} {
		checked = checked || p != nil && p.Checks != nil
	}
	for i := range c.Runs {
		run := &c.Runs[i]
		checked = checked || run.Plugin != nil && run.Plugin.Checks != nil
		switch {
		case c.here.Run(run.Method, run.Seed) != nil:
		case !run.Status.Repeatable() && c.asked(run.Method, run.Seed):
			c.find("%s: it is recorded as %s, so its result is unknown", run.Title(), run.Status)
		default:
			left++
		}
	}
	if left > 0 {
		c.leave("runs that were not made again: %d", left)
	}
	if checked {
		c.leave("the outcome of the conformance checks of plugins, which bench plugin check makes")
	}
	if a, b := c.Task.Source, c.here.Task.Source; a != b {
		c.leave("the name of the data, which is recorded as %.200q but is %.200q here", a, b)
	}
	c.leave("seconds, memory, processor, machine, command line, version texts, and the paths of data and plugins, " +
		"because they cannot be repeated")
}

// compareRun compares a run with what was made again.
func (c *comparison) compareRun(old, run *results.Run) Run {
	v := Run{Recorded: old, Here: run}
	was := &results.Results{Environment: c.EnvironmentOf(old)}
	v.Differences = results.Differences(&results.Results{Environment: *run.Environment}, was)
	if run.Plugin.Identity() != old.Plugin.Identity() {
		text := fmt.Sprintf("the method is from %s against %s", run.Plugin.Origin(), old.Plugin.Origin())
		v.Differences = append(v.Differences, results.Difference{Aspect: results.AspectCode, Text: text})
	}
	t := &told{}
	if (run.Plugin == nil) != (old.Plugin == nil) {
		t.add("the method is recorded as from %s but is from %s here", old.Plugin.Origin(), run.Plugin.Origin())
	}
	if text := results.UnlikeOptions(old.Options, run.Options); text != "" {
		t.add("its recorded options differ from those here: %s", text)
	}
	if old.Exposed != run.Exposed {
		t.add("what the method sees is recorded as %q but is %q here", old.Exposed, run.Exposed)
	}
	c.compareEvaluations(&v, t)
	fitted := len(old.Evaluations) > 0 && len(run.Evaluations) > 0
	switch {
	case fitted:
		c.compareFitted(old, run, t)
	case old.Status != run.Status:
		t.add("it is recorded as %s but is %s here%s", old.Status, run.Status, reasonText(run.Reason))
	case old.Reason != run.Reason && tellsReason(old, old.Status):
		t.add("the reason is recorded as %.200q but is %.200q here", old.Reason, run.Reason)
	}
	v.Findings = t.sentences()
	return v
}

// tellsReason reports whether a run that ended so gives the same reason each time: a panic, or what another process
// says, need not.
func tellsReason(r *results.Run, s results.Status) bool {
	return r.Plugin == nil && !r.Isolated && s != results.StatusCrashed
}

func reasonText(reason string) string {
	if reason == "" {
		return ""
	}
	line, _, _ := strings.Cut(reason, "\n")
	return ": " + line
}

// compareEvaluations compares what there is of every protocol and step.
func (c *comparison) compareEvaluations(v *Run, t *told) {
	for _, protocol := range results.Protocols() {
		old, here := v.Recorded.Evaluation(protocol), v.Here.Evaluation(protocol)
		by := ""
		if protocol != c.Protocol {
			by = " by " + protocol
		}
		switch {
		case here == nil:
		case old == nil:
			t.add("there is no record%s, but it is %s here", by, here.Status)
		case old.Status != here.Status:
			t.add("it is recorded as %s%s but is %s here%s", old.Status, by, here.Status, reasonText(here.Reason))
		case old.Status == results.StatusOK:
			c.compareSteps(v, old, here, by, t)
		case old.Reason != here.Reason && tellsReason(v.Recorded, old.Status):
			t.add("the reason%s is recorded as %.200q but is %.200q here", by, old.Reason, here.Reason)
		}
	}
}

// compareSteps compares two evaluations step by step. What is recorded must also follow from what else
// is recorded.
func (c *comparison) compareSteps(v *Run, old, here *results.Evaluation, by string, t *told) {
	name := c.Task.Measure.Name
	recorded, scores := c.here.ScoresOf(old), c.here.ScoresOf(here)
	if len(recorded) != len(scores) {
		t.add("scores%s are recorded for %d steps, but there are %d here", by, len(recorded), len(scores))
		return
	}
	for i, score := range old.Score {
		step := i + 1
		same := old.PredictionSHA256[i] == here.PredictionSHA256[i]
		if !same {
			v.Steps++
			if v.Step == 0 || step < v.Step {
				v.Step = step
			}
		}
		others, what := 0, "scores"
		for k := range scores[i] {
			if recorded[i][k] != scores[i][k] || old.Labels != nil && old.Labels[i][k] != here.Labels[i][k] {
				others++
			}
		}
		if old.Labels != nil {
			what = "labels"
		}
		v.Labels += others
		if others > 0 && same {
			t.steps(what+by, "the recorded %s at step %d%s differ from those here in %d of %d, although the predictions are "+
				"the same", what,
				step, by, others, len(scores[i]))
		}
		given := c.Task.Measure.Together(recorded[i])
		switch {
		case score != here.Score[i] && score != given && given != here.Score[i]:
			t.steps(name+by, "%s at step %d%s is recorded as %v but is %v here, and the recorded %s give %v", name, step, by,
				score, here.Score[i], what, given)
		case score != here.Score[i]:
			t.steps(name+by, "%s at step %d%s is recorded as %v but is %v here", name, step, by, score, here.Score[i])
		case score != given:
			t.steps(name+by, "%s at step %d%s is recorded as %v, but the recorded %s give %v", name, step, by, score, what,
				given)
		}
	}
}

// compareFitted compares what is known of the fit and its model.
func (c *comparison) compareFitted(old, run *results.Run, t *told) {
	if old.Untrained != run.Untrained {
		t.add("the reason why it is untrained is recorded as %.200q but is %.200q here", old.Untrained, run.Untrained)
	}
	c.compareWarnings(old.Warnings, run.Warnings, t)
	compareHistories(old.History, run.History, t)
	if a, b := len(old.Eigenvalues), len(run.Eigenvalues); a != b {
		t.add("the number of eigenvalues is recorded as %d but is %d here", a, b)
	} else {
		for i, value := range old.Eigenvalues {
			if value != run.Eigenvalues[i] {
				t.steps("eigenvalue", "eigenvalue %d is recorded as %v but is %v here", i+1, complex128(value),
					complex128(run.Eigenvalues[i]))
			}
		}
	}
	if !reflect.DeepEqual(old.Diagnostics, run.Diagnostics) {
		t.add("the recorded diagnostics of its operator differ from those here")
	}
	if old.Rank != run.Rank {
		t.add("rank is recorded as %d but is %d here", old.Rank, run.Rank)
	}
	if old.Parameters != run.Parameters {
		t.add("parameters are recorded as %d but are %d here", old.Parameters, run.Parameters)
	}
}

func compareHistories(old, here []results.Epoch, t *told) {
	if len(old) != len(here) {
		t.add("the number of epochs is recorded as %d but is %d here", len(old), len(here))
		return
	}
	for i, e := range old {
		if h := here[i]; e.Epoch != h.Epoch || !sameNumber(e.Train, h.Train) || !sameNumber(e.Validation, h.Validation) {
			t.steps("history", "entry %d of the history is recorded as epoch %d with the losses %v and %v, but is "+
				"epoch %d with %v and %v here",
				i+1, e.Epoch, e.Train, e.Validation, h.Epoch, h.Train, h.Validation)
		}
	}
}

// sameNumber compares numbers as JSON has them, where what is not finite is null.
func sameNumber(a, b results.Number) bool {
	return a == b || results.Finite(float64(a)) == nil && results.Finite(float64(b)) == nil
}

// circumstances begin the warnings that are about checkpoints, files and processes: what the
// method finds is none of them.
var circumstances = []string{
	"the checkpoint ", "a checkpoint ", "the method says that it compiled for ", "the model was not saved: ",
	"what the run had started did not end cleanly: ",
	"the oracle was fitted again, because its file was not used: ",
	"the run was made again, and its predictions are not those of the first time",
}

// compareWarnings compares the warnings of a method or an oracle.
func (c *comparison) compareWarnings(old, here []string, t *told) {
	momentary := func(w string) bool {
		return slices.ContainsFunc(circumstances, func(begin string) bool { return strings.HasPrefix(w, begin) })
	}
	for _, w := range old {
		if momentary(w) {
			c.leave("the warning %.200q, which depends on the moment", w)
		}
	}
	old, here = slices.DeleteFunc(slices.Clone(old), momentary), slices.DeleteFunc(slices.Clone(here), momentary)
	if slices.Equal(old, here) {
		return
	}
	for i := range max(len(old), len(here)) {
		switch {
		case i >= len(old):
			t.add("the warning %.200q is not recorded but is given here", here[i])
		case i >= len(here):
			t.add("the warning %.200q is recorded but is not given here", old[i])
		case old[i] != here[i]:
			t.add("a warning is recorded as %.200q but is %.200q here", old[i], here[i])
		}
	}
}

// compareTask compares what the results say of the task, and of its baselines.
func (c *comparison) compareTask() {
	old, here := c.Task, c.here.Task
	old.Source, here.Source = "", ""
	old.Options = here.Options // compared before anything was made, where other code need not know all of them
	if old.Interval > 0 && here.Interval == 0 && old.DataSHA256 == here.DataSHA256 {
		c.leave("the interval and the unit of time, which the data given here do not have")
		old.Interval, old.TimeUnit = here.Interval, here.TimeUnit
	}
	old.Plugin, here.Plugin = old.Plugin.SameCode(), here.Plugin.SameCode()
	unlikeFields(old, here, "shape", func(field, a, b string) {
		c.find("of the task, %s is recorded as %s but is %s here", field, a, b)
	})
	if !reflect.DeepEqual(c.Expected, c.here.Expected) {
		c.find("the recorded expected states differ from those here")
	}
	if !reflect.DeepEqual(c.Baselines, c.here.Baselines) {
		c.find("the recorded baselines differ from those here")
	}
}

// compareOracle compares the judge.
func (c *comparison) compareOracle() {
	old, here := c.Oracle, c.here.Oracle
	if !c.Task.Judged() {
		return
	}
	t := &told{}
	if old.ValidationAccuracy != here.ValidationAccuracy {
		t.add("accuracy on validation snapshots is recorded as %v but is %v here", old.ValidationAccuracy,
			here.ValidationAccuracy)
	}
	if old.TestAccuracy != here.TestAccuracy {
		t.add("accuracy on test snapshots is recorded as %v but is %v here", old.TestAccuracy, here.TestAccuracy)
	}
	others := 0
	for i, label := range old.TestLabels {
		if label != here.TestLabels[i] {
			others++
		}
	}
	if others > 0 {
		t.add("its recorded labels of the test snapshots differ from those here in %d of %d", others,
			len(old.TestLabels))
	}
	given := results.Accuracy(old.TestLabels, c.here.Expected[0])
	switch {
	case len(old.TestLabels) == 0:
		t.add("its labels of the test snapshots are not recorded")
	case given != old.TestAccuracy && old.TestAccuracy == here.TestAccuracy:
		t.add("accuracy on test snapshots is recorded as %v, but the recorded labels give %v", old.TestAccuracy, given)
	}
	if (old.Plugin == nil) != (here.Plugin == nil) {
		t.add("it is recorded as from %s but is from %s here", old.Plugin.Origin(), here.Plugin.Origin())
	}
	c.compareWarnings(old.Warnings, here.Warnings, t)
	compareHistories(old.History, here.History, t)
	for _, text := range t.sentences() {
		c.find("the oracle %s: %s", old.Name, text)
	}
}

// told collects sentences; of those of a kind, one a step for instance, it keeps the first and a
// count.
type told struct {
	texts []string
	kinds map[string]int // place in texts
	more  map[int]int
}

func (t *told) add(format string, values ...any) {
	t.texts = append(t.texts, fmt.Sprintf(format, values...))
}

func (t *told) steps(kind, format string, values ...any) {
	if place, known := t.kinds[kind]; known {
		t.more[place]++
		return
	}
	if t.kinds == nil {
		t.kinds, t.more = map[string]int{}, map[int]int{}
	}
	t.kinds[kind] = len(t.texts)
	t.add(format, values...)
}

func (t *told) sentences() []string {
	for place, n := range t.more {
		t.texts[place] += fmt.Sprintf(" (and %d more differ)", n)
	}
	return t.texts
}
