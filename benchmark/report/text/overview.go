package text

import (
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/internal/foreign"
)

// WriteOverview writes an overview as aligned plain text of at most width characters, 120 at most,
// except facts and notes. If not all tasks fit side by side, the columns of the others are below,
// again beside the methods.
func WriteOverview(w io.Writer, o *analysis.Overview, width int) error {
	t := o.Table()
	var b strings.Builder
	b.WriteString(t.Title + "\n")
	for _, block := range blocks(t, min(width, maxWidth)) {
		b.WriteString("\n")
		grid(block, &b, min(width, maxWidth))
	}
	b.WriteString("\n" + remarks(t))
	_, err := io.WriteString(w, b.String())
	return err
}

// longestHead is the number of characters after which the name of a column is cut; facts have all of it.
const longestHead = 28

// blocks are tables of at most width characters, each with the names and some of the other columns, one at least.
func blocks(t *analysis.Table, width int) []*analysis.Table {
	const longestName = 30
	for i, c := range t.Columns {
		if utf8.RuneCountInString(c.Name) > longestHead {
			t.Columns[i].Name = string([]rune(c.Name)[:longestHead-1]) + "…"
		}
	}
	widths := columnWidths(t, math.MaxInt32)
	var all []*analysis.Table
	for from := 1; from < len(t.Columns); {
		to, total := from, min(widths[0], longestName)
		for to < len(t.Columns) && (to == from || total+2+widths[to] <= width) {
			total += 2 + widths[to]
			to++
		}
		all = append(all, part(t, from, to))
		from = to
	}
	return all
}

// part has the first column of a table and those in [from, to).
func part(t *analysis.Table, from, to int) *analysis.Table {
	p := &analysis.Table{Columns: slices.Concat(t.Columns[:1], t.Columns[from:to]), Sections: slices.Clone(t.Sections)}
	for i := range p.Sections {
		rows := slices.Clone(p.Sections[i].Rows)
		for k, r := range rows {
			rows[k].Cells = slices.Concat(r.Cells[:1], r.Cells[from:to])
		}
		p.Sections[i].Rows = rows
	}
	return p
}

// WriteOverviewCSV writes a row for each task and method or baseline. score is the score over all
// steps of the roll-out, by the measure of the row. A value that is not known is empty. The error
// is what w returns.
func WriteOverviewCSV(w io.Writer, o *analysis.Overview) error {
	rows := [][]string{{
		"task", "folder", "name", "kind", "exposed", "protocol", "measure", "unit", "lower_is_better", "rank_best",
		"rank_worst", "score", "low", "high", "why", "ok", "runs", "trained", "tried", "starts", "steps",
	}}
	for _, t := range o.Tasks {
		for _, s := range t.Scores {
			kind, best, worst, low, high := "method", "", "", math.NaN(), math.NaN()
			if s.Places.Ranked() {
				best, worst = strconv.Itoa(s.Places.Best), strconv.Itoa(s.Places.Worst)
			}
			if s.Total != nil {
				low, high = s.Total.Interval.Low, s.Total.Interval.High
			}
			counts := []string{strconv.Itoa(s.OK), strconv.Itoa(s.Runs), strconv.Itoa(s.Trained), strconv.Itoa(s.Tried)}
			if s.Baseline {
				kind, counts = "baseline", make([]string, len(counts))
			}
			row := []string{
				foreign.Cell(t.Name), foreign.Cell(t.Folder), foreign.Cell(analysis.Clean(s.Name)), kind,
				foreign.Cell(analysis.Clean(string(s.Exposed))), foreign.Cell(t.Protocol), foreign.Cell(t.Measure.Name),
				foreign.Cell(t.Unit), strconv.FormatBool(t.LowerIsBetter), best, worst, csvNumber(s.Score), csvNumber(low),
				csvNumber(high), foreign.Cell(s.Why),
			}
			row = append(append(row, counts...), strconv.Itoa(t.Task.Starts), strconv.Itoa(t.Task.Steps))
			rows = append(rows, row)
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}
