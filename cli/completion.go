package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/registry"
)

func (a *app) completionCommand() *cobra.Command {
	shells := []string{"bash", "fish", "powershell", "zsh"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Write a script that lets your shell complete commands, flags and names",
		Example: "  source <(" + a.Name + " completion bash)\n" +
			"  " + a.Name + " completion zsh > \"${fpath[1]}/_" + a.Name + "\"\n" +
			"  " + a.Name + " completion fish > ~/.config/fish/completions/" + a.Name + ".fish",
		Args:              oneArgument("the name of a shell"),
		ValidArgsFunction: cobra.FixedCompletions(shells, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch root := cmd.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.stdout)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			}
			return usagef("%s", core.Unknown("shell", args[0], shells))
		},
	}
}

// completeMethods completes the last element of a list of methods: its name, or after ? and & an
// option.
func (a *app) completeMethods(_ *cobra.Command, _ []string, text string) ([]string, cobra.ShellCompDirective) {
	c, err := a.builtin()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	several := []string{"all\tevery method"}
	for _, group := range c.Groups() {
		several = append(several, group+"\ta group of methods")
	}
	return completeElement(text, c.Methods.Descriptions(), several)
}

// completeTasks completes the last element of a list of tasks likewise.
func (a *app) completeTasks(_ *cobra.Command, _ []string, text string) ([]string, cobra.ShellCompDirective) {
	c, err := a.builtin()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return completeElement(text, c.Tasks.Descriptions(), []string{"all\tevery task except that of your own data"})
}

// completeElement completes the last element of a list, whose first may be one of several.
func completeElement(text string, all []core.Description, several []string) ([]string, cobra.ShellCompDirective) {
	start := strings.LastIndex(text, ",") + 1
	before, element := text[:start], text[start:]
	if name, _, ofOptions := strings.Cut(element, "?"); ofOptions {
		return completeOption(text, all, name)
	}
	named := strings.Split(before, ",")
	var names []string
	for _, d := range all {
		if !slices.Contains(named, d.Name) {
			names = append(names, before+d.Name+"\t"+d.Summary)
		}
	}
	if before == "" {
		names = append(names, several...)
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeOracle completes the name of an oracle, or after ? and & an option.
func (a *app) completeOracle(_ *cobra.Command, _ []string, text string) ([]string, cobra.ShellCompDirective) {
	c, err := a.builtin()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return completeSelection(text, c.Oracles.Descriptions())
}

// completeTask completes the name of a task, or after ? and & an option.
func (a *app) completeTask(_ *cobra.Command, _ []string, text string) ([]string, cobra.ShellCompDirective) {
	c, err := a.builtin()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return completeSelection(text, c.Tasks.Descriptions())
}

// completeMethod completes the name of the one method that is the argument of a command likewise.
func (a *app) completeMethod(_ *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := a.builtin()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return completeSelection(text, c.Methods.Descriptions())
}

// completeSelection completes a name, or after ? and & an option.
func completeSelection(text string, all []core.Description) ([]string, cobra.ShellCompDirective) {
	if name, _, ofOptions := strings.Cut(text, "?"); ofOptions {
		return completeOption(text, all, name)
	}
	var names []string
	for _, d := range all {
		names = append(names, d.Name+"\t"+d.Summary)
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeOption completes the name of the option, or the value of a switch or a choice, with which
// the text ends. name is that of the thing, which has one of the descriptions.
func completeOption(text string, descriptions []core.Description, name string) ([]string, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	i := slices.IndexFunc(descriptions, func(d core.Description) bool { return d.Name == name })
	if i < 0 {
		return nil, directive
	}
	var completions []string
	last := strings.LastIndexAny(text, "?&") + 1
	option, _, ofValue := strings.Cut(text[last:], "=")
	for _, o := range descriptions[i].Options {
		switch {
		case !ofValue:
			completions = append(completions, text[:last]+o.Name+"=\t"+o.Doc)
		case o.Name == option && o.Type() == "bool":
			completions = append(completions, text[:last]+option+"=true", text[:last]+option+"=false")
		case o.Name == option:
			for _, choice := range o.Choices {
				completions = append(completions, text[:last]+option+"="+registry.EscapeValue(choice))
			}
		}
	}
	return completions, directive
}

// completeFolder completes a folder.
func completeFolder(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completeName completes the name of anything registered.
func (a *app) completeName(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := a.builtin()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, k := range sections(c.Registry) {
		for _, d := range k.descriptions {
			if !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, d.Name+"\t") }) {
				names = append(names, d.Name+"\t"+d.Summary)
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
