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
	_, err = io.WriteString(w, t.text(maxWidth))
	return err
}

// WriteTableWithin is [WriteTable] for a terminal of width columns. If the table is wider, it
// leaves out columns, those of middle steps first, and says which; ranks, methods and their mean
// accuracies stay.
func WriteTableWithin(w io.Writer, r *benchmark.Results, width int) error {
	t, err := newTable(r)
	if err != nil {
		return err
	}
	width = min(width, maxWidth)
	t.leaveOut(width)
	_, err = io.WriteString(w, t.text(width))
	return err
}

const methodColumn = "method"

// leaveOut leaves out columns that do not fit into width characters, and says which.
func (t *table) leaveOut(width int) {
	gone := t.fit(width)
	if t.costs != nil {
		gone = append(gone, t.costs.fit(width)...)
	}
	if len(gone) > 0 {
		text := fmt.Sprintf("%s; %s has them, and so has a wider terminal", strings.Join(gone, ", "), Page)
		t.facts = append(t.facts, [2]string{"left out", text})
	}
}

// text is the page; names of methods are broken so that its tables are width characters wide.
func (t *table) text(width int) string {
	var b strings.Builder
	b.WriteString(t.title + "\n")
	if t.remark != "" {
		b.WriteString(t.remark + "\n")
	}
	b.WriteString("\n")
	t.grid(&b, width)
	if t.costs != nil {
		b.WriteString("\n" + t.costs.title + "\n\n")
		t.costs.grid(&b, width)
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

// leastName is the least width of names of methods, which may be broken into lines.
const leastName = 12

// fit leaves out columns until the table is at most width characters wide, if it can, and returns
// their names in order.
func (t *table) fit(width int) (gone []string) {
	for {
		widths := t.widths(width)
		total := -2
		for _, w := range widths {
			total += w + 2
		}
		last := -1
		for i, c := range t.columns {
			if c.excess > 0 && (last < 0 || c.excess >= t.columns[last].excess) {
				last = i
			}
		}
		if total <= width || last < 0 {
			slices.Reverse(gone)
			return gone
		}
		gone = append(gone, t.columns[last].name)
		t.columns = slices.Delete(slices.Clone(t.columns), last, last+1)
		for _, s := range t.sections {
			for i, row := range s.rows {
				s.rows[i].cells = slices.Delete(slices.Clone(row.cells), last, last+1)
			}
		}
	}
}

// widths are those of the columns of a table of that width, if it can have it.
func (t *table) widths(width int) []int {
	names := t.names()
	widths := make([]int, len(t.columns))
	total := 0
	for i, c := range t.columns {
		widths[i] = utf8.RuneCountInString(c.name)
		for _, s := range t.sections {
			for _, row := range s.rows {
				widths[i] = max(widths[i], utf8.RuneCountInString(row.cells[i].value), utf8.RuneCountInString(row.cells[i].detail))
			}
		}
		total += widths[i] + 2
	}
	widths[names] = max(leastName, min(widths[names], width-(total-2-widths[names])))
	return widths
}

// names is the place of the names of methods, which may be broken into lines.
func (t *table) names() int {
	return slices.IndexFunc(t.columns, func(c column) bool { return c.name == methodColumn })
}

// grid writes columns and rows.
func (t *table) grid(b *strings.Builder, width int) {
	names, widths := t.names(), t.widths(width)
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
			name := breakName(row.cells[names].value, widths[names])
			for n := 0; ; n++ {
				empty := true
				for i := range cells {
					switch {
					case i == names && n < len(name):
						cells[i] = name[n]
					case i != names && n == 0:
						cells[i] = row.cells[i].value
					case i != names && n == 1:
						cells[i] = row.cells[i].detail
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
