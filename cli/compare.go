package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

func (a *app) compareCommand() *cobra.Command {
	format := "text"
	formats := report.ComparisonFormats()
	names := slices.Sorted(maps.Keys(formats))
	cmd := &cobra.Command{
		Use:   "compare A B... [FLAGS]",
		Short: "Hold results against those of the first folder, with tests of the differences",
		Long: `Hold the results of folders against those of the first, A: for each method that both have, the difference of its score,
for accuracies with a 95% interval and a test paired by seed and test snapshot, corrected for the number of tests.

Results of another task, split, steps, oracle or protocol that ranks are refused, with the reason. Other
code, kernels or machines are named beside the table.`,
		Example: "  " + a.Name + " compare results/before results/after\n  " + a.Name +
			" compare results/before results/after --format markdown",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("%s takes two folders of results or more, not %d; see %s --help", cmd.Name(), len(args),
					cmd.CommandPath())
			}
			return nil
		},
		ValidArgsFunction: completeFolder,
		RunE: func(_ *cobra.Command, args []string) error {
			write, ok := formats[format]
			if !ok {
				return usagef("--format: %s", core.Unknown("format", format, names))
			}
			var all []report.Named
			for _, dir := range args {
				r, err := results.OpenStore(dir).Results()
				if err != nil {
					return err
				}
				all = append(all, report.Named{Name: dir, Results: r})
			}
			c, err := report.Compare(all)
			if errors.Is(err, results.ErrNotComparable) {
				return fmt.Errorf("%w; compare results of the same task and oracle", err)
			}
			if err != nil {
				return err
			}
			return write(a.stdout, c)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(word{&format, "NAME"}, "format", strings.Join(names, ", "))
	a.addFullErrors(flags)
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}
