package cli

import (
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/benchmark/report/tasklist"
	"github.com/koopbench/koopbench/benchmark/results"
)

func (a *app) reportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report DIR",
		Short: "Draw the figures, the page and the table of a folder of results again",
		Long: `Draw the figures, the page and the table of a folder of results again, from its files alone. Of a folder that
` + a.Name + ` run --tasks has made, lay the results of its tasks beside one another again.`,
		Example:           "  " + a.Name + " report results",
		Args:              oneArgument("a folder of results"),
		ValidArgsFunction: completeFolder,
		RunE:              func(_ *cobra.Command, args []string) error { return a.report(args[0]) },
	}
	a.addFullErrors(cmd.Flags())
	return cmd
}

func (a *app) report(dir string) error {
	_, unlisted := tasklist.Read(dir)
	if unlisted == nil {
		return a.layOut(dir, a.stderr)
	}
	r, err := results.OpenStore(dir).Results()
	switch {
	case err != nil && !errors.Is(unlisted, fs.ErrNotExist):
		return unlisted
	case err != nil:
		return err
	}
	if err := a.draw(dir); err != nil {
		return err
	}
	if err := a.showTable(r); err != nil {
		return err
	}
	sayDrawn(a.stderr, dir)
	return nil
}
