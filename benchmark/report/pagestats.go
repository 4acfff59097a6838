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

// totalInterval is that of the mean over all steps.
func totalInterval(s summary) (low, high float64, ok bool) { return endsOf(s.total) }

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
func (m *material) tableNotes() []pageFact {
	all := make([]summary, len(m.exhibits))
	for i, e := range m.exhibits {
		all[i] = e.summary
	}
	var notes []pageFact
	told := false
	for _, fact := range facts(m.results, all, m.known) {
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

// bandNote says what the lines and bands of accuracies are, "" where there is no band.
func (m *material) bandNote() string {
	if slices.ContainsFunc(m.exhibits, func(e exhibit) bool { return e.total != nil }) {
		return bandsNote(m.exhibits)
	}
	return ""
}

// reference is a line to compare with: its accuracy at each step.
type reference struct {
	name, text string // name is a class of the style sheet too
	values     []float64
	baseline   baseline
}

func (r reference) at(step int) float64 {
	if step < 1 || step > len(r.values) {
		return -1
	}
	return r.values[step-1]
}

func (m *material) references() []reference {
	var all []reference
	for _, b := range baselines(m.results, m.known, m.steps) {
		all = append(all, reference{b.name, b.label, b.at, b})
	}
	slices.Reverse(all) // the highest first
	return all
}

// referenceRow is the row of a baseline in the table of the ranking.
func (b *pageBuilder) referenceRow(r reference, shown []int) rankingRow {
	low, high, ok := endsOf(r.baseline.total)
	row := rankingRow{
		Plot: b.material.dotPlot(r.baseline.mean, "level", low, high, ok, func(x, y float64) string {
			return fmt.Sprintf(`<circle class="point" cx="%s" cy="%s" r="3"/>`, num(x), num(y))
		}),
		Name: r.text, PlotValue: sortValue(r.baseline.mean), Swatch: levelSwatch(r.name, 14),
		Cells: []rankingCell{{Text: fractionText(r.baseline.mean), More: intervalText(low, high, ok), Class: "number", Sort: sortValue(r.baseline.mean)}},
	}
	for _, step := range shown {
		cell := rankingCell{Text: fractionText(r.at(step)), Class: "number"}
		if r.at(step) >= 0 {
			cell.Sort = sortValue(r.at(step))
			if step <= len(r.baseline.steps) {
				cell.More = intervalText(endsOf(r.baseline.steps[step-1]))
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
