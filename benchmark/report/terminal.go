package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/koopbench/koopbench/benchmark"
)

// WriteTable writes the results as aligned plain text: a row a method, those that saw nothing but snapshots ranked by the
// accuracy at the last step, then by its mean over the steps; the others apart below; then how good the judge was, what
// chance gives, and every warning. The error is [core.ErrUnavailable] where there is no run, or what w returns.
func WriteTable(w io.Writer, r *benchmark.Results) error {
	t, err := newTable(r)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(t.title + "\n\n")
	widths := make([]int, len(t.header))
	measure := func(row []string) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	measure(t.header)
	for _, rows := range [][][]string{t.ranked, t.exposed} {
		for _, row := range rows {
			measure(row)
		}
	}
	line := func(row []string) {
		cells := make([]string, len(row))
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if t.right[i] {
				cells[i] = space + cell
			} else {
				cells[i] = cell + space
			}
		}
		b.WriteString(strings.TrimRight(strings.Join(cells, "  "), " ") + "\n")
	}
	line(t.header)
	for _, row := range t.ranked {
		line(row)
	}
	if len(t.exposed) > 0 {
		b.WriteString("not ranked:\n")
		for _, row := range t.exposed {
			line(row)
		}
	}
	b.WriteString("\n")
	for _, fact := range t.facts {
		fmt.Fprintf(&b, "%-8s  %s\n", fact[0], fact[1])
	}
	for _, group := range t.notes {
		b.WriteString("\n" + group.heading + "\n")
		for _, note := range group.notes {
			b.WriteString("  " + note + "\n")
		}
	}
	_, err = io.WriteString(w, b.String())
	return err
}
