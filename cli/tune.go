package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/tune"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/registry"
)

const defaultTrials = 20

// tuneFlags are the flags of `bench tune`: some of those of `bench run`, and its own.
type tuneFlags struct {
	runFlags
	options []string
	trials  int
	score   string // "" for that of the task
}

func (a *app) tuneCommand() *cobra.Command {
	f := &tuneFlags{runFlags: *newRunFlags(), trials: defaultTrials}
	f.out = "tune"
	cmd := &cobra.Command{
		Use:   "tune METHOD --option NAME=VALUES [FLAGS]",
		Short: "Choose options of a method on the validation data",
		Long: `Choose options of a method on the validation data. The test data are not used.

Each --option gives a list of values or a range. If all options give lists, every combination is tried.
If one gives a range, --trials combinations are drawn at random; the same first seed draws the same
ones. The method with the options that you give is always one of the trials.

Each trial is fitted to the training data and scored on the validation data. Some methods also use the
validation data to decide when to stop training. The score is the prediction error of the task (nrmse).
For tasks that an oracle judges, it is the VAMP-2 score of the model's eigenfunctions. With --score
accuracy the oracle chooses, and the choice is marked as exposed to the oracle. The trial with the best
mean over seeds wins.

Trials are runs. Give the same command again to continue, use --shard to make a part, and use
` + a.Name + ` verify to check them. The folder has tune.json, figures/tune.png and best.yaml, a file for
` + a.Name + ` run --config.`,
		Example: "  " + a.Name + " tune contrastive --option lr=1e-4..1e-2 --option batch_size=32,64 --trials 20\n" +
			"  " + a.Name + " tune dmd --task lorenz63 --option rank=3,5,8 --out tune-dmd && " + a.Name +
			" run --config tune-dmd/best.yaml",
		Args:              oneArgument("the name of a method"),
		ValidArgsFunction: a.completeMethod,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.methods = args[0]
			return a.tune(cmd.Context(), f, cmd.Flags())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(
		list{&f.options, "NAME=VALUES"},
		"option",
		"values to try of an option: NAME=A,B,C or NAME=LOW..HIGH; may "+
			"be repeated",
	)
	flags.Var(number{&f.trials, 2, results.MaxTrials}, "trials", "number of trials if an option gives a range, with "+
		"the method as you give it")
	flags.Var(choice{&f.score, results.SearchScores()}, "score", "score that chooses (default nrmse if the task has it, "+
		"otherwise vamp2)")
	f.addWhat(flags)
	a.addHow(&f.runFlags, flags)
	f.plugins.add(cmd)
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "write only the table and errors")
	a.addVerbosity(flags)
	a.mustComplete(cmd)
	return cmd
}

