package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

const (
	defaultOracle = "cnn"
	maxThreads    = 1024
)

// runFlags are the flags of `bench run`.
type runFlags struct {
	config     string
	configured bool // the plugins are those of the configuration
	methods    string
	plugins    *pluginFlags
	seeds      seeds
	oracle     string
	oracleSeed seed
	epochs     int
	out        string
	task       *taskFlags
	tasks      string // "" for one task
	protocol   string
	compute    computeFlags
	jobs       int
	isolate    bool
	profile    bool
	check      bool
	timeout    time.Duration
	shard      shard
	checkpoint time.Duration
	saveModels bool
	predicted  bool
	force      string // methods whose finished runs are made again
	dry        bool
	quiet      bool
}

func (a *app) runCommand() *cobra.Command {
	f := newRunFlags()
	cmd := &cobra.Command{
		Use:   "run [FLAGS]",
		Short: "Fit methods, roll them out from the test snapshots, and score their predictions",
		Long: `Fit methods to a task at one or more seeds, roll them out from the test snapshots, and score their
predictions. The results go to a folder: a table, a report page, figures and machine-readable files.

Each fit is evaluated by two protocols. With reencode, each predicted snapshot is the next input.
With powers, the model predicts all steps from the test snapshot by powers of its evolution operator;
this needs a model that can do so. --protocol chooses the one that ranks the methods.

Finished runs stay in the folder and are not made again. If the command is interrupted, give it again:
it continues where it stopped, even in the middle of training.

--tasks runs several tasks. Each task gets its own folder of results, DIR/TASK, and DIR/tasks.html
compares them. "all" means every task except trajectory, which needs data of your own. A flag such as
--steps sets that option of every task that has it. If one task fails, the others still run.

--shard splits the runs among processes or machines. They can write to one shared folder, or each to
its own; then ` + a.Name + ` merge joins their results.`,
		Example: "  " + a.Name + " run\n" +
			"  " + a.Name + " run --methods 'vamp?epochs=20&lr=1e-3,linear' --seeds 0..4 --jobs 2\n" +
			"  " + a.Name + " run --epochs 1 --split 300,100,100 --out /tmp/quick\n" +
			"  " + a.Name + " run --tasks 'lorenz63,prinz-potential?lag=10' --methods linear,dmd --out results/tasks",
		Args: a.noListAsArguments("methods", "seeds", "data", "tasks"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.configure(cmd.Flags()); err != nil {
				return err
			}
			return a.benchmark(cmd.Context(), f, cmd.Flags())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(word{&f.config, "FILE"}, "config",
		"YAML file that sets flags by their names; flags on the command line override it")
	flags.Var(word{&f.methods, "LIST"}, "methods",
		"methods to run: names, name?option=value&option=value, patterns with *, groups such as notebook, or all")
	f.addWhat(flags)
	flags.Var(word{&f.tasks, "LIST"}, "tasks", "several tasks instead of one: names, name?option=value&option=value, "+
		"patterns with *, or all")
	a.addHow(f, flags)
	flags.BoolVar(&f.saveModels, "save-models", false, "save the model of every run, for "+a.Name+" predict")
	flags.BoolVar(&f.predicted, "save-predictions", false,
		"save all predicted snapshots and labels of each run to runs/KEY.PROTOCOL.predictions.npz")
	flags.BoolVar(&f.profile, "profile", false, "at the end, show where each operation ran, how often and for how "+
		"long (backend "+cpuBackend+" only)")
	f.plugins.add(cmd)
	flags.BoolVar(&f.check, "check", false, "before the runs, check the plugins that they use, as "+a.Name+
		" plugin check does, and record the outcome in the results")
	flags.Var(word{&f.force, "LIST"}, "force", "make finished runs of these methods again: names, or patterns with *; "+
		"the old results are kept until the new ones are complete")
	flags.BoolVar(&f.dry, "dry-run", false, "show which runs are finished and which are not, and make none")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "write only the table and errors")
	a.addVerbosity(flags)
	a.mustComplete(cmd)
	must(cmd.MarkFlagFilename("config", "yaml", "yml"))
	return cmd
}

// addWhat adds the flags for what is fitted and judged, which every command that makes runs has.
func (f *runFlags) addWhat(flags *pflag.FlagSet) {
	flags.Var(&f.seeds, "seeds", "seeds to fit each method at: 42 or 0,1,5 or 0..19")
	flags.Var(word{&f.oracle, "NAME"}, "oracle", "oracle that judges all runs: name or "+
		"name?option=value&option=value; plugin:name if a plugin must serve it")
	flags.Var(&f.oracleSeed, "oracle-seed", "seed of the oracle")
	flags.Var(number{&f.epochs, 1, math.MaxInt32}, "epochs",
		"most epochs that any method, or the oracle, is trained for")
	flags.Var(word{&f.out, "DIR"}, "out", "folder of results")
	f.task.add(flags)
}

// addHow adds the flags for how runs are made likewise.
func (a *app) addHow(f *runFlags, flags *pflag.FlagSet) {
	flags.Var(choice{&f.protocol, results.Protocols()}, "protocol", "roll-out that ranks the methods: each "+
		"predicted snapshot is the next input, or powers of the operator from the test snapshot")
	f.compute.add(flags, "compute backend for neural networks: "+cpuBackend+", "+goBackend+
		", or xla:/path/to/plugin.so in a build with XLA (default $"+backendVariable+", or "+defaultBackend+")")
	flags.Var(number{&f.jobs, 1, math.MaxInt32}, "jobs", "runs to make at the same time; does not change the results")
	flags.BoolVar(&f.isolate, "isolate", false, "make each run in its own process, to measure the memory and "+
		"processor time of that run alone; does not change the results")
	flags.Var(&f.shard, "shard",
		"make only one part of the runs: I/N for part I of N, or slurm, kubernetes or auto to take I and N from the job")
	flags.Var(limit{&f.timeout}, "timeout",
		"time limit of each run and of the oracle, like 90s or 2h; 0 for no limit")
	flags.Var(limit{&f.checkpoint}, "checkpoint-every",
		"how often to save the state of training, so that an interrupted run can continue; 0 for never")
}

// newRunFlags returns the flags with their defaults.
func newRunFlags() *runFlags {
	return &runFlags{
		methods: "all", plugins: newPluginFlags(), seeds: seeds{"42", []int64{42}}, oracle: defaultOracle, oracleSeed: 42,
		out: "results", task: newTaskFlags(), protocol: results.ProtocolReencode, jobs: 1,
		checkpoint: benchmark.DefaultCheckpointEvery,
	}
}

// mustComplete gives flags their completions.
func (a *app) mustComplete(cmd *cobra.Command) {
	for flag, complete := range map[string]cobra.CompletionFunc{
		"methods":  a.completeMethods,
		"task":     a.completeTask,
		"tasks":    a.completeTasks,
		"oracle":   a.completeOracle,
		"backend":  cobra.FixedCompletions(backends(), cobra.ShellCompDirectiveNoFileComp),
		"force":    a.completeMethods,
		"protocol": cobra.FixedCompletions(results.Protocols(), cobra.ShellCompDirectiveNoFileComp),
		"shard": cobra.FixedCompletions([]cobra.Completion{slurmShard, kubernetesShard, autoShard},
			cobra.ShellCompDirectiveNoFileComp),
	} {
		if cmd.Flags().Lookup(flag) != nil {
			must(cmd.RegisterFlagCompletionFunc(flag, complete))
		}
	}
	must(cmd.MarkFlagDirname("out"))
}

// configure takes the values of the configuration that is named, if one is, for the flags that are not given.
func (f *runFlags) configure(flags *pflag.FlagSet) error {
	one, several := flags.Changed("task"), flags.Changed("tasks")
	if f.config != "" {
		named, lockNamed := flags.Changed("plugin"), flags.Changed("plugin-lock")
		f.task.configured = !one && !several
		if err := readConfig(f.config, flags); err != nil {
			return err
		}
		f.configured = !named && flags.Changed("plugin")
		if err := f.checkConfigured(lockNamed); err != nil {
			return err
		}
	}
	switch {
	case one == several && flags.Changed("task") && flags.Changed("tasks"):
		return usagef("--task and --tasks exclude each other")
	case one:
		f.tasks = ""
	case flags.Changed("tasks") && f.tasks == "":
		return usagef("--tasks is empty; name a task, or all")
	}
	return nil
}

// benchmark checks everything that was named, runs it and shows the results.
func (a *app) benchmark(ctx context.Context, f *runFlags, flags *pflag.FlagSet) error {
	if f.quiet && a.verbose {
		return usagef("--quiet and --verbose exclude each other")
	}
	if f.profile && f.isolate {
		return usagef("--profile and --isolate exclude each other: --profile measures only this process")
	}
	s := a.begin()
	defer s.close()
	ctx = s.stoppable(ctx)
	if err := s.compute(f.compute); err != nil {
		return err
	}
	if err := s.open(ctx, f.plugins); err != nil {
		return err
	}
	for _, p := range s.plugins {
		if p.broken != nil {
			a.warn("the plugin %s is not used: %s\n", p.path, firstLine(p.broken.Error()))
		}
	}
	if f.tasks != "" {
		return s.benchmarkTasks(ctx, f, flags)
	}
	return s.benchmarkTask(ctx, f, flags)
}

// benchmarkTask is benchmark for one task.
func (s *session) benchmarkTask(ctx context.Context, f *runFlags, flags *pflag.FlagSet) error {
	plan, err := s.plan(ctx, f)
	if err != nil {
		return err
	}
	if plan.Configuration, err = keptConfig(flags, plan, f.task, s.runtime.Config()); err != nil {
		return err
	}
	show := unlessQuiet(f.quiet, s.stderr)
	if f.dry {
		return s.preview(plan)
	}
	if f.check {
		if err := s.checkPlugins(ctx, plan, show); err != nil {
			return err
		}
	}
	if f.isolate {
		if err := s.isolate(ctx, plan, f.plugins); err != nil {
			return err
		}
	}
	plan.Claimed = func() { s.logs.moveTo(filepath.Join(f.out, "logs")) }
	showProfile, err := startProfile(f.profile, s.runtime)
	if err != nil {
		return err
	}
	results, err := s.execute(ctx, f, plan)
	return errors.Join(s.conclude(plan, results, err, show), showProfile(s.stderr))
}

// execute runs the plan until a signal stops it, and shows how it proceeds.
func (a *app) execute(ctx context.Context, f *runFlags, plan *benchmark.Plan) (*results.Results, error) {
	if !f.quiet {
		o := newObserver(ctx, a.stderr, plan, a.verbose, a.libraries)
		o.head = head(f, plan)
		defer o.close()
		plan.Observer = o
	}
	return benchmark.Run(ctx, *plan)
}

// plan checks the flags, and that everything they name is there.
func (s *session) plan(ctx context.Context, f *runFlags) (*benchmark.Plan, error) {
	selections, err := s.Select(f.methods)
	if err != nil {
		return nil, usageError{fmt.Errorf("--methods: %w", err)}
	}
	oracle, err := planOracle(s.catalogue, f.oracle, int64(f.oracleSeed))
	if err != nil {
		return nil, err
	}
	task, err := f.task.open(ctx, s.catalogue, unlessQuiet(f.quiet, s.stderr))
	if err != nil {
		return nil, err
	}
	plan := &benchmark.Plan{
		Task: task, Protocol: f.protocol, Oracle: oracle, Seeds: f.seeds.values, MaxEpochs: f.epochs, Out: f.out,
		Jobs: f.jobs, Timeout: f.timeout, CheckpointEvery: f.checkpoint, SaveModels: f.saveModels,
		SavePredictions: f.predicted, Shard: f.shard.Shard,
	}
	if f.checkpoint == 0 {
		plan.CheckpointEvery = -1
	}
	for _, chosen := range selections {
		name := chosen.Description.Name
		plan.Entries = append(plan.Entries, benchmark.Entry{
			Written: chosen.Written, Method: chosen.Method, Options: chosen.Options,
			Plugin: s.originInfo(core.KindMethod, name), Isolated: s.whole[name],
		})
		if _, ok := core.As[core.ModelLoader](chosen.Method); f.saveModels && !ok {
			s.warn("--save-models: the models of %s cannot be saved, so its runs have no model file\n", chosen.Written)
		}
	}
	if err := plan.Cap(); err != nil {
		return nil, err
	}
	if plan.Again, err = forced(f.force, plan.Entries); err != nil {
		return nil, err
	}
	plan.Environment, err = s.environment()
	return plan, err
}

// planOracle is the oracle that the value of --oracle chooses, with its options.
func planOracle(c *catalogue, text string, seed int64) (benchmark.OraclePlan, error) {
	element, fromPlugin := strings.CutPrefix(text, oracleFromPlugin)
	oracle, options, err := c.Oracles.Select(element)
	if err != nil {
		return benchmark.OraclePlan{}, usageError{fmt.Errorf("--oracle: %w", err)}
	}
	name, _, _ := strings.Cut(element, "?")
	from := c.originInfo(core.KindOracle, name)
	if fromPlugin && from == nil {
		return benchmark.OraclePlan{}, usagef("--oracle plugin:%s: the oracle %s is built in; no plugin serves it", name,
			name)
	}
	return benchmark.OraclePlan{Oracle: oracle, Options: options, Seed: seed, Plugin: from}, nil
}

// oracleFromPlugin is before the name of an oracle that a plugin must serve.
const oracleFromPlugin = "plugin:"

// head says what is about to run.
func head(f *runFlags, p *benchmark.Plan) string {
	t := p.Task.Info
	methods := make([]string, len(p.Entries))
	for i, e := range p.Entries {
		methods[i] = e.Written
	}
	judge := ""
	if t.Judged() {
		judge = fmt.Sprintf(", oracle %d", p.Oracle.Seed)
	}
	return fmt.Sprintf("task     %s, ranked by protocol %s\ndata     %s\n", describeTask(t), f.protocol, t.Source) +
		fmt.Sprintf("methods  %s\nseeds    %s%s\nbackend  %s\nresults  %s\n\n",
			strings.Join(methods, ", "), f.seeds.text, judge, p.Environment.Backend, p.Out+f.shard.words(p))
}
