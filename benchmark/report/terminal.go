package report

import (
	"fmt"
	"io"
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

const methodColumn = 1

func (t *table) text() string {
	var shown []int // columns
	for i, c := range t.columns {
		if !c.wide {
			shown = append(shown, i)
		}
	}
	widths := make([]int, len(t.columns))
	total := 0
	for _, i := range shown {
		widths[i] = utf8.RuneCountInString(t.columns[i].name)
		for _, s := range t.sections {
			for _, row := range s.rows {
				widths[i] = max(widths[i], utf8.RuneCountInString(row[i].value), utf8.RuneCountInString(row[i].detail))
			}
		}
		total += widths[i] + 2
	}
	widths[methodColumn] = max(12, min(widths[methodColumn], maxWidth-(total-2-widths[methodColumn])))

	var b strings.Builder
	line := func(cells []string) {
		var l strings.Builder
		for k, i := range shown {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cells[k]))
			if t.columns[i].right {
				l.WriteString(space + cells[k] + "  ")
			} else {
				l.WriteString(cells[k] + space + "  ")
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	cells := make([]string, len(shown))
	b.WriteString(t.title + "\n\n")
	for k, i := range shown {
		cells[k] = t.columns[i].name
	}
	line(cells)
	for _, s := range t.sections {
		if s.heading != "" {
			b.WriteString(s.heading + "\n")
		}
		for _, row := range s.rows {
			name := breakName(row[methodColumn].value, widths[methodColumn])
			for n := 0; ; n++ {
				empty := true
				for k, i := range shown {
					switch {
					case i == methodColumn && n < len(name):
						cells[k] = name[n]
					case i != methodColumn && n == 0:
						cells[k] = row[i].value
					case i != methodColumn && n == 1:
						cells[k] = row[i].detail
					default:
						cells[k] = ""
					}
					empty = empty && cells[k] == ""
				}
				if n > 0 && empty {
					break
				}
				line(cells)
			}
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
	return b.String()
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
