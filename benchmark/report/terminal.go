package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/koopbench/koopbench/benchmark"
)

// maxWidth is that of the table in characters; long names of methods are broken to keep it.
const maxWidth = 120

// WriteTable writes the results as aligned plain text, at most 120 characters wide but for notes: a row a method, those
// that saw nothing but snapshots first, ordered by their mean accuracy and ranked; the others apart below; then the
// baselines, how good the judge was, and every warning. Under each accuracy stands its interval. The error is
// [core.ErrUnavailable] where there is no run, or what w returns.
func WriteTable(w io.Writer, r *benchmark.Results) error {
	t, err := newTable(r)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, t.text())
	return err
}

const methodColumn = "method"

func (t *table) text() string {
	var b strings.Builder
	b.WriteString(t.title + "\n")
	if t.remark != "" {
		b.WriteString(t.remark + "\n")
	}
	b.WriteString("\n")
	t.grid(&b)
	if t.costs != nil {
		b.WriteString("\n" + t.costs.title + "\n\n")
		t.costs.grid(&b)
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
	return b.String()
}

// grid writes columns and rows.
func (t *table) grid(b *strings.Builder) {
	names := slices.IndexFunc(t.columns, func(c column) bool { return c.name == methodColumn }) // may be broken into lines
	widths := make([]int, len(t.columns))
	total := 0
	for i, c := range t.columns {
		widths[i] = utf8.RuneCountInString(c.name)
		for _, s := range t.sections {
			for _, row := range s.rows {
				widths[i] = max(widths[i], utf8.RuneCountInString(row[i].value), utf8.RuneCountInString(row[i].detail))
			}
		}
		total += widths[i] + 2
	}
	widths[names] = max(12, min(widths[names], maxWidth-(total-2-widths[names])))
	line := func(cells []string) {
		var l strings.Builder
		for i, text := range cells {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if t.columns[i].right {
				l.WriteString(space + text + "  ")
			} else {
				l.WriteString(text + space + "  ")
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	cells := make([]string, len(t.columns))
	for i, c := range t.columns {
		cells[i] = c.name
	}
	line(cells)
	for _, s := range t.sections {
		if s.heading != "" {
			b.WriteString(s.heading + "\n")
		}
		for _, row := range s.rows {
			name := breakName(row[names].value, widths[names])
			for n := 0; ; n++ {
				empty := true
				for i := range cells {
					switch {
					case i == names && n < len(name):
						cells[i] = name[n]
					case i != names && n == 0:
						cells[i] = row[i].value
					case i != names && n == 1:
						cells[i] = row[i].detail
					default:
						cells[i] = ""
					}
					empty = empty && cells[i] == ""
				}
				if n > 0 && empty {
					break
				}
				line(cells)
			}
		}
	}
}

// breakName cuts a name into lines of at most width characters, where it can before a separator.
func breakName(name string, width int) []string {
	var lines []string
	rest := []rune(name)
	for len(rest) > width {
		at := width
		for k := width; k > width/3; k-- {
			if strings.ContainsRune("?&,: ", rest[k]) {
				at = k
				break
			}
		}
		lines = append(lines, strings.TrimSpace(string(rest[:at])))
		rest = []rune(strings.TrimLeft(string(rest[at:]), " "))
	}
	return append(lines, string(rest))
}
