package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// verifyFlags are the flags of `bench verify`.
type verifyFlags struct {
	keys    []string
	plugins *pluginFlags
	data    string
	backend string
	threads int
	jobs    int
	timeout time.Duration
	quiet   bool
}

func (a *app) verifyCommand() *cobra.Command {
	f := &verifyFlags{plugins: newPluginFlags(), jobs: 1}
	cmd := &cobra.Command{
		Use:   "verify DIR [FLAGS]",
		Short: "Make the runs of a folder of results again, and compare their predictions bit by bit",
		Long: `Make the runs of a folder of results again, and compare the SHA-256 of their predictions step by step. The folder is
only read. What differs here from where the runs were made (machine, kernels, code, plugins) is listed first: of other code
or on other kernels predictions may differ in their last bits.

The exit status is 0 where all predictions are the same, and 1 where some are not or a run could not be made.`,
		Example: "  " + a.Name + " verify results\n  " + a.Name + " verify results --run vamp-s42-0123456789abcdef",
		Args:    oneArgument("a folder of results"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.verify(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(list{&f.keys, "KEY"}, "run", "run to make again, by its key in results.json; may be repeated (default all)")
	flags.Var(word{&f.data, "DIR"}, "data", "folder of the data, where it is not the one that the results name")
	flags.Var(word{&f.backend, "NAME"}, "backend", "where neural networks compute (default that of the results, or what this machine has of it)")
	flags.Var(number{&f.threads, 1, maxThreads}, "threads", "processor threads to compute on, 0 for all; it changes no number")
	flags.Var(number{&f.jobs, 1, math.MaxInt32}, "jobs", "runs under way at once; it changes no number")
	flags.Var(limit{&f.timeout}, "timeout", "time that a run may take, like 90s or 2h; 0 for no limit")
	f.plugins.add(cmd)
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "write what differs and errors only")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "write every epoch, what libraries log, and errors in full")
	if err := cmd.MarkFlagDirname("data"); err != nil {
		panic(err)
	}
	return cmd
}

func (a *app) verify(ctx context.Context, dir string, f *verifyFlags) error {
	recorded, err := benchmark.OpenStore(dir).Results()
	if err != nil {
		return err
	}
	wanted, err := wantedRuns(recorded, f.keys)
	if err != nil {
		return err
	}
	ctx, stop := stopBySignal(ctx)
	defer stop()
	if f.threads > 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(f.threads))
	}
	rt, err := a.runtimeOf(recorded, f)
	if err != nil {
		return err
	}
	logs := &pluginLogs{level: hclog.Debug}
	if a.verbose {
		logs.terminal = a.stderr
	}
	defer logs.close()
	c, err := a.catalogue(ctx, rt, f.plugins, logs)
	if err != nil {
		return err
	}
	defer c.close()
	plan, unable, err := a.planAgain(recorded, wanted, f, c)
	if err != nil {
		return err
	}
	if !f.quiet {
		o := newObserver(ctx, a.stderr, plan, a.verbose)
		defer o.close()
		plan.Observer = o
	}
	if plan.Size() == 0 {
		return fmt.Errorf("no run of %s can be made again: %w", dir, errors.Join(unable...))
	}
	v, err := benchmark.Verify(ctx, recorded, *plan)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return interruption("stopped; nothing was compared")
	case errors.Is(err, benchmark.ErrNotComparable) && plan.Task.Info.DataSHA256 != recorded.Task.DataSHA256:
		return fmt.Errorf("%w; give the folder of the data with --data", err)
	case err != nil:
		return err
	}
	return a.showVerification(recorded, v, unable, f.quiet)
}

// wantedRuns are the evaluated runs of the keys, or all.
func wantedRuns(r *benchmark.Results, keys []string) (map[runName]bool, error) {
	wanted := map[runName]bool{}
	var known []string
	for _, run := range r.Runs {
		known = append(known, run.Key)
		chosen := len(keys) == 0 || slices.Contains(keys, run.Key)
		if chosen && run.Status == benchmark.StatusOK {
			wanted[runName{run.Method, run.Seed}] = true
		}
		if len(keys) > 0 && chosen && run.Status != benchmark.StatusOK {
			return nil, usagef("--run %s: it was %s, and has no predictions to compare", run.Key, run.Status)
		}
	}
	for _, key := range keys {
		if !slices.Contains(known, key) {
			return nil, usagef("--run: %s", core.Unknown("run", key, known))
		}
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("%w: no run was evaluated, so there are no predictions to compare", benchmark.ErrResults)
	}
	return wanted, nil
}

// runtimeOf opens the backend of the results, or that of the flag. Where this machine does not have it, it is the default one,
// with a warning.
func (a *app) runtimeOf(r *benchmark.Results, f *verifyFlags) (*nn.Runtime, error) {
	if f.backend != "" || r.Environment.Backend == "" {
		return openRuntime(f.backend, f.threads)
	}
	rt, err := openRuntime(r.Environment.Backend, f.threads)
	if err == nil {
		return rt, nil
	}
	a.warn("the backend of the results cannot be had here, and %s takes its place: %s\n", defaultBackend, firstLine(err.Error()))
	return openRuntime(defaultBackend, f.threads)
}

