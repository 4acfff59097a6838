package cli

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
)

func (a *app) reportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "report DIR",
		Short:             "Draw the figures, the page and the table of a folder of results again",
		Long:              `Draw the figures, the page and the table of a folder of results again, from its files alone.`,
		Example:           "  " + a.Name + " report results",
		Args:              oneArgument("a folder of results"),
		ValidArgsFunction: completeFolder,
		RunE: func(_ *cobra.Command, args []string) error {
			results, err := results.OpenStore(args[0]).Results()
			if err != nil {
				return err
			}
			if err := a.draw(args[0]); err != nil {
				return err
			}
			if err := a.showTable(results); err != nil {
				return err
			}
			say(a.stderr, "figures are in %s, all of it in %s\n", filepath.Join(args[0], report.Folder), filepath.Join(args[0], report.Page))
			return nil
		},
	}
	cmd.Flags().BoolVarP(&a.verbose, "verbose", "v", false, "write errors in full")
	return cmd
}
