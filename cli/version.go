package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show the version, the commit, and the built-in compute backends",
		Example: "  " + a.Name + " version",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.stdout, "%s %s\ncommit    %s\ngo        %s %s/%s\nbackends  %s\n",
				a.Name, a.Version, builtCommit(), runtime.Version(), runtime.GOOS, runtime.GOARCH, strings.Join(backends(), ", "))
			return err
		},
	}
}

// builtVersion is the version of the main module, "(devel)" in a checkout without tags.
func builtVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// builtCommit is the commit that the program was built from, as far as the build knows.
func builtCommit() string {
	commit, modified := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				modified = ", modified"
			}
		}
	}
	return commit + modified
}
