package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/tune"
	"github.com/koopbench/koopbench/benchmark/verify"
	"github.com/koopbench/koopbench/core"
)

// verifyFlags are the flags of `bench verify`.
type verifyFlags struct {
	keys    []string
	plugins *pluginFlags
	data    string
	compute computeFlags
	jobs    int
	timeout time.Duration
	quiet   bool
}

func (a *app) verifyCommand() *cobra.Command {
	f := &verifyFlags{plugins: newPluginFlags(), jobs: 1}
	cmd := &cobra.Command{
		Use:   "verify DIR [FLAGS]",
		Short: "Make the runs of a folder of results again, and compare them with the recorded results",
		Long: `Make the runs of a folder of results again, and compare them with the recorded results. The command
compares predictions bit by bit. It also compares labels, accuracies, losses, eigenvalues, options,
keys, the oracle, the task, and the files beside results.json. It does not change the folder.

First it lists how this machine, its kernels, the code and the plugins differ from those of the record.
With other code or kernels, predictions may differ in their last bits.

The command never runs or opens a file that the results name. Give plugins with --plugin, data that are
not built in with --data, and backends that are libraries with --backend. It does not check times,
memory and the machine, because they cannot be repeated.

The exit status is 0 if everything agrees. It is 1 if something differs or a run could not be made.`,
		Example:           "  " + a.Name + " verify results\n  " + a.Name + " verify results --run vamp-s42-0123456789abcdef",
		Args:              oneArgument("a folder of results"),
		ValidArgsFunction: completeFolder,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.verify(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(list{&f.keys, "KEY"}, "run", "key, in results.json, of a run to make again; may be repeated "+
		"(default all)")
	flags.Var(
		word{&f.data, "FILE|DIR"},
		"data",
		"place of the data, as for "+a.Name+" run, if they are not built in; "+
			"a place that the results name is not used",
	)
	f.compute.add(flags, "compute backend for neural networks (default that of the results, if it is built in)")
	flags.Var(number{&f.jobs, 1, math.MaxInt32}, "jobs", "runs to make at the same time; does not change the results")
	flags.Var(limit{&f.timeout}, "timeout",
		"time limit of each run and of the oracle, like 90s or 2h; 0 for no limit")
	f.plugins.add(cmd)
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "write only differences and errors")
	a.addVerbosity(flags)
	return cmd
}

func (a *app) verify(ctx context.Context, dir string, f *verifyFlags) error {
	store := results.OpenStore(dir)
	recorded, err := store.Results()
	if err == nil {
		err = store.CheckCurrent(recorded)
	}
	if err != nil {
		return err
	}
	wanted, err := wantedRuns(recorded, f.keys)
	if err != nil {
		return err
	}
	s := a.begin()
	defer s.close()
	ctx = s.stoppable(ctx)
	if err := s.computeAsIn(recorded, f.compute); err != nil {
		return err
	}
	if err := s.open(ctx, f.plugins); err != nil {
		return err
	}
	plan, unable, err := s.planAgain(ctx, recorded, wanted, f)
	if err != nil {
		return err
	}
	if !f.quiet {
		o := newObserver(ctx, a.stderr, plan, a.verbose, a.libraries)
		defer o.close()
		plan.Observer = o
	}
	if plan.Size() == 0 {
		return fmt.Errorf("no run of %s can be made again: %w", dir, errors.Join(unable...))
	}
	published := verify.Published{Results: recorded, Store: store, Meaning: s.meaning}
	v, err := verify.Check(ctx, published, *plan)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return interruption("stopped; nothing was compared")
	case errors.Is(err, results.ErrNotComparable) && plan.Task.Info.DataSHA256 != recorded.Task.DataSHA256:
		if f.data != "" {
			return fmt.Errorf("%w; say where these data are now with --data", err)
		}
		return fmt.Errorf("%w; the results are not from the built-in data; say where their data are now "+
			"with --data", err)
	case err != nil:
		return err
	}
	if text := foreignData(ctx, recorded, f, s.catalogue); text != "" {
		v.Findings = append(v.Findings, text)
	}
	if text := foreignChoice(store); text != "" {
		v.Findings = append(v.Findings, text)
	}
	return a.showVerification(recorded, v, unable, f.quiet)
}

