package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/registry"
)

// kind is one of the five kinds of things that are registered.
type kind struct {
	name, plural string
	descriptions []core.Description
}

func kinds(r *registry.Registry) []kind {
	return []kind{
		{"method", "methods", r.Methods.Descriptions()},
		{"loss", "losses", r.Losses.Descriptions()},
		{"evolution operator", "evolution operators", r.Operators.Descriptions()},
		{"embedder", "embedders", r.Embedders.Descriptions()},
		{"oracle", "oracles", r.Oracles.Descriptions()},
	}
}

// exposures says what an exposed method sees, for the user.
var exposures = map[core.Exposure]string{
	core.LabelExposed:  "sees the labels",
	core.OracleExposed: "sees the oracle's encoder",
}

func (a *app) listCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the methods and the parts that methods are made of",
		Example: "  " + a.Name + " list",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			r, err := a.registry()
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(list(r))
			return err
		},
	}
}

func list(r *registry.Registry) []byte {
	var b bytes.Buffer
	width := 0
	for _, k := range kinds(r) {
		for _, d := range k.descriptions {
			width = max(width, len(d.Name))
		}
	}
	for _, k := range kinds(r) {
		if len(k.descriptions) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintln(&b, strings.ToUpper(k.plural))
		for _, d := range k.descriptions {
			exposure := ""
			if d.Exposure != core.Unexposed {
				exposure = " (" + exposures[d.Exposure] + ")"
			}
			fmt.Fprintf(&b, "  %-*s  %s%s\n", width, d.Name, d.Summary, exposure)
		}
	}
	return b.Bytes()
}
