package text

import (
	"io"
	"strings"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
)

// WriteMarkdown writes the content of [WriteTable] as Markdown, with GitHub's tables.
func WriteMarkdown(w io.Writer, r *results.Results) error {
	t, err := analysis.NewTable(r)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, markdown(t))
	return err
}

// WriteSeeds writes [analysis.SeedTables] as Markdown.
func WriteSeeds(w io.Writer, r *results.Results, steps []int) error {
	tables, err := analysis.SeedTables(r, steps)
	if err != nil {
		return err
	}
	texts := make([]string, len(tables))
	for i, t := range tables {
		texts[i] = markdown(t)
	}
	_, err = io.WriteString(w, strings.Join(texts, ""))
	return err
}

func markdown(t *analysis.Table) string {
	var b strings.Builder
	b.WriteString(escapeMarkdown(t.Title) + "\n\n")
	if t.Remark != "" {
		b.WriteString(escapeMarkdown(t.Remark) + "\n\n")
	}
	markdownGrid(t, &b)
	for _, other := range t.Others() {
		b.WriteString(escapeMarkdown(analysis.Capital(other.Title)) + ":\n\n")
		markdownGrid(other, &b)
	}
	for _, fact := range t.Facts {
		b.WriteString("- " + strings.TrimSpace(escapeMarkdown(fact[0])+": "+escapeMarkdown(fact[1])) + "\n")
	}
	for _, group := range t.Notes {
		b.WriteString("- " + group.Heading + ":\n")
		for _, note := range group.Notes {
			b.WriteString("  - " + escapeMarkdown(note) + "\n")
		}
	}
	return b.String()
}

// markdownGrid writes columns and rows, a table for each section.
func markdownGrid(t *analysis.Table, b *strings.Builder) {
	for _, section := range t.Sections {
		if section.Heading != "" {
			b.WriteString(escapeMarkdown(analysis.Capital(section.Heading)) + ":\n\n")
		}
		names, rule := make([]string, len(t.Columns)), make([]string, len(t.Columns))
		for i, c := range t.Columns {
			names[i], rule[i] = c.Name, "---"
			if c.Right {
				rule[i] = "---:"
			}
		}
		markdownRow(b, names)
		b.WriteString("| " + strings.Join(rule, " | ") + " |\n")
		for _, row := range section.Rows {
			cells := make([]string, len(row.Cells))
			for i, c := range row.Cells {
				cells[i] = c.Value
				if c.Detail != "" {
					cells[i] += " (" + c.Detail + ")"
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
