package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/core"
)

func (a *app) completionCommand() *cobra.Command {
	shells := []string{"bash", "fish", "powershell", "zsh"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Write the script that makes a shell complete commands, flags and names",
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

// completeMethods completes the last element of a list of methods.
func (a *app) completeMethods(_ *cobra.Command, _ []string, text string) ([]string, cobra.ShellCompDirective) {
	r, err := a.registry()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	before := text[:strings.LastIndex(text, ",")+1]
	named := strings.Split(before, ",")
	var names []string
	for _, d := range r.Methods.Descriptions() {
		if !slices.Contains(named, d.Name) {
			names = append(names, before+d.Name+"\t"+d.Summary)
		}
	}
	if before == "" {
		names = append(names, "all\tevery method")
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeName completes the name of anything registered.
func (a *app) completeName(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	r, err := a.registry()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, k := range kinds(r) {
		for _, d := range k.descriptions {
			if !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, d.Name+"\t") }) {
				names = append(names, d.Name+"\t"+d.Summary)
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
