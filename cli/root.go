package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/koopbench/koopbench/core"
)

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   a.Name,
		Short: "Benchmark methods that learn evolution operators from data",
		Long: `Benchmark methods that learn evolution operators (Koopman and transfer operators) from a sequence
of snapshots. Every method is fitted to the same data, rolled out by the same multi-step protocol,
and judged in the same way.`,
		Example: "  " + a.Name + " run\n  " + a.Name +
			" run --methods linear,vamp --seeds 0..4 --out results/vamp\n  " + a.Name + " info vamp",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       a.Version,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return nil
	}
	root.Flags().Bool("version", false, "show the version")
	root.SetVersionTemplate("{{.DisplayName}} {{.Version}}\n")
	root.SetFlagErrorFunc(a.flagError)
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(
		a.runCommand(), a.tuneCommand(), a.listCommand(), a.infoCommand(), a.reportCommand(), a.serveCommand(),
		a.verifyCommand(), a.compareCommand(), a.mergeCommand(), a.cleanCommand(), a.predictCommand(), a.dataCommand(),
		a.pluginCommand(), a.workerCommand(), a.versionCommand(), a.licencesCommand(), a.completionCommand(), a.manCommand(),
	)
	root.SetHelpCommand(a.helpCommand())
	for _, c := range append(root.Commands(), root) {
		c.DisableFlagsInUseLine = true
	}
	return root
}

func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:                   "help [COMMAND]",
		DisableFlagsInUseLine: true,
		Short:                 "Show the help of a command",
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return commandNames(cmd.Root()), cobra.ShellCompDirectiveNoFileComp
		},
		Example: "  " + a.Name + " help run",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args[0])
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

func unknownCommand(root *cobra.Command, name string) error {
	return usagef("%s", core.Unknown("command", name, commandNames(root)))
}

func commandNames(root *cobra.Command) []string {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			names = append(names, c.Name())
		}
	}
	slices.Sort(names)
	return names
}

// flagError says what is wrong with a flag in the words of its command.
func (a *app) flagError(cmd *cobra.Command, err error) error {
	if !cmd.HasParent() && len(a.args) > 0 && !strings.HasPrefix(a.args[0], "-") {
		return unknownCommand(cmd, a.args[0])
	}
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	var bare *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(cmd, unknown)
	case errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "bool":
		return usagef("--%s=%s: give true or false, or leave out the value", invalid.GetFlag().Name, invalid.GetValue())
	case errors.As(err, &invalid):
		return usagef("--%s %s: %w", invalid.GetFlag().Name, invalid.GetValue(), invalid.Unwrap())
	case errors.As(err, &bare):
		return usagef("--%s needs a value; see %s --help", bare.GetFlag().Name, cmd.CommandPath())
	}
	return usageError{err}
}

func unknownFlag(cmd *cobra.Command, err *pflag.NotExistError) error {
	written, name := "--"+err.GetSpecifiedName(), err.GetSpecifiedName()
	if short := err.GetSpecifiedShortnames(); short != "" {
		written, name = "-"+short, short
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := core.Nearest(name, names); near != "" {
		return usagef("there is no flag %s; did you mean --%s? See %s --help", written, near, cmd.CommandPath())
	}
	return usagef("there is no flag %s; see %s --help", written, cmd.CommandPath())
}

// noArguments and oneArgument check the number of arguments of a command.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s does not take the argument %q; see %s --help", cmd.Name(), args[0], cmd.CommandPath())
	}
	return nil
}

// noListAsArguments is noArguments for a command with flags that take lists: a list that is written
// with spaces becomes arguments.
func (a *app) noListAsArguments(flags ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for _, name := range flags {
			if n := len(args); n > 0 && cmd.Flags().Changed(name) && follows(a.args, "--"+name, args[0]) {
				values := append([]string{cmd.Flag(name).Value.String()}, args...)
				return usagef("%s does not take the argument %q; separate a list by commas: --%s %s",
					cmd.Name(), args[0], name, strings.Join(values, ","))
			}
		}
		return noArguments(cmd, args)
	}
}

// follows reports whether an argument comes right after a flag and its value.
func follows(args []string, flag, argument string) bool {
	for i := 1; i < len(args); i++ {
		if args[i] == argument && (strings.HasPrefix(args[i-1], flag+"=") || i > 1 && args[i-2] == flag) {
			return true
		}
	}
	return false
}

func oneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("%s takes one argument, %s, not %d; see %s --help", cmd.Name(), what, len(args), cmd.CommandPath())
		}
		return nil
	}
}

func someArguments(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("%s takes at least one argument, %s; see %s --help", cmd.Name(), what, cmd.CommandPath())
		}
		return nil
	}
}
