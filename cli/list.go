package cli

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
)

// kind is one of the six kinds of things that are registered.
type kind struct {
	name, plural string
	descriptions []core.Description
}

func kinds(r *registry.Registry) []kind {
	return []kind{
		{"method", "methods", inAll(r)},
		{"method", onRequestPlural, onRequest(r)},
		{"loss", "losses", r.Losses.Descriptions()},
		{"evolution operator", "evolution operators", r.Operators.Descriptions()},
		{"embedder", "embedders", r.Embedders.Descriptions()},
		{"oracle", "oracles", r.Oracles.Descriptions()},
		{"task", "tasks", r.Tasks.Descriptions()},
	}
}

// inAll and onRequest are the methods that "all" stands for, and the others.
func inAll(r *registry.Registry) []core.Description {
	return slices.DeleteFunc(r.Methods.Descriptions(), func(d core.Description) bool { return r.Methods.OnRequest(d.Name) })
}

func onRequest(r *registry.Registry) []core.Description {
	return slices.DeleteFunc(r.Methods.Descriptions(), func(d core.Description) bool { return !r.Methods.OnRequest(d.Name) })
}

const onRequestPlural = "methods on request"

// exposures says what an exposed method sees, for the user.
var exposures = map[core.Exposure]string{
	core.LabelExposed:  "sees the labels",
	core.OracleExposed: "sees the oracle's encoder",
}

func (a *app) listCommand() *cobra.Command {
	f := newPluginFlags()
	cmd := &cobra.Command{
		Use:     "list [FLAGS]",
		Short:   "List the methods, the parts that methods are made of, and the plugins",
		Example: "  " + a.Name + " list",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.browse(cmd.Context(), f)
			if err != nil {
				return err
			}
			defer c.close()
			_, err = a.stdout.Write(listing(c))
			return err
		},
	}
	cmd.Flags().SortFlags = false
	f.add(cmd)
	return cmd
}

// browse returns the catalogue for commands that run nothing. The caller must close it.
func (a *app) browse(ctx context.Context, f *pluginFlags) (*catalogue, error) {
	return a.catalogue(ctx, nn.NewRuntime(defaultBackend), f, noLogs())
}

func listing(c *catalogue) []byte {
	var b bytes.Buffer
	width := 0
	all := kinds(c.Registry)
	for _, k := range all {
		for _, d := range k.descriptions {
			width = max(width, len(d.Name))
		}
	}
	for _, k := range all {
		if len(k.descriptions) == 0 {
			continue
		}
		heading(&b, k.plural)
		if k.plural == onRequestPlural {
			fmt.Fprintln(&b, "  made of built-in parts; \"all\" leaves them out, loss:* and the like choose them")
		}
		for _, d := range k.descriptions {
			exposure := ""
			if d.Exposure != core.Unexposed {
				exposure = " (" + exposures[d.Exposure] + ")"
			}
			fmt.Fprintf(&b, "  %-*s  %s%s\n", width, d.Name, d.Summary, exposure)
		}
	}
	if len(c.plugins) > 0 {
		heading(&b, "plugins")
		for _, p := range c.plugins {
			fmt.Fprintf(&b, "  %s: %s\n", p.path, pluginWords(p))
		}
	}
	return b.Bytes()
}

// heading begins a part of a listing.
func heading(b *bytes.Buffer, text string) {
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	fmt.Fprintln(b, strings.ToUpper(text))
}
