package cli

import (
	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/benchmark/results"
)

func (a *app) cleanCommand() *cobra.Command {
	dry := false
	cmd := &cobra.Command{
		Use:   "clean DIR... [FLAGS]",
		Short: "Remove the files of folders of results that nothing needs",
		Long: `Remove the files of folders of results that nothing needs: runs that are not in the table, such as those of
other options or another build, oracles that judge no run, checkpoints of fits that are not in progress, and files
that a killed command left half written. The table and the report stay as they are.

A folder that another command is writing is refused, and so is a folder without results. Files with other names than
this program gives are never removed.`,
		Example:           "  " + a.Name + " clean results --dry-run\n  " + a.Name + " clean results",
		Args:              someArguments("a folder of results"),
		ValidArgsFunction: completeFolder,
		RunE: func(_ *cobra.Command, args []string) error {
			for _, dir := range args {
				if err := a.clean(dir, dry); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "list the files, and remove none")
	a.addFullErrors(cmd.Flags())
	return cmd
}

func (a *app) clean(dir string, dry bool) error {
	store, what, clean := results.OpenStore(dir), "removed", (*results.Store).Clean
	if dry {
		what, clean = "would be removed", (*results.Store).Waste
	}
	files, err := clean(store)
	var bytes int64
	for _, w := range files {
		say(a.stdout, "%s  (%s)\n", store.Path(w.Name), w.Why)
		bytes += w.Bytes
	}
	if err == nil || len(files) > 0 {
		say(a.stdout, "%s: %d files %s, %.1f MB\n", dir, len(files), what, float64(bytes)/1e6)
	}
	return err
}
