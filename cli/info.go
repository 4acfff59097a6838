package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/registry"
)

func (a *app) infoCommand() *cobra.Command {
	f := newPluginFlags()
	cmd := &cobra.Command{
		Use:               "info NAME [FLAGS]",
		Short:             "Describe a " + core.AnyKind() + " and its options",
		Example:           "  " + a.Name + " info vamp",
		Args:              oneArgument("a name"),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			s := a.begin()
			defer s.close()
			if err := s.open(cmd.Context(), f); err != nil {
				return err
			}
			text, err := info(s.Registry, args[0])
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(text)
			return err
		},
	}
	cmd.Flags().SortFlags = false
	f.add(cmd)
	return cmd
}

// info describes everything of that name.
func info(r *registry.Registry, name string) ([]byte, error) {
	var b bytes.Buffer
	var known []string
	for _, k := range sections(r) {
		for _, d := range k.descriptions {
			known = append(known, d.Name)
			if d.Name != name {
				continue
			}
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			describe(&b, k.kind.Title(), d)
		}
	}
	if b.Len() == 0 {
		slices.Sort(known)
		return nil, usagef("%s", core.Unknown("method or part", name, slices.Compact(known)))
	}
	return b.Bytes(), nil
}

func describe(b *bytes.Buffer, kind string, d core.Description) {
	fmt.Fprintf(b, "%s (%s): %s\n", d.Name, kind, d.Summary)
	if d.Exposure != core.Unexposed {
		fmt.Fprintf(b, "exposed: it %s, so it is shown separately and never ranked with the other "+
			"methods\n", exposures[d.Exposure])
	}
	if d.Doc != "" {
		fmt.Fprintf(b, "\n%s\n", wrap(d.Doc, 100))
	}
	if len(d.Options) == 0 {
		return
	}
	b.WriteByte('\n')
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	say(w, "OPTION\tTYPE\tDEFAULT\tRANGE\tMEANING\n")
	for _, o := range d.Options {
		say(w, "%s\t%s\t%v\t%s\t%s\n", o.Name, o.Type(), o.Default, o.Range(), o.Doc)
	}
	_ = w.Flush() // to memory
}

// wrap breaks paragraphs, which empty lines separate, into lines of at most width columns; indented
// lines stay as they are.
func wrap(text string, width int) string {
	var paragraphs []string
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if strings.HasPrefix(paragraph, " ") || strings.HasPrefix(paragraph, "\t") {
			paragraphs = append(paragraphs, paragraph)
			continue
		}
		var lines []string
		line := ""
		for word := range strings.FieldsSeq(paragraph) {
			if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
				lines, line = append(lines, line), ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		paragraphs = append(paragraphs, strings.Join(append(lines, line), "\n"))
	}
	return strings.Join(paragraphs, "\n\n")
}
