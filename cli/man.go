package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manCommand writes the man pages that releases carry.
func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "man DIR",
		Short:             "Write a man page for each command",
		Hidden:            true,
		Example:           "  " + a.Name + " man ~/.local/share/man/man1",
		Args:              oneArgument("the folder of the pages"),
		ValidArgsFunction: completeFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return err
			}
			return a.writePages(args[0], cmd.Root())
		},
	}
}

// writePages writes the page of a command, and those of the commands below it. It writes over no file.
func (a *app) writePages(dir string, cmd *cobra.Command) error {
	path := filepath.Join(dir, pageName(cmd)+".1")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = file.WriteString(a.page(cmd))
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			if err := a.writePages(dir, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// page is the man page of a command, in the macros of man(7).
func (a *app) page(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag()
	var page strings.Builder
	section := func(title, text string) {
		if text != "" {
			fmt.Fprintf(&page, ".SH %s\n%s\n", title, strings.TrimSuffix(text, "\n"))
		}
	}
	fmt.Fprintf(&page, ".TH %s 1 \"\" \"%s %s\"\n", strings.ToUpper(roff(pageName(cmd))), roff(a.Name), roff(a.Version))
	section("NAME", roff(pageName(cmd))+` \- `+roff(cmd.Short))
	section("SYNOPSIS", roff(cmd.UseLine()))
	section("DESCRIPTION", strings.ReplaceAll(roff(cmd.Long), "\n\n", "\n.PP\n"))
	var commands, options strings.Builder
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			fmt.Fprintf(&commands, ".TP\n\\fB%s\\fR(1)\n%s\n", roff(pageName(c)), roff(c.Short))
		}
	}
	section("COMMANDS", commands.String())
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		names := "--" + f.Name
		if f.Shorthand != "" {
			names = "-" + f.Shorthand + ", " + names
		}
		fmt.Fprintf(&options, ".TP\n%s\n%s\n", strings.TrimSpace(`\fB`+roff(names)+`\fR `+roff(value)), roff(usage))
	})
	section("OPTIONS", options.String())
	if cmd.Example != "" {
		section("EXAMPLES", ".nf\n"+roff(cmd.Example)+"\n.fi")
	}
	if cmd.HasParent() {
		section("SEE ALSO", `\fB`+roff(pageName(cmd.Parent()))+`\fR(1)`)
	}
	return page.String()
}

// roff escapes what has a meaning in the input of troff.
func roff(text string) string {
	lines := strings.Split(strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