// planAgain makes a plan of the wanted runs of results. Methods that are not to be had, or not with these options, are in
// unable.
func (a *app) planAgain(r *benchmark.Results, wanted map[runName]bool, f *verifyFlags, c *catalogue) (plan *benchmark.Plan, unable []error, err error) {
	oracle, err := planOracle(c, r.Oracle.Name, r.Oracle.Seed)
	if err != nil {
		return nil, nil, fmt.Errorf("the oracle of the results: %w; give its plugin with --plugin", err)
	}
	if oracle.Options, err = optionsAgain(oracle.Oracle.Describe(), r.Oracle.Options); err != nil {
		return nil, nil, fmt.Errorf("the oracle of the results: %w", err)
	}
	t := r.Task
	data := f.data
	if info, err := os.Stat(t.Source); data == "" && err == nil && info.IsDir() {
		data = t.Source
	}
	task, err := openTask(&runFlags{
		data: data, digits: t.States, steps: t.Steps, protocol: t.Protocol, split: split{Train: t.Train, Validation: t.Validation, Test: t.Test},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("the data of the results (%s): %w; give its folder with --data", t.Source, err)
	}
	plan = &benchmark.Plan{
		Task: task, Oracle: oracle, Jobs: f.jobs, Timeout: f.timeout,
		Only: func(label string, seed int64) bool { return wanted[runName{label, seed}] },
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
		entry, err := entryAgain(c, run)
		if err != nil {
			unable = append(unable, fmt.Errorf("%s: %w", run.Method, err))
			continue
		}
		plan.Entries = append(plan.Entries, entry)
	}
	if plan.Environment, err = benchmark.Here(a.Version); err != nil {
		return nil, nil, err
	}
	plan.Environment.Command = append([]string{a.Name}, a.args...)
	plan.Environment.Backend, err = backendIdentity(c.runtime)
	return plan, unable, err
}

// entryAgain is the method of a run with the options that it had.
func entryAgain(c *catalogue, run benchmark.RunResult) (benchmark.Entry, error) {
	method, err := c.Methods.Get(run.DeclaredName())
	if err != nil && run.Plugin != nil {
		return benchmark.Entry{}, fmt.Errorf("it came from the plugin %s; give it with --plugin", run.Plugin.Path)
	}
	if err != nil {
		return benchmark.Entry{}, err
	}
	d := method.Describe()
	options, err := optionsAgain(d, run.Options)
	return benchmark.Entry{Label: run.Method, Method: method, Options: options, Plugin: c.methodPlugin(d.Name)}, err
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

// showVerification lists what differs and returns an error if predictions do.
func (a *app) showVerification(r *benchmark.Results, v *benchmark.Verification, unable []error, quiet bool) error {
	always, detail := a.stdout, a.stdout
	if quiet {
		detail = io.Discard
	}
	for _, aspect := range []struct {
		aspect benchmark.Aspect
		same   string
	}{
		{benchmark.AspectCode, "the same executable"},
		{benchmark.AspectKernels, r.Environment.Backend + ", as then"},
		{benchmark.AspectMachine, "alike"},
	} {
		text := aspect.same
		for _, d := range v.Differences {
			if d.Aspect == aspect.aspect {
				text = d.Text
			}
		}
		say(detail, "%-8s  %s\n", aspect.aspect, text)
	}
	if v.Oracle != "" {
		say(always, "%-8s  %s differs: %s\n\n", "oracle", r.Oracle.Name, v.Oracle)
	} else {
		say(detail, "%-8s  %s, seed %d: accuracy %.3f on test snapshots, as then\n\n", "oracle", r.Oracle.Name, r.Oracle.Seed, r.Oracle.TestAccuracy)
	}
	bad := 0
	for _, run := range v.Runs {
		w := detail
		if !run.Same() {
			bad++
			w = always
		}
		say(w, "%s: %s\n", runName{run.Recorded.Method, run.Recorded.Seed}, verdict(run))
	}
	for _, err := range unable {
		say(always, "%s; not made again\n", firstLine(err.Error()))
	}
	if left := len(r.Runs) - len(v.Runs); left > 0 {
		say(detail, "(%d other runs of the results were not made again)\n", left)
	}
	switch {
	case bad > 0:
		return fmt.Errorf("%d of %d runs have other predictions than the results", bad, len(v.Runs))
	case v.Oracle != "":
		return fmt.Errorf("all predictions are the same, but the oracle is not: %s", v.Oracle)
	case len(unable) > 0:
		return fmt.Errorf("%d methods could not be run again: %w", len(unable), unable[0])
	}
	return nil
}

func verdict(run benchmark.VerifiedRun) string {
	steps := len(run.Recorded.PredictionSHA256)
	if run.Same() {
		return fmt.Sprintf("the same predictions at all %d steps", steps)
	}
	var text string
	if run.Here.Status != benchmark.StatusOK {
		text = fmt.Sprintf("%s: %s", run.Here.Status, firstLine(run.Here.Reason))
	} else {
		text = fmt.Sprintf("other predictions from step %d on, at %d of %d steps; the oracle sees something else in %d of %d",
			run.Step, run.Steps, steps, run.Labels, steps*len(run.Recorded.Labels[0]))
	}
	var why []string
	for _, d := range run.Differences {
		why = append(why, d.Text)
	}
	if len(why) == 0 {
		return text + "; nothing that is recorded explains it"
	}
	return text + "; what differs here: " + strings.Join(why, "; ")
}