// meaning is the method that a name as written stands for, and its options.
func (c *catalogue) meaning(written string) (string, core.Options, error) {
	selections, err := c.Select(written)
	if err != nil {
		return "", core.Options{}, err
	}
	if len(selections) != 1 || selections[0].Written != written {
		return "", core.Options{}, fmt.Errorf("%w: it does not name exactly one method", core.ErrOption)
	}
	return selections[0].Description.Name, selections[0].Options, nil
}

// foreignData says that results call the data of --data those that the task has by itself, if they are
// others.
func foreignData(ctx context.Context, r *results.Results, f *verifyFlags, c *catalogue) string {
	if f.data == "" {
		return ""
	}
	own, err := taskAgain(ctx, r, "", c, io.Discard)
	if err != nil || r.Task.Source != own.Info.Source || r.Task.DataSHA256 == own.Info.DataSHA256 {
		return ""
	}
	return fmt.Sprintf("the data are recorded as %s, but they are different data, those of %s", r.Task.Source, f.data)
}

// taskAgain opens the task of results with data from a place that the command names, "" for those that
// the task has by itself.
func taskAgain(
	ctx context.Context, r *results.Results, data string, c *catalogue, show io.Writer,
) (*benchmark.Task, error) {
	t := r.Task
	task, err := c.Tasks.Get(t.Name)
	if err != nil && t.Plugin != nil {
		return nil, fmt.Errorf("the task came from the plugin %s; give it with --plugin", t.Plugin.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("the task of the results: %w", err)
	}
	d := task.Describe()
	given := maps.Clone(t.Options)
	delete(given, core.DataOption) // a place that results name is none of this machine
	if _, ok := d.Option(core.DataOption); !ok && data != "" {
		return nil, usagef("--data: the task %s does not take data", t.Name)
	} else if ok {
		if given == nil {
			given = map[string]any{}
		}
		given[core.DataOption] = data
	}
	options, err := optionsAgain(d, given)
	if err != nil {
		return nil, fmt.Errorf("the task of the results: %w", err)
	}
	var part onValidation
	if t.Part != "" {
		part = func(p *core.Problem) (*core.Problem, error) { return tune.OnValidation(p, t.Measure.Name) }
	}
	opened, err := openTask(ctx, task, options, c.originInfo(core.KindTask, t.Name), part, show)
	if err != nil {
		return nil, fmt.Errorf("the data of the results, which were in %.200q: %w; say where they are now with --data",
			t.Source, err)
	}
	return opened, nil
}

// wantedRuns are the runs of the keys, or all, that can be made again.
func wantedRuns(r *results.Results, keys []string) (map[runName]bool, error) {
	wanted := map[runName]bool{}
	var known []string
	for _, run := range r.Runs {
		known = append(known, run.Key)
		chosen := len(keys) == 0 || slices.Contains(keys, run.Key)
		if chosen && run.Status.Repeatable() {
			wanted[runName{run.Method, run.Seed}] = true
		}
		if len(keys) > 0 && chosen && !run.Status.Repeatable() {
			return nil, usagef("--run %s: its status is %s, so it cannot be made again", run.Key, run.Status)
		}
	}
	for _, key := range keys {
		if !slices.Contains(known, key) {
			return nil, usagef("--run: %s", core.Unknown("run", key, known))
		}
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("%w: none of the runs was evaluated, so there is nothing to compare", results.ErrResults)
	}
	return wanted, nil
}

// ownBackend are the backends that are parts of this program, as results name them.
var ownBackend = regexp.MustCompile(`^(` + cpuBackend + `(:kernels=[a-z0-9]+)?|` + goBackend + `)$`)

// computeAsIn computes on the backend of the flag, or that of the results if it is a part of this
// program: a library that results name is code of whoever published them. Where this machine does
// not have the kernels, it is the default backend, with a warning.
func (s *session) computeAsIn(r *results.Results, f computeFlags) error {
	backend := r.Environment.Backend
	if f.backend != "" || backend == "" {
		return s.compute(f)
	}
	if !ownBackend.MatchString(backend) {
		return fmt.Errorf("the results name the backend %.200q, which is not part of this program and could "+
			"be code of those who published them; "+
			"choose a backend with --backend, like --backend %s", backend, defaultBackend)
	}
	err := s.compute(computeFlags{backend, f.threads})
	if err == nil {
		return nil
	}
	s.warn("the backend of the results is not available here; %s is used instead: %s\n", defaultBackend,
		firstLine(err.Error()))
	return s.compute(computeFlags{defaultBackend, f.threads})
}

// oracleAgain is the oracle of results, with its options; there is none for a task that has a score of
// its own.
func oracleAgain(r *results.Results, c *catalogue) (o benchmark.OraclePlan, err error) {
	o.Seed = r.Oracle.Seed
	if !r.Task.Judged() {
		return o, nil
	}
	if o.Oracle, err = c.Oracles.Get(r.Oracle.Name); err != nil {
		return o, fmt.Errorf("the oracle of the results: %w; give its plugin with --plugin", err)
	}
	o.Plugin = c.originInfo(core.KindOracle, r.Oracle.Name)
	if o.Options, err = optionsAgain(o.Oracle.Describe(), r.Oracle.Options); err != nil {
		return o, fmt.Errorf("the oracle of the results: %w", err)
	}
	return o, nil
}

// planAgain makes a plan of the wanted runs of results. Methods that are not to be had, or not
// with these options, are in unable.
func (s *session) planAgain(
	ctx context.Context, r *results.Results, wanted map[runName]bool, f *verifyFlags,
) (plan *benchmark.Plan, unable []error, err error) {
	oracle, err := oracleAgain(r, s.catalogue)
	if err != nil {
		return nil, nil, err
	}
	task, err := taskAgain(ctx, r, f.data, s.catalogue, unlessQuiet(f.quiet, s.stderr))
	if err != nil {
		return nil, nil, err
	}
	plan = &benchmark.Plan{
		Task: task, Protocol: r.Protocol, Oracle: oracle, Jobs: f.jobs, Timeout: f.timeout,
		Only: func(method string, seed int64) bool { return wanted[runName{method, seed}] },
	}
	tried := map[string]bool{}
	for _, run := range r.Runs {
		if !wanted[runName{run.Method, run.Seed}] {
			continue
		}
		if !slices.Contains(plan.Seeds, run.Seed) {
			plan.Seeds = append(plan.Seeds, run.Seed)
		}
		if tried[run.Method] {
			continue
		}
		tried[run.Method] = true
		entry, err := entryAgain(s.catalogue, run)
		if err != nil {
			unable = append(unable, fmt.Errorf("%s: %w", run.Method, err))
			continue
		}
		if twin := sameMethod(plan.Entries, entry); twin != "" {
			unable = append(unable, fmt.Errorf("%s: it is recorded with the same method and options as %s, so it "+
				"would be the same run", run.Method, twin))
			continue
		}
		plan.Entries = append(plan.Entries, entry)
	}
	plan.Environment, err = s.environment()
	return plan, unable, err
}

// entryAgain is the method of a run with the options that it had.
func entryAgain(c *catalogue, run results.Run) (benchmark.Entry, error) {
	method, err := c.Methods.Get(run.DeclaredName())
	if err != nil && run.Plugin != nil {
		return benchmark.Entry{}, fmt.Errorf("it came from the plugin %s; give it with --plugin", run.Plugin.Path)
	}
	if err != nil {
		return benchmark.Entry{}, err
	}
	d := method.Describe()
	options, err := optionsAgain(d, run.Options)
	return benchmark.Entry{
		Written: run.Method, Method: method, Options: options, Plugin: c.originInfo(core.KindMethod, d.Name),
	}, err
}

// sameMethod is the name as written of the entry that is the same method with the same options, "" if there
// is none.
func sameMethod(entries []benchmark.Entry, e benchmark.Entry) string {
	for _, other := range entries {
		if other.Method.Describe().Name == e.Method.Describe().Name &&
			results.UnlikeOptions(other.Options.Map(), e.Options.Map()) == "" {
			return other.Written
		}
	}
	return ""
}

// optionsAgain resolves options as results hold them: JSON has no whole numbers.
func optionsAgain(d core.Description, values map[string]any) (core.Options, error) {
	given := map[string]any{}
	for name, value := range values {
		if v, ok := value.(float64); ok && v == math.Trunc(v) {
			if o, known := d.Option(name); known && o.Type() == "int" {
				value = int(v)
			}
		}
		given[name] = value
	}
	return d.Resolve(given)
}

// showVerification lists what differs and returns an error if anything does.
func (a *app) showVerification(r *results.Results, v *verify.Verification, unable []error, quiet bool) error {
	detail := unlessQuiet(quiet, a.stdout)
	for _, aspect := range []struct {
		aspect results.Aspect
		same   string
	}{
		{results.AspectCode, "the same executable"},
		{results.AspectKernels, r.Environment.Backend + ", as recorded"},
		{results.AspectMachine, "the same kind"},
	} {
		text := aspect.same
		for _, d := range v.Differences {
			if d.Aspect == aspect.aspect {
				text = d.Text
			}
		}
		tell(detail, "%-8s  %s", aspect.aspect, text)
	}
	if r.Task.Judged() {
		tell(detail, "%-8s  %s, seed %d: accuracy %.3f on test snapshots here", "oracle", v.Here.Oracle.Name,
			v.Here.Oracle.Seed, v.Here.Oracle.TestAccuracy)
	}
	tell(detail, "")
	found := 0
	for _, run := range v.Runs {
		name := runName{run.Recorded.Method, run.Recorded.Seed}
		w := detail
		if run.Step > 0 {
			found++
			w = a.stdout
		}
		if run.Step > 0 || run.Here.Status == run.Recorded.Status {
			tell(w, "%s: %s", name, verdict(run))
		}
		for _, text := range run.Findings {
			found++
			tell(a.stdout, "%s: %s", name, text)
		}
	}
	for _, text := range v.Findings {
		found++
		tell(a.stdout, "%s", text)
	}
	for _, err := range unable {
		tell(a.stdout, "%s; it was not made again", firstLine(err.Error()))
	}
	for i, text := range v.Unchecked {
		if i == 0 {
			tell(detail, "")
		}
		tell(detail, "not checked: %s", text)
	}
	if found > 0 {
		return fmt.Errorf("the results differ from what was found here; differences: %d", found)
	}
	if len(unable) > 0 {
		return fmt.Errorf("%d methods could not run again: %w", len(unable), unable[0])
	}
	return nil
}

// tell writes a line.
func tell(w io.Writer, format string, values ...any) { say(w, format+"\n", values...) }

func verdict(run verify.Run) string {
	var protocols []string
	steps, starts := 0, 0
	for _, e := range run.Recorded.Evaluations {
		if e.Status != results.StatusOK {
			continue
		}
		protocols, steps = append(protocols, e.Protocol), steps+len(e.PredictionSHA256)
		for _, labels := range e.Labels[:min(1, len(e.Labels))] {
			starts = len(labels)
		}
		for _, scores := range e.Scores[:min(1, len(e.Scores))] {
			starts = len(scores)
		}
	}
	by := strings.Join(protocols, " and ")
	if steps == 0 {
		return fmt.Sprintf("%s, as recorded", run.Here.Status)
	}
	if run.Step == 0 {
		return "the same predictions at all steps, by " + by
	}
	text := fmt.Sprintf("predictions differ from step %d on, at %d of %d steps by %s; the judge disagrees on "+
		"%d of %d",
		run.Step, run.Steps, steps, by, run.Labels, steps*starts)
	var why []string
	for _, d := range run.Differences {
		why = append(why, d.Text)
	}
	if len(why) == 0 {
		return text + "; the record does not explain it"
	}
	return text + "; what differs here: " + strings.Join(why, "; ")
}
