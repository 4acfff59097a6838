package report

import (
	"fmt"
	"slices"

	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

// What the page says about uncertainty comes from package stats through this file alone.

// intervalAt is the 95% interval of the expected accuracy at a step, counted from 1. ok is false
// where there is none.
func intervalAt(s summary, step int) (low, high float64, ok bool) {
	if step < 1 || step > len(s.steps) {
		return 0, 0, false
	}
	return endsOf(s.steps[step-1])
}

// endsOf are those of a 95% interval.
func endsOf(e *stats.Estimate) (low, high float64, ok bool) {
	if e == nil {
		return 0, 0, false
	}
	return e.Interval.Low, e.Interval.High, true
}

func intervalText(low, high float64, ok bool) string {
	if !ok {
		return ""
	}
	return shortInterval(stats.Interval{Low: low, High: high}, 3)
}

// trainedCell is how many of the runs learned, with the interval of the rate of success.
func trainedCell(s summary) rankingCell {
	learned, tried := s.trained(), s.tried()
	cell := rankingCell{Text: none, Class: "number"}
	if tried > 0 {
		cell.Text, cell.Sort = fmt.Sprintf("%d/%d", learned, tried), sortValue(float64(learned)/float64(tried))
	}
	if tried > 1 {
		cell.More = shortInterval(stats.Proportion(learned, tried), 2)
	}
	return cell
}

// rankingFacts are the facts that explain the table of the ranking.
var rankingFacts = []string{"†", "‡", aboveMark, "mean", "interval", "rank", "trained", "baseline"}

// tableNotes explains the table of the ranking.
func (b *pageBuilder) tableNotes() []pageFact {
	all := make([]summary, len(b.exhibits))
	for i, e := range b.exhibits {
		all[i] = e.summary
	}
	var notes []pageFact
	told := false
	for _, fact := range facts(b.results, all, b.known) {
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

// baselineRow is the row of a baseline in the table of the ranking.
func (b *pageBuilder) baselineRow(of baseline, shown []int) rankingRow {
	low, high, ok := endsOf(of.total)
	row := rankingRow{
		Plot: b.dotPlot(interval{of.mean, low, high, ok}, nil),
		Name: of.label, PlotValue: sortValue(of.mean), Swatch: levelSwatch(of.name, 14),
		Cells: []rankingCell{{Text: fractionText(of.mean), More: intervalText(low, high, ok), Class: "number", Sort: sortValue(of.mean)}},
	}
	for _, step := range shown {
		cell := rankingCell{Text: fractionText(of.value(step)), Class: "number"}
		if of.value(step) >= 0 {
			cell.Sort = sortValue(of.value(step))
			if step <= len(of.steps) {
				cell.More = intervalText(endsOf(of.steps[step-1]))
			}
		}
		row.Cells = append(row.Cells, cell)
	}
	for range pageColumnsAfter {
		row.Cells = append(row.Cells, rankingCell{Class: "number"})
	}
	return row
}

// rankOf is the rank of a method, "" for one that is apart.
func rankOf(s summary) string {
	if s.exposed != core.Unexposed {
		return ""
	}
	return s.places.String()
}

func isFraction(v float64) bool { return v >= 0 && v <= 1 }
