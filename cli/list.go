package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/registry"
)

// section is a part of a listing: the things of a kind, those that are on request apart.
type section struct {
	kind         core.Kind
	onRequest    bool
	descriptions []core.Description
}

func sections(r *registry.Registry) []section {
	var all []section
	for _, kind := range core.Kinds() {
		set := r.Of(kind)
		usual, apart := section{kind: kind}, section{kind: kind, onRequest: true}
		for _, d := range set.Descriptions() {
			if set.OnRequest(d.Name) {
				apart.descriptions = append(apart.descriptions, d)
			} else {
				usual.descriptions = append(usual.descriptions, d)
			}
		}
		all = append(all, usual, apart)
	}
	return all
}

// onRequest says of things that are on request why.
var onRequest = map[core.Kind]string{
	core.KindMethod: "  made of built-in parts; \"all\" does not include them; choose them by patterns such as loss:*",
	core.KindTask:   "  for your own data; \"all\" does not include it",
}

// exposures says what an exposed method sees, for the user.
var exposures = map[core.Exposure]string{
	core.LabelExposed:  "sees the labels",
	core.OracleExposed: "sees the oracle's encoder",
}

func (a *app) listCommand() *cobra.Command {
	f := newPluginFlags()
	cmd := &cobra.Command{
		Use:     "list [FLAGS]",
		Short:   "List the methods, the parts that make up methods, the tasks and the plugins",
		Example: "  " + a.Name + " list",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s := a.begin()
			defer s.close()
			if err := s.open(cmd.Context(), f); err != nil {
				return err
			}
			_, err := a.stdout.Write(listing(s.catalogue))
			return err
		},
	}
	cmd.Flags().SortFlags = false
	f.add(cmd)
	return cmd
}

func listing(c *catalogue) []byte {
	var b bytes.Buffer
	width := 0
	all := sections(c.Registry)
	for _, k := range all {
		for _, d := range k.descriptions {
			width = max(width, len(d.Name))
		}
	}
	for _, k := range all {
		if len(k.descriptions) == 0 {
			continue
		}
		if !k.onRequest {
			heading(&b, k.kind.Plural())
		} else {
			heading(&b, k.kind.Plural()+" on request")
			fmt.Fprintln(&b, onRequest[k.kind])
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
