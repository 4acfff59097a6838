package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/internal/licences"
)

func (a *app) licencesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "licences",
		Short:   "Print the licences of the data and modules inside the program",
		Example: "  " + a.Name + " licences | less",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(a.stdout, licences.Text)
			return err
		},
	}
}
