package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
)

func (a *app) mergeCommand() *cobra.Command {
	var out string
	var quiet bool
	cmd := &cobra.Command{
		Use:   "merge --out DIR DIR...",
		Short: "Join the runs of folders, of shards for instance, into one folder of results",
		Long: `Join the runs of folders, of shards for instance, into one folder of results: those of their results.json, and those
that shards, or commands that were killed, have finished. The folder may be one of them, and what it holds is kept. The
others are not changed.

Folders whose runs do not belong into one table (other data, another split, another oracle, other code …) are refused with
the reason, before anything is written. The same command again changes nothing. The exit status is 1 where runs that were
planned are missing; those that are there are joined all the same.`,
		Example: "  " + a.Name + " merge --out results results\n  " + a.Name + " merge --out all shard-1 shard-2",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("%s takes the folders to join; see %s --help", cmd.Name(), cmd.CommandPath())
			}
			if out == "" {
				return usagef("%s needs --out, the folder of the joined results, which may be one of those that are "+
					"joined", cmd.Name())
			}
			return nil
		},
		ValidArgsFunction: completeFolder,
		RunE:              func(_ *cobra.Command, args []string) error { return a.merge(out, args, quiet) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(word{&out, "DIR"}, "out", "folder of the joined results")
	flags.BoolVarP(&quiet, "quiet", "q", false, "write the table and errors only")
	a.addFullErrors(flags)
	must(cmd.MarkFlagDirname("out"))
	return cmd
}

func (a *app) merge(out string, from []string, quiet bool) error {
	m, err := results.Merge(out, from, a.commandLine())
	if err != nil {
		return err
	}
	show := unlessQuiet(quiet, a.stderr)
	for _, note := range m.Notes {
		say(show, "note: %s\n", note)
	}
	if err := a.showTable(m.Results); err != nil {
		return err
	}
	if err := a.draw(out); err != nil {
		return fmt.Errorf("the runs are joined in %s, but %w", out, err)
	}
	say(show, "%s holds %s, %d written now; all of it is shown in %s\n", out, report.Counted(len(m.Results.Runs), "run"),
		m.Copied, filepath.Join(out, report.Page))
	return missing(m)
}

// missing returns an error that names the runs that are not there, or nil.
func missing(m *results.Merged) error {
	n := len(m.Missing)
	if n == 0 {
		return nil
	}
	names := make([]string, n)
	for i, r := range m.Missing {
		names[i] = fmt.Sprintf("%s: %s", runName{r.Method, r.Seed}, firstLine(r.Reason))
	}
	return fmt.Errorf("%d of %d runs are missing (%s); give the commands of their shards again, then this one", n,
		n+len(m.Results.Runs), some(names, "; "))
}
