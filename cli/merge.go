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
		Short: "Join the runs of several folders, such as those of shards, into one folder of results",
		Long: `Join the runs of several folders, such as those of shards, into one folder of results. The command
takes all finished runs of a folder, even if the shard or command that made them was killed. The
--out folder may be one of the given folders. It keeps its runs, and the other folders do not change.

Runs can be joined only if they belong in one table: the same data, split, oracle, code and so on. If
they do not, the command writes nothing and gives the reason. It is safe to give the command again.
If planned runs are missing, the command joins the runs that are there, and the exit status is 1.`,
		Example: "  " + a.Name + " merge --out results results\n  " + a.Name + " merge --out all shard-1 shard-2",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("%s needs the folders to join; see %s --help", cmd.Name(), cmd.CommandPath())
			}
			if out == "" {
				return usagef("%s needs --out, the folder for the joined results; it may be one of the folders to "+
					"join", cmd.Name())
			}
			return nil
		},
		ValidArgsFunction: completeFolder,
		RunE:              func(_ *cobra.Command, args []string) error { return a.merge(out, args, quiet) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(word{&out, "DIR"}, "out", "folder for the joined results")
	flags.BoolVarP(&quiet, "quiet", "q", false, "write only the table and errors")
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
	say(show, "%s holds %s, of which %d are new; the report page is %s\n", out, report.Counted(len(m.Results.Runs), "run"),
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
