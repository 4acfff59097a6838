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
	var b strings.Builder
	rows := func(rows [][]string) {
		markdownRow(&b, t.header)
		rule := make([]string, len(t.header))
		for i, right := range t.right {
			rule[i] = "---"
			if right {
				rule[i] = "---:"
			}
		}
		b.WriteString("| " + strings.Join(rule, " | ") + " |\n")
		for _, row := range rows {
			markdownRow(&b, row)
		}
		b.WriteString("\n")
	}
	b.WriteString(escapeMarkdown(t.title) + "\n\n")
	if len(t.ranked) > 0 {
		rows(t.ranked)
	}
	if len(t.exposed) > 0 {
		b.WriteString("Not ranked:\n\n")
		rows(t.exposed)
	}
	for _, fact := range t.facts {
		b.WriteString("- " + fact[0] + ": " + escapeMarkdown(fact[1]) + "\n")
	}
	for _, group := range t.notes {
		b.WriteString("- " + group.heading + ":\n")
		for _, note := range group.notes {
			b.WriteString("  - " + escapeMarkdown(note) + "\n")
		}
	}
	_, err = io.WriteString(w, b.String())
	return err
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
