package benchmark

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
)

// Run executes a plan and returns its results, which are also in the folder of results.
//
// The oracle is fitted once, before the first run that needs it. A run that fails does not affect
// the others, and is in the results with its reason. If ctx ends, Run stops soon, writes the
// finished runs, and returns them with the context's error. The same plan continues from there. If
// no run has finished, the results are nil.
//
// A shard leaves its runs in the folder, but no results.json. Run returns its results, which may
// have no run. The errors are [ErrBusy] if another command writes the results of the folder, and
// [ErrNotComparable] if the folder has other shards that cannot be merged with this one. They are
// [ErrForeign] or [ErrResults] if Run would overwrite files of something else, or a results.json
// that this version cannot read.
func Run(ctx context.Context, plan Plan) (*results.Results, error) {
	if plan.Observer == nil {
		plan.Observer = noObserver{}
	}
	h := &harness{Plan: plan, store: results.OpenStore(plan.Out), secret: newSecret()}
	ctx, scope := core.WithScope(ctx) // of the oracle
	scope.Name = "oracle"
	results, err := h.run(ctx)
	return results, errors.Join(err, scope.Close())
}

// harness is a plan in progress.
type harness struct {
	Plan
	store  *results.Store
	secret string // see [rows]
	oracle results.OracleInfo
	judge  core.Judge  // nil if the task has a score of its own
	scorer core.Scorer // of that score
	notes  []string    // on what is left out
}

func (h *harness) run(ctx context.Context) (_ *results.Results, err error) {
	defer core.Recover(&err) // data may be read as they are used, and be gone
	d, all, err := h.begin()
	if err != nil {
		return nil, err
	}
	runs, plan := h.due(all), h.planned(all)
	unlock, err := h.claim(plan)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var earlier results.Earlier
	if h.Shard.Whole() {
		if earlier, err = h.store.Earlier(h.blankResults(), h.blanks(all)); err != nil {
			return nil, err
		}
	}
	arrays, err := newTaskArrays(h.Task)
	if err != nil {
		return nil, err
	}
	if err := h.store.WriteTaskArrays(arrays); err != nil {
		return nil, err
	}
	if h.Configuration != nil {
		if err := atomicfile.Write(h.store.Path("config.yaml"), h.Configuration); err != nil {
			return nil, err
		}
	}
	if err := h.store.WritePlan(plan); err != nil {
		return nil, err
	}
	if h.Claimed != nil {
		h.Claimed()
	}
	finished := make([]*results.Run, len(runs))
	pending, err := h.reuse(runs, finished)
	if err != nil {
		return nil, err
	}
	known, err := h.knownOracle()
	if err != nil {
		return nil, err
	}
	results := h.blankResults()
	baselines, have := h.store.Baselines(results)
	if len(pending) > 0 || len(runs) > 0 && (!known || !have) {
		err = h.makeJudge(ctx, known, d, h.Oracle.Options)
	}
	if err == nil && len(runs) > 0 && !have {
		baselines, err = h.makeBaselines(ctx, results)
	}
	if err == nil {
		err = h.execute(ctx, runs, pending, finished)
	}
	return h.conclude(earlier, baselines, finished, err)
}

// begin checks the plan, and lists its runs. It returns the description of the oracle, if there is one.
func (h *harness) begin() (d core.Description, all []run, err error) {
	if h.Protocol == "" {
		h.Protocol = results.ProtocolReencode
	}
	if !slices.Contains(results.Protocols(), h.Protocol) {
		return d, nil, fmt.Errorf("%w: %s", core.ErrOption, core.Unknown("protocol", h.Protocol, results.Protocols()))
	}
	if err := h.Cap(); err != nil {
		return d, nil, err
	}
	if err := h.Check(); err != nil {
		return d, nil, err
	}
	if d, err = h.describeOracle(); err != nil {
		return d, nil, err
	}
	if all, err = h.runs(h.oracle.Key); err != nil {
		return d, nil, err
	}
	return d, all, h.Shard.Check()
}

