package cli

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/report/tasklist"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

func (a *app) reportCommand() *cobra.Command {
	format, shown, figures := "text", steps{}, formats{}
	names := slices.Sorted(maps.Keys(report.TableFormats(nil)))
	cmd := &cobra.Command{
		Use:   "report DIR [FLAGS]",
		Short: "Make the figures, the page and the table of a folder of results again",
		Long: `Make the figures, the page and the table of a folder of results again, from the files in it. If the
folder comes from ` + a.Name + ` run --tasks, make the comparison of its tasks again.

The figures are PNG and SVG files. --figures pdf makes PDF files, for papers, and leaves the others as
they are.

With a format other than text, the command writes only the table in that format, and no figures or
page. The format ` + report.SeedsFormat + ` is a Markdown table of mean ± standard deviation over seeds, for each
protocol.`,
		Example: "  " + a.Name + " report results\n  " + a.Name + " report results --figures pdf\n  " + a.Name +
			" report results --format markdown\n  " + a.Name +
			" report results --format " + report.SeedsFormat + " --steps 1,5,10,15",
		Args:              oneArgument("a folder of results"),
		ValidArgsFunction: completeFolder,
		RunE: func(_ *cobra.Command, args []string) error {
			write, ok := report.TableFormats(shown)[format]
			switch {
			case slices.Contains(report.FigureFormats(), report.Format(format)):
				return usagef("--format %[1]s: a table has no such format; for figures, give --figures %[1]s", format)
			case !ok:
				return usagef("--format: %s", core.Unknown("format", format, names))
			case len(shown) > 0 && format != report.SeedsFormat:
				return usagef("--steps: the format %s has fixed columns; give --format %s", format, report.SeedsFormat)
			case format == "text":
				return a.report(args[0], figures)
			case len(figures) > 0:
				return usagef("--figures: the format %s comes without figures; leave out --format or --figures", format)
			}
			r, err := results.OpenStore(args[0]).Results()
			if err != nil {
				return err
			}
			return write(a.stdout, r)
		},
	}
	cmd.Flags().Var(word{&format, "NAME"}, "format", "format of the table: "+strings.Join(names, ", "))
	cmd.Flags().Var(&shown, "steps",
		"steps to show as columns, with --format "+report.SeedsFormat+" (default those of the table)")
	cmd.Flags().Var(&figures, "figures", "formats of the figures, of png, svg and pdf (default png,svg)")
	a.addFullErrors(cmd.Flags())
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// report makes the report of dir again, with figures in the formats, the usual ones if there are none.
func (a *app) report(dir string, figures formats) error {
	_, unlisted := tasklist.Read(dir)
	switch {
	case unlisted == nil && len(figures) > 0:
		return usagef("--figures: %s compares several tasks and has no figures of its own; name the folder of one "+
			"task in it", dir)
	case unlisted == nil:
		return a.layOut(dir, a.stderr)
	}
	r, err := results.OpenStore(dir).Results()
	switch {
	case err != nil && !errors.Is(unlisted, fs.ErrNotExist):
		return unlisted
	case err != nil:
		return err
	}
	draw := a.draw
	if len(figures) > 0 {
		draw = func(dir string) error { return report.WriteAs(dir, figures) }
	}
	if err := draw(dir); err != nil {
		return err
	}
	if err := a.showTable(r); err != nil {
		return err
	}
	sayDrawn(a.stderr, dir)
	return nil
}
