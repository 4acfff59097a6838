package text

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
)

// maxWidth is that of the table in characters; long names of methods are broken to keep it.
const maxWidth = 120

// WriteTable writes the results as aligned plain text of at most 120 characters, except notes. It
// has one row per method: first the methods that saw only snapshots, ranked and in the order of
// their mean scores, then the others. Below are the baselines, the quality of the judge, and every
// warning. The interval of a score is below it. The error is [core.ErrUnavailable] if there is no
// run, or what w returns.
func WriteTable(w io.Writer, r *results.Results) error {
	t, err := analysis.NewTable(r)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, plain(t, maxWidth))
	return err
}

// WriteTableWithin is [WriteTable] for a terminal of width columns. If the table is wider, it
// leaves out columns, first those of middle steps, and says which. Ranks, methods and their mean
// accuracies always stay.
func WriteTableWithin(w io.Writer, r *results.Results, width int) error {
	t, err := analysis.NewTable(r)
	if err != nil {
		return err
	}
	width = min(width, maxWidth)
	leaveOut(t, width)
	_, err = io.WriteString(w, plain(t, width))
	return err
}

// leaveOut leaves out columns that do not fit into width characters, and says which.
func leaveOut(t *analysis.Table, width int) {
	gone := fit(t, width)
	for _, other := range t.Others() {
		gone = append(gone, fit(other, width)...)
	}
	if len(gone) > 0 {
		text := fmt.Sprintf("%s, to fit the width; see %s, or use a wider terminal",
			strings.Join(gone, ", "), analysis.PageFile)
		t.Facts = append(t.Facts, [2]string{"left out", text})
	}
}

// plain is a table as text; names of methods are broken so that its tables are width characters wide.
func plain(t *analysis.Table, width int) string {
	var b strings.Builder
	b.WriteString(t.Title + "\n")
	if t.Remark != "" {
		b.WriteString(t.Remark + "\n")
	}
	b.WriteString("\n")
	grid(t, &b, width)
	for _, other := range t.Others() {
		b.WriteString("\n" + other.Title + "\n\n")
		grid(other, &b, width)
	}
	b.WriteString("\n" + remarks(t))
	return b.String()
}

// remarks are the facts and notes of a table.
func remarks(t *analysis.Table) string {
	var b strings.Builder
	for _, fact := range t.Facts {
		fmt.Fprintf(&b, "%-8s  %s\n", fact[0], fact[1])
	}
	for _, group := range t.Notes {
		b.WriteString("\n" + group.Heading + "\n")
		for _, note := range group.Notes {
			b.WriteString("  " + note + "\n")
		}
	}
	return b.String()
}

// leastName is the least width of names of methods, which may be broken into lines.
const leastName = 12

// fit leaves out columns until the table is at most width characters wide, if it can, and returns
// their names in order.
func fit(t *analysis.Table, width int) (gone []string) {
	for {
		widths := columnWidths(t, width)
		total := -2
		for _, w := range widths {
			total += w + 2
		}
		last := -1
		for i, c := range t.Columns {
			if c.Excess > 0 && (last < 0 || c.Excess >= t.Columns[last].Excess) {
				last = i
			}
		}
		if total <= width || last < 0 {
			slices.Reverse(gone)
			return gone
		}
		gone = append(gone, t.Columns[last].Name)
		t.Columns = slices.Delete(slices.Clone(t.Columns), last, last+1)
		for _, s := range t.Sections {
			for i, row := range s.Rows {
				s.Rows[i].Cells = slices.Delete(slices.Clone(row.Cells), last, last+1)
			}
		}
	}
}

// columnWidths are those of the columns of a table of that width, if it can have it.
func columnWidths(t *analysis.Table, width int) []int {
	at := names(t)
	widths := make([]int, len(t.Columns))
	total := 0
	for i, c := range t.Columns {
		widths[i] = utf8.RuneCountInString(c.Name)
		for _, s := range t.Sections {
			for _, row := range s.Rows {
				widths[i] = max(widths[i], utf8.RuneCountInString(row.Cells[i].Value), utf8.RuneCountInString(row.Cells[i].Detail))
			}
		}
		total += widths[i] + 2
	}
	widths[at] = max(leastName, min(widths[at], width-(total-2-widths[at])))
	return widths
}

// names is the place of the names of methods, which may be broken into lines.
func names(t *analysis.Table) int {
	return slices.IndexFunc(t.Columns, func(c analysis.Column) bool { return c.Name == analysis.MethodColumn })
}

// grid writes columns and rows.
func grid(t *analysis.Table, b *strings.Builder, width int) {
	at, widths := names(t), columnWidths(t, width)
	line := func(cells []string) {
		var l strings.Builder
		for i, text := range cells {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if t.Columns[i].Right {
				l.WriteString(space + text + "  ")
			} else {
				l.WriteString(text + space + "  ")
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	cells := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		cells[i] = c.Name
	}
	line(cells)
	for _, s := range t.Sections {
		if s.Heading != "" {
			b.WriteString(s.Heading + "\n")
		}
		for _, row := range s.Rows {
			name := breakName(row.Cells[at].Value, widths[at])
			for n := 0; ; n++ {
				empty := true
				for i := range cells {
					switch {
					case i == at && n < len(name):
						cells[i] = name[n]
					case i != at && n == 0:
						cells[i] = row.Cells[i].Value
					case i != at && n == 1:
						cells[i] = row.Cells[i].Detail
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