// conclude makes results of what has finished, and joins and writes them unless they are a shard's. err is why no more
// has.
func (h *harness) conclude(
	earlier results.Earlier, baselines []results.Baseline, finished []*results.Run, err error,
) (*results.Results, error) {
	results := h.blankResults()
	if baselines != nil {
		results.Baselines = baselines
	}
	for _, f := range finished {
		if f != nil {
			results.Runs = append(results.Runs, *f)
		}
	}
	if !h.Shard.Whole() {
		return results, err
	}
	if len(results.Runs) == 0 {
		return nil, errors.Join(err, h.store.RemovePlan())
	}
	joined, notes, failure := earlier.Join(results.Runs)
	if failure != nil {
		return results, errors.Join(err, failure)
	}
	results.Runs, results.Notes = joined, slices.Concat(notes, h.notes)
	if p := results.Task.Plugin; p != nil && p.Checks == nil {
		results.Task.Plugin, _ = p.WithChecks(earlier.Task)
	}
	results.RankBy(h.Protocol)
	results.Warnings = results.AboveOracle()
	if failure := h.store.WriteResults(results); failure != nil {
		return results, errors.Join(err, failure)
	}
	return results, errors.Join(err, h.store.RemovePlan())
}

// describeOracle describes the oracle, of which nothing is known but what was asked for. A task with a
// score of its own has none.
func (h *harness) describeOracle() (d core.Description, err error) {
	if !h.Task.Info.Judged() {
		return d, nil
	}
	options := h.Oracle.Options
	if d, err = described(h.Oracle.Oracle, options); err != nil {
		return d, fmt.Errorf("the oracle: %w", err)
	}
	h.oracle = results.OracleInfo{
		Name: d.Name, Seed: h.Oracle.Seed, Options: options.Map(), Plugin: h.Oracle.Plugin,
	}
	o := &h.oracle
	o.Key = results.OracleKey(h.Task.Info, h.Environment, o.Plugin.Identity(), o.Name, o.Options, o.Seed)
	return d, nil
}

// knownOracle takes what an earlier command knows of the oracle, and reports whether there is nothing
// to find out.
func (h *harness) knownOracle() (bool, error) {
	if !h.Task.Info.Judged() {
		return true, nil
	}
	info, known := h.store.OracleInfo(h.oracle.Key, h.Task.Info)
	if !known || !h.sound(info) {
		return false, nil
	}
	h.oracle = info
	return true, h.recheckOracle()
}

// blankResults are results without runs.
func (h *harness) blankResults() *results.Results {
	r := &results.Results{
		Schema: results.Schema, Task: h.Task.Info, Protocol: h.Protocol, Environment: h.Environment, Oracle: h.oracle,
		Baselines: []results.Baseline{}, MaxEpochs: h.limit(),
	}
	if r.Task.Judged() {
		r.Expected = append([][]int{h.Task.startStates}, h.Task.States.Expected...)
	}
	return r
}

// makeBaselines judges the baselines and keeps them.
func (h *harness) makeBaselines(ctx context.Context, r *results.Results) (all []results.Baseline, err error) {
	ctx, cancel := h.bounded(ctx, newAwake(), 0)
	defer cancel()
	if r.Baselines, err = h.baselines(ctx); err != nil {
		return nil, h.tooLong(ctx, err)
	}
	return r.Baselines, h.store.WriteBaselines(r)
}

// claim makes the folder ready for a plan, and makes sure that no other command writes its results; the function that
// it returns ends that.
func (h *harness) claim(plan results.Planned) (unlock func(), err error) {
	if err := h.store.Prepare(); err != nil {
		return nil, err
	}
	if err := h.store.CheckPart(h.Task.Info); err != nil {
		return nil, err
	}
	if h.Shard.Whole() {
		return h.store.Lock()
	}
	return func() {}, h.store.CheckShards(plan)
}

