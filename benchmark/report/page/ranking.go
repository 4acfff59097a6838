package page

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/figure"
	"github.com/koopbench/koopbench/benchmark/results"
)

type rankingTable struct {
	Caption string
	Columns []rankingColumn
	Groups  []rankingGroup
	Notes   []pageFact
	task    results.TaskInfo
}

// Width is the number of columns.
func (t rankingTable) Width() int { return len(t.Columns) }

// Meaning says what a mark beside a method stands for.
func (t rankingTable) Meaning(mark string) string { return analysis.Meaning(mark, t.task) }

type rankingColumn struct {
	Name, More, Class, Sorted string
	Scale                     template.HTML
}

type rankingGroup struct {
	Heading string
	Rows    []rankingRow
}

type rankingRow struct {
	Rank, RankValue, Name, PlotValue string
	Marks                            []string
	Swatch, Plot                     template.HTML
	Cells                            []rankingCell
}

type rankingCell struct{ Text, More, Order string }

// ranking has the columns of the table that programs and terminals show, in an order of its own, and a small plot.
func (b *builder) ranking(t *analysis.Table) rankingTable {
	var picked []int
	names := []string{"mean", "t = ", "trained", "ok"}
	if other := analysis.OtherProtocol(b.Results); other != "" {
		names = append(names[:2:2], other, "trained", "ok")
	}
	for _, name := range names {
		for i, c := range t.Columns {
			if strings.HasPrefix(c.Name, name) {
				picked = append(picked, i)
			}
		}
	}
	first := "most" // what a click on a head puts first
	if b.Measure.LowerIsBetter {
		first = ""
	}
	intervals := ""
	if b.Measure.Tested() {
		intervals = ", with 95% intervals below"
	}
	v := rankingTable{
		Caption: fmt.Sprintf("%s on %d test snapshots t steps ahead%s. %s", analysis.Capital(b.Measure.Heading()),
			b.Results.Task.Starts, intervals, analysis.Conditions(b.Results)),
		task: b.Results.Task,
		Columns: []rankingColumn{{Name: "rank", Sorted: "ascending"}, {Name: analysis.MethodColumn},
			{Name: "mean over t", Class: first, Scale: b.DotPlotScale()}},
		Groups: b.groups(t, picked),
		Notes:  tableNotes(t, analysis.OtherProtocol(b.Results)),
	}
	for _, i := range picked {
		class := "number " + first
		if name := t.Columns[i].Name; name == "trained" || name == "ok" {
			class = "number most"
		}
		v.Columns = append(v.Columns, rankingColumn{Name: t.Columns[i].Name, More: t.Columns[i].More, Class: class})
	}
	place := 0
	for _, g := range v.Groups {
		for i := range g.Rows {
			place++
			r := &g.Rows[i]
			r.RankValue, r.PlotValue = strconv.Itoa(place), r.Cells[0].Order
		}
	}
	return v
}

// groups are the rows of a table, with the cells of some of its columns. Of baselines, the highest is first.
func (b *builder) groups(t *analysis.Table, picked []int) (groups []rankingGroup) {
	for _, s := range t.Sections {
		g := rankingGroup{Heading: analysis.Capital(s.Heading)}
		for _, r := range s.Rows {
			row := rankingRow{}
			switch {
			case r.Method != nil:
				row.Rank, row.Name, row.Marks = r.Method.RankText(), r.Method.Label, r.Method.Marks()
				row.Swatch = b.MarkSwatch(r.Method.ID)
				row.Plot = b.DotPlot(r.Method.Overall(), r.Method.Total, r.Method)
			case r.Level == nil:
				row.Name = r.Cells[0].Value
			default:
				row.Name, row.Swatch, row.Plot = r.Level.Label, figure.LevelSwatch(r.Level.Name, 14), b.DotPlot(r.Level.Mean,
					r.Level.Total, nil)
			}
			for _, i := range picked {
				c := r.Cells[i]
				if c.Order == "" {
					c.Order = c.Value
				}
				row.Cells = append(row.Cells, rankingCell{c.Value, c.Detail, c.Order})
			}
			g.Rows = append(g.Rows, row)
		}
		if s.Rows[0].Level != nil {
			slices.Reverse(g.Rows)
		}
		groups = append(groups, g)
	}
	return groups
}

// rankingFacts are the facts that explain the table of the ranking, besides that of the other protocol.
var rankingFacts = []string{"†", "‡", analysis.AboveMark, "mean", "interval", "rank", "trained", "baseline"}

// tableNotes explains the table of the ranking.
func tableNotes(t *analysis.Table, other string) []pageFact {
	var notes []pageFact
	told := false
	for _, fact := range t.Facts {
		name, text := fact[0], fact[1]
		switch {
		case name != "":
			if told = name == other || slices.Contains(rankingFacts, name); told {
				notes = append(notes, pageFact{Name: name, Value: text})
			}
		case told:
			notes[len(notes)-1].Value += "; " + text
		}
	}
	return notes
}
