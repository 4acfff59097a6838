package report

import (
	"io"
	"strings"

	"github.com/koopbench/koopbench/benchmark"
)

// WriteMarkdown writes what [WriteTable] does as Markdown (GitHub's, for its tables).
func WriteMarkdown(w io.Writer, r *benchmark.Results) error {
	t, err := newTable(r)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, t.markdown())
	return err
}

func (t *table) markdown() string {
	var b strings.Builder
	b.WriteString(escapeMarkdown(t.title) + "\n\n")
	if t.remark != "" {
		b.WriteString(escapeMarkdown(t.remark) + "\n\n")
	}
	t.markdownGrid(&b)
	if t.costs != nil {
		b.WriteString(escapeMarkdown(capital(t.costs.title)) + ":\n\n")
		t.costs.markdownGrid(&b)
	}
	for _, fact := range t.facts {
		b.WriteString("- " + strings.TrimSpace(escapeMarkdown(fact[0])+": "+escapeMarkdown(fact[1])) + "\n")
	}
	for _, group := range t.notes {
		b.WriteString("- " + group.heading + ":\n")
		for _, note := range group.notes {
			b.WriteString("  - " + escapeMarkdown(note) + "\n")
		}
	}
	return b.String()
}

// markdownGrid writes columns and rows, a table for each section.
func (t *table) markdownGrid(b *strings.Builder) {
	for _, section := range t.sections {
		if section.heading != "" {
			b.WriteString(escapeMarkdown(capital(section.heading)) + ":\n\n")
		}
		names, rule := make([]string, len(t.columns)), make([]string, len(t.columns))
		for i, c := range t.columns {
			names[i], rule[i] = c.name, "---"
			if c.right {
				rule[i] = "---:"
			}
		}
		markdownRow(b, names)
		b.WriteString("| " + strings.Join(rule, " | ") + " |\n")
		for _, row := range section.rows {
			cells := make([]string, len(row.cells))
			for i, c := range row.cells {
				cells[i] = c.value
				if c.detail != "" {
					cells[i] += " (" + c.detail + ")"
				}
			}
			markdownRow(b, cells)
		}
		b.WriteString("\n")
	}
}

func markdownRow(b *strings.Builder, cells []string) {
	b.WriteString("|")
	for _, cell := range cells {
		b.WriteString(" " + escapeMarkdown(cell) + " |")
	}
	b.WriteString("\n")
}

var markdownEscapes = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "|", `\|`, "<", `\<`, ">", `\>`,
	"[", `\[`, "]", `\]`, "#", `\#`, "~", `\~`, "&", `\&`)

func escapeMarkdown(text string) string { return markdownEscapes.Replace(text) }
