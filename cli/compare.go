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
		Short: "Compare the results of folders with those of the first, and test the differences",
		Long: `Compare the results of folders with those of the first, A. For each method that both folders have, the
table shows the difference of its score. For accuracies it adds a 95% interval and a test, which is
paired by seed and test snapshot and corrected for the number of tests.

The results must have the same task, split, steps, oracle and ranking protocol as A. If they do not,
the command refuses them and gives the reason. If the code, the kernels or the machine differ, a note
beside the table says so.`,
		Example: "  " + a.Name + " compare results/before results/after\n  " + a.Name +
			" compare results/before results/after --format markdown",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("%s needs at least two folders of results, not %d; see %s --help", cmd.Name(), len(args),
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
	flags.Var(word{&format, "NAME"}, "format", "format of the output: "+strings.Join(names, ", "))
	a.addFullErrors(flags)
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}