// tune makes the trials of a search, and shows and keeps what they give.
func (a *app) tune(ctx context.Context, f *tuneFlags, flags *pflag.FlagSet) error {
	if f.quiet && a.verbose {
		return usagef("--quiet and --verbose exclude each other")
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
	space, err := s.space(f, flags)
	if err != nil {
		return err
	}
	f.task.onValidation = func(p *core.Problem) (*core.Problem, error) {
		if f.score == "" {
			f.score = tune.DefaultScore(p)
		}
		if d := space.Base.Description; d.Exposure == core.OracleExposed && p.States != nil &&
			f.score != results.ScoreAccuracy {
			return nil, fmt.Errorf("%w: %s needs the oracle, but --score %s does not train one; give --score %s", core.ErrOption,
				d.Name, f.score, results.ScoreAccuracy)
		}
		return tune.OnValidation(p, f.score)
	}
	plan, err := s.plan(ctx, &f.runFlags)
	if err != nil {
		return err
	}
	if f.isolate {
		if err := s.isolate(ctx, plan, f.plugins); err != nil {
			return err
		}
	}
	plan.Claimed = func() { s.logs.moveTo(filepath.Join(f.out, "logs")) }
	found, err := s.execute(ctx, &f.runFlags, plan)
	if err != nil {
		finished := 0
		if found != nil {
			finished = len(ownRuns(found))
		}
		return unfinished(plan, found, finished, err)
	}
	show := unlessQuiet(f.quiet, s.stderr)
	if !plan.Shard.Whole() {
		say(show, "shard %v is finished, with %d of %d runs; when all shards are finished, the same command without "+
			"--shard chooses\n",
			plan.Shard, len(ownRuns(found)), len(plan.Entries)*len(plan.Seeds))
		return nil
	}
	return s.concludeSearch(f, flags, plan, tune.Choose(f.search(s, space, plan), found), show)
}

// space reads what is searched, and makes its trials the methods of the flags. What is wrong is a usageError.
func (s *session) space(f *tuneFlags, flags *pflag.FlagSet) (space tune.Space, err error) {
	method, options, err := s.Methods.Select(f.methods)
	if err != nil {
		return space, usageError{err}
	}
	if len(f.options) == 0 {
		return space, usagef("give an option to search: --option NAME=A,B,C or --option NAME=LOW..HIGH; %s",
			optionNames(method.Describe()))
	}
	base := registry.Selection{Written: f.methods, Method: method, Description: method.Describe(), Options: options}
	if space, err = tune.NewSpace(base, f.options); err != nil {
		return space, usageError{fmt.Errorf("--option: %w", err)}
	}
	if flags.Changed("trials") && !space.Ranged() {
		return space, usagef("--trials %d: all options are lists, so every combination is tried; leave out --trials, or "+
			"give a range like NAME=LOW..HIGH", f.trials)
	}
	trials, err := space.Trials(f.trials, f.seeds.values[0])
	if err != nil {
		return space, usageError{fmt.Errorf("--option: %w", err)}
	}
	f.methods = strings.Join(trials, ",")
	return space, nil
}

// search is that of a plan, before anything is known of its trials.
func (f *tuneFlags) search(s *session, space tune.Space, plan *benchmark.Plan) results.Search {
	search := results.Search{
		Schema: results.SearchSchema, Command: s.commandLine(), Method: space.Base.Written, Options: space.Described(),
		Seeds: plan.Seeds, Score: f.score,
	}
	for _, e := range plan.Entries {
		all, searched := e.Options.Map(), map[string]any{}
		for _, o := range search.Options {
			searched[o.Name] = all[o.Name]
		}
		search.Trials = append(search.Trials, results.Trial{Method: e.Written, Options: searched})
	}
	return search
}

// concludeSearch writes and shows a search.
func (s *session) concludeSearch(
	f *tuneFlags, flags *pflag.FlagSet, plan *benchmark.Plan, search results.Search, show io.Writer,
) error {
	store := results.OpenStore(f.out)
	// An earlier choice must not stand beside a search that has another or none.
	if err := os.Remove(store.Path(results.BestFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := store.WriteSearch(search); err != nil {
		return err
	}
	var table bytes.Buffer
	if err := report.WriteSearchTable(&table, &search, s.columns); err != nil {
		return err
	}
	_, _ = s.stdout.Write(table.Bytes()) // Main tells if it cannot be written
	best := search.Best()
	if best == nil {
		return fmt.Errorf("none of %s has a score, so there is no choice: %s", report.Counted(len(search.Trials), "trial"),
			firstLine(search.Trials[0].Reason))
	}
	text, err := s.bestConfig(f, flags, plan, &search)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(store.Path(results.BestFile), text); err != nil {
		return err
	}
	say(show, "chosen: %s; fit and test it with: %s run --config %s\n", best.Method, s.Name,
		store.Path(results.BestFile))
	if err := s.draw(f.out); err != nil {
		return err
	}
	sayDrawn(show, f.out)
	return nil
}

// bestKept are the flags that the configuration of a choice has beside its method.
var bestKept = []string{"task", "oracle", "oracle-seed", "epochs", "backend", "plugin"}

// bestConfig is the configuration that runs the chosen trial on the task as it is.
func (s *session) bestConfig(
	f *tuneFlags, flags *pflag.FlagSet, plan *benchmark.Plan, search *results.Search,
) ([]byte, error) {
	best := plan.Entries[*search.Chosen]
	head := fmt.Sprintf("Chosen by %s tune among %s by %s on the validation data. To run it: run --config %s", s.Name,
		report.Counted(len(search.Trials), "trial"), search.Score, results.BestFile)
	if search.OracleExposed {
		head += "\nThe oracle that judges the test chose these options; say so beside the results."
	}
	content, err := keptValues(flags, func(flag *pflag.Flag) (*yaml.Node, error) {
		if !slices.Contains(bestKept, flag.Name) {
			return nil, nil
		}
		return keptValue(flag, plan, f.task, s.runtime.Config())
	})
	if err != nil {
		return nil, err
	}
	return configText(head, append(content, scalar("methods"), methodNodes([]benchmark.Entry{best})))
}

// foreignChoice says that best.yaml names another method than the search beside it has chosen; "" if it does not, or
// is not there.
func foreignChoice(store *results.Store) string {
	text, err := store.Files().Read(results.BestFile, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	named, chosen := "", "none"
	if err == nil {
		named, err = onlyMethod(text, store.Path(results.BestFile))
	}
	if err != nil {
		return fmt.Sprintf("cannot read %s: %v", results.BestFile, err)
	}
	if search, err := store.Search(); err == nil && search != nil && search.Best() != nil {
		chosen = search.Best().Method
	}
	if named == chosen {
		return ""
	}
	return fmt.Sprintf("%s has the method %.200q, but the choice in %s is %.200q", results.BestFile, named,
		results.SearchFile, chosen)
}

// onlyMethod is the one method of a configuration, as the command line would have it.
func onlyMethod(text []byte, path string) (string, error) {
	var kept struct {
		Methods []yaml.Node `yaml:"methods"`
	}
	if err := yaml.Unmarshal(text, &kept); err != nil {
		return "", err
	}
	if len(kept.Methods) != 1 {
		return "", fmt.Errorf("it has %d methods, but must have one", len(kept.Methods))
	}
	method := resolved(&kept.Methods[0])
	if method.Kind == yaml.ScalarNode {
		return method.Value, nil
	}
	return config{path: path}.selection(selected["methods"], method)
}