// reuse fills in the runs that are on disk and ok, and returns the indices of those to be made. These are the others,
// those that lack something that the plan wants, and those that the plan makes again; what is finished of them stays
// until its replacement is. Checkpoints that a process left behind that ended between a run and the next are removed.
func (h *harness) reuse(runs []run, finished []*results.Run) (pending []int, err error) {
	var keys []string
	for i, r := range runs {
		found, lack := h.finished(r)
		finished[i] = found
		if lack != nil || h.again(r) {
			pending = append(pending, i)
			continue
		}
		if err := h.recheckRun(found, r); err != nil {
			return nil, err
		}
		keys = append(keys, r.key)
		h.Observer.Begin(r.entry.Written, r.seed)
		h.Observer.End(r.entry.Written, r.seed, Outcome{Status: found.Status, Reason: found.Reason, Reused: true})
	}
	return pending, removeCheckpoints(h.store, keys...)
}

// execute makes the pending runs, Jobs at a time, each written as it finishes. It returns the first
// error of writing, or the context's; runs that ctx cut short leave nothing. A run whose results
// are written is finished, although it lacks what could not be written. A run that was finished
// before stays so if it fails now, which is an error too.
func (h *harness) execute(ctx context.Context, runs []run, pending []int, finished []*results.Run) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan int)
	var workers sync.WaitGroup
	var lost failures
	jobs := min(max(h.Jobs, 1), max(len(pending), 1))
	for worker := range jobs {
		workers.Go(func() {
			for i := range next {
				result, arrays := h.runOne(ctx, runs[i], share{jobs, threadsOf(worker, jobs, h.Threads)})
				if ctx.Err() != nil && !result.Evaluated() {
					continue
				}
				if finished[i] != nil && !result.Evaluated() {
					lost.add(fmt.Errorf("%s, seed %d, could not be made again (%s: %s); its finished results are kept",
						result.Method, result.Seed, result.Status, result.Reason))
					continue
				}
				if finished[i] != nil && result.Contradicts(finished[i]) > 0 {
					result.Warnings = append(result.Warnings,
						"the run was made again, and its predictions are not those of the first time")
				}
				stored, err := h.store.WriteRun(*result, arrays)
				if stored {
					finished[i] = result
				}
				if err != nil {
					stop(err)
					continue
				}
				if err := removeCheckpoints(h.store, result.Key); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, i := range pending {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	workers.Wait()
	return errors.Join(context.Cause(ctx), errors.Join(lost.all...))
}

// failures collects errors of several goroutines.
type failures struct {
	mu  sync.Mutex
	all []error
}

func (f *failures) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, err)
}

// runOne fits and evaluates, and always has a result.
func (h *harness) runOne(ctx context.Context, r run, s share) (*results.Run, *results.RunArrays) {
	start, m, clock := time.Now(), newMeter(), newAwake()
	ctx, scope := core.WithScope(ctx)
	kept := openCheckpoints(h.store, r.key, h.CheckpointEvery, clock)
	scope.Name, scope.Threads = fmt.Sprintf("%s, seed %d", r.entry.Written, r.seed), s.threads
	ctx, cancel := h.bounded(ctx, clock, kept.before)
	defer cancel()
	progress := h.Observer.Begin(r.entry.Written, r.seed)
	result := h.blank(r, s)
	var arrays *results.RunArrays
	err := core.Contain(func() (err error) {
		arrays, err = h.fitAndEvaluate(ctx, r, kept, result, m, progress)
		return err
	})
	err = h.tooLong(ctx, err)
	result.Warnings = append(result.Warnings, kept.told()...)
	if failure := scope.Close(); failure != nil {
		result.Warnings = append(result.Warnings, "what the run had started did not end cleanly: "+failure.Error())
	}
	if err != nil {
		fail(result, err)
		arrays = nil
	}
	result.Warnings = beginnings(result.Warnings)
	m.report(result, scope)
	if !ensureWritable(result, h.blank(r, s)) {
		arrays = nil
	}
	h.Observer.End(r.entry.Written, r.seed, Outcome{
		Status: result.Status, Reason: result.Reason, Seconds: time.Since(start).Seconds(),
	})
	return result, arrays
}

// blanks are the results of runs of which nothing is known but what was asked for.
func (h *harness) blanks(runs []run) []results.Run {
	all := make([]results.Run, len(runs))
	for i, r := range runs {
		all[i] = *h.blank(r, share{})
	}
	return all
}

// blank is the result of a run of which nothing is known but what was asked for.
func (h *harness) blank(r run, s share) *results.Run {
	return &results.Run{
		Key: r.key, Method: r.entry.Written, Name: r.description.Name, Seed: r.seed, Options: r.entry.Options.Map(),
		Plugin: r.entry.Plugin, Environment: &h.Environment, Exposed: string(r.description.Exposure),
		Isolated: r.entry.Isolated, Jobs: s.jobs, Threads: s.threads, Warnings: []string{},
		Evaluations: []results.Evaluation{}, PredictionSHA256: []string{}, History: []results.Epoch{},
		Eigenvalues: []results.Complex{}, Ranked: &results.Evaluation{Protocol: h.Protocol},
	}
}

// fail makes the result one of a run that was not evaluated.
func fail(r *results.Run, err error) {
	r.Status, r.Reason, r.Trained, r.Untrained = statusOf(err), beginning(err.Error()), false, ""
	r.Evaluations = []results.Evaluation{}
	r.RankBy(r.Ranked.Protocol)
}

// ensureWritable makes a result that cannot be written as JSON one of an invalid run that says why,
// of which only what blank holds is left. The rules for what methods return should leave it nothing
// to do; without it, one run would end all others.
func ensureWritable(result, blank *results.Run) (ok bool) {
	_, err := json.Marshal(result)
	if err == nil {
		return true
	}
	*result = *blank
	fail(result, fmt.Errorf("%w: its result cannot be written: %w", core.ErrContract, err))
	return false
}

// skipped says why a method cannot take part, which is not its fault. Like overtime, it does not
// repeat the status that it stands beside.
type skipped string

func (s skipped) Error() string { return string(s) }

// overtime is the time that was given to a run that took longer.
type overtime time.Duration

func (o overtime) Error() string {
	return fmt.Sprintf("it took more than %v; give more with --timeout", time.Duration(o))
}

func statusOf(err error) results.Status {
	var why skipped
	var late overtime
	switch {
	case errors.As(err, &late):
		return results.StatusTimeout
	case errors.As(err, &why):
		return results.StatusSkipped
	case errors.Is(err, core.ErrContract):
		return results.StatusInvalid
	case errors.Is(err, core.ErrPanic), errors.Is(err, core.ErrCrashed):
		return results.StatusCrashed
	}
	return results.StatusFailed
}

func (h *harness) fitAndEvaluate(
	ctx context.Context, r run, kept *checkpoints, result *results.Run, m *meter, progress core.Progress,
) (*results.RunArrays, error) {
	t := h.training(r.description, r.entry.Options, r.seed, progress)
	t.Checkpoints = kept
	if r.description.Exposure == core.LabelExposed && h.Task.States == nil {
		return nil, skipped(fmt.Sprintf("%s learns from labels, but the task %s has none", r.description.Name,
			h.Task.Info.Name))
	}
	if r.description.Exposure == core.OracleExposed {
		if h.judge == nil {
			return nil, skipped(fmt.Sprintf("%s needs the encoder of an oracle, but the task %s has no oracle",
				r.description.Name, h.Task.Info.Name))
		}
		encoder, ok := core.As[core.Encoder](h.judge)
		if !ok {
			return nil, skipped(fmt.Sprintf("%s needs the encoder of the oracle, but the oracle %q does not give it",
				r.description.Name, h.oracle.Name))
		}
		t.OracleEmbedding = encoder.Encoder()
	}
	var model core.Model
	var err error
	m.measure(&result.FitSeconds, func() { model, err = fit(ctx, "model", r.entry.Method.Fit, t) })
	whole := result.FitSeconds
	if spent, ok := core.ScopeOf(ctx).Spent(); ok {
		result.FitSeconds = max(result.FitSeconds-spent.StartSeconds, 0) // they may have started at the same time
	}
	if err != nil {
		return nil, fmt.Errorf("fit: %w", err)
	}
	result.ResumedSeconds = kept.earlier()
	result.FitSeconds += result.ResumedSeconds
	report, err := reportOf(model)
	if err != nil {
		return nil, err
	}
	result.FitSeconds = max(result.FitSeconds-report.CompileSeconds, 0)
	result.CompileSeconds = report.CompileSeconds
	result.Rank, result.Parameters = report.Rank, report.Parameters
	result.Warnings = append(result.Warnings, report.Warnings...)
	if report.CompileSeconds > whole+result.ResumedSeconds {
		result.Warnings = append(result.Warnings, fmt.Sprintf(
			"the method says that it compiled for %.3g s, but its whole fit took %.3g s", report.CompileSeconds, whole))
	}
	result.History = history(report)
	result.Untrained = beginning(report.Untrained)

	rows := newRows(h.secret, r.key, h.Task.Steps)
	arrays, err := h.evaluate(ctx, model, rows, result, m, progress)
	if err != nil {
		return nil, err
	}
	var other float64 // nobody asks how long eigenfunctions take
	m.measure(&other, func() { err = h.spectrum(ctx, model, rows, result, arrays) })
	if err != nil {
		return nil, err
	}
	arrays.Model = h.save(ctx, r, model, result)
	result.RankBy(h.Protocol)
	return arrays, nil
}

// fit calls the Fit of a method or oracle, which gives what, checks what comes back, and turns a panic into an error.
func fit[T any](
	ctx context.Context, what string, call func(context.Context, *core.Training) (T, error), t *core.Training,
) (_ T, err error) {
	defer core.Recover(&err)
	var none T
	if err := t.Validate(); err != nil {
		return none, err
	}
	fitted, err := call(ctx, t)
	if err == nil && any(fitted) == nil {
		return none, fmt.Errorf("%w: it returned neither a %s nor an error", core.ErrContract, what)
	}
	return fitted, err
}

// reportOf returns the report of something fitted, whose rules it has checked.
func reportOf(fitted any) (core.Report, error) {
	report := core.ReportOf(fitted)
	return report, report.Validate()
}

// training is what a method or oracle of that description gets to see.
func (h *harness) training(
	d core.Description, options core.Options, seed int64, progress core.Progress,
) *core.Training {
	t := &core.Training{
		Train: h.Task.Train, Validation: h.Task.Validation, Lag: h.Task.Lag, States: h.Task.Rank,
		LeastRank: h.Task.leastRank(),
		Options:   options, Seed: seed, Name: d.Name, Progress: progress,
	}
	if d.Exposure == core.LabelExposed {
		h.label(t)
	}
	return t
}

// label adds the states, if there are any.
func (h *harness) label(t *core.Training) {
	if s := h.Task.States; s != nil {
		t.States, t.TrainLabels, t.ValidationLabels = s.Count, s.Train, s.Validation
	}
}

func history(r core.Report) []results.Epoch {
	epochs := make([]results.Epoch, len(r.History))
	for i, e := range r.History {
		epochs[i] = results.Epoch{
			Epoch: e.Number, Train: results.Number(e.Train), Validation: results.Number(e.Validation),
		}
	}
	return epochs
}
