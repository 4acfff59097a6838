package report

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
)

type rankingTable struct {
	Caption string
	Columns []rankingColumn
	Groups  []rankingGroup
	Notes   []pageFact
}

// Width is the number of columns.
func (t rankingTable) Width() int { return len(t.Columns) }

// Meaning says what a mark beside a method stands for.
func (t rankingTable) Meaning(mark string) string { return meaning(mark) }

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
func (b *pageBuilder) ranking(t *table) rankingTable {
	const trained, ok, mean, first = 3, 2, 4, 6
	picked := []int{mean}
	for i := first; i < len(t.columns); i++ {
		picked = append(picked, i)
	}
	picked = append(picked, trained, ok)
	v := rankingTable{
		Caption: "Accuracy on " + strconv.Itoa(b.results.Task.Test) + " test snapshots t steps ahead; below it, 95% intervals. " + conditions(b.results),
		Columns: []rankingColumn{{Name: "rank", Sorted: "ascending"}, {Name: methodColumn}, {Name: "mean over t", Class: "most", Scale: b.dotPlotScale()}},
		Groups:  b.groups(t, picked),
		Notes:   tableNotes(t),
	}
	for _, i := range picked {
		v.Columns = append(v.Columns, rankingColumn{Name: t.columns[i].name, Class: "number most"})
	}
	place := 0
	for _, g := range v.Groups {
		for i := range g.Rows {
			place++
			r := &g.Rows[i]
			r.RankValue, r.PlotValue = strconv.Itoa(place), r.Cells[0].Text
		}
	}
	return v
}

// groups are the rows of a table, with the cells of some of its columns. Of baselines, the highest is first.
func (b *pageBuilder) groups(t *table, picked []int) (groups []rankingGroup) {
	for _, s := range t.sections {
		g := rankingGroup{Heading: capital(s.heading)}
		for _, r := range s.rows {
			row := rankingRow{}
			if r.method != nil {
				row.Rank, row.Name, row.Marks, row.Swatch = r.method.rankText(), r.method.label, r.method.marks(), b.markSwatch(r.method.id)
				row.Plot = b.dotPlot(r.method.overall(), r.method.total, r.method)
			} else {
				row.Name, row.Swatch, row.Plot = r.level.label, levelSwatch(r.level.name, 14), b.dotPlot(r.level.mean, r.level.total, nil)
			}
			for _, i := range picked {
				c := r.cells[i]
				if c.order == "" {
					c.order = c.value
				}
				row.Cells = append(row.Cells, rankingCell{c.value, c.detail, c.order})
			}
			g.Rows = append(g.Rows, row)
		}
		if s.rows[0].level != nil {
			slices.Reverse(g.Rows)
		}
		groups = append(groups, g)
	}
	return groups
}

// capital makes the first letter a capital.
func capital(text string) string {
	return strings.ToUpper(text[:min(1, len(text))]) + text[min(1, len(text)):]
}

// rankingFacts are the facts that explain the table of the ranking.
var rankingFacts = []string{"†", "‡", aboveMark, "mean", "interval", "rank", "trained", "baseline"}

// tableNotes explains the table of the ranking.
func tableNotes(t *table) []pageFact {
	var notes []pageFact
	told := false
	for _, fact := range t.facts {
		name, text := fact[0], fact[1]
		switch {
		case name != "":
			if told = slices.Contains(rankingFacts, name); told {
				notes = append(notes, pageFact{Name: name, Value: text})
			}
		case told:
			notes[len(notes)-1].Value += "; " + text
		}
	}
	return notes
}

// levels are the baselines, the highest first.
func (b *pageBuilder) levels() []baseline {
	all := baselines(b.results, b.known, b.steps)
	slices.Reverse(all)
	return all
}
