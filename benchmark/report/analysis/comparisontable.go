package analysis

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

var verdictMarks = map[Verdict]string{VerdictSame: "=", VerdictBetter: "+", VerdictWorse: "−"}

// Table returns the comparison as a table, with a row for each method of each side.
func (c *Comparison) Table() *Table {
	m := MeasureOf(c.Task)
	t := &Table{Remark: c.cut, Title: fmt.Sprintf("B compared with A = %s: %s, %s on %d test snapshots, protocol %s",
		c.A, strings.Replace(TaskAndStates(c.Task), ":", ",", 1), m.Heading(), c.Task.Starts, OrUnnamed(c.protocol))}
	t.Columns = []Column{{Name: ""}, {Name: "method"}, {Name: "seeds", Right: true}, {Name: "A"}, {Name: "B"},
		{Name: "B − A"}, {Name: "p", Right: true}}
	for _, step := range c.measured {
		t.Columns = append(t.Columns, Column{Name: "t = " + strconv.Itoa(step), Right: true})
	}
	t.Columns = append(t.Columns, Column{Name: "trained", Right: true}, Column{Name: "fit s", Right: true})
	exposed := map[core.Exposure]bool{}
	for _, side := range c.Sides {
		section := section{Heading: "B = " + side.B}
		notes := noteGroup{Heading: "B = " + side.B}
		for _, r := range side.Rows {
			exposed[r.Exposed] = true
			section.Rows = append(section.Rows, row{Cells: r.cells(m, c.measured)})
			for _, note := range r.Notes {
				notes.Notes = append(notes.Notes, r.Method+": "+note)
			}
			switch {
			case r.Seeds == 0:
				notes.Notes = append(notes.Notes, r.Method+": A and B have no evaluated seed in common")
			case r.P == nil && r.Verdict != VerdictSame && m.Tested():
				notes.Notes = append(notes.Notes, fmt.Sprintf("%s: not tested; a test needs at least %d common "+
					"seeds and the scores behind the %s", r.Method, stats.LeastSeeds, m.Name))
			}
		}
		if len(side.OnlyA) > 0 {
			notes.Notes = append(notes.Notes, "in A only: "+strings.Join(side.OnlyA, ", "))
		}
		if len(side.OnlyB) > 0 {
			notes.Notes = append(notes.Notes, "in B only: "+strings.Join(side.OnlyB, ", "))
		}
		notes.Notes = append(append([]string{}, side.Labels...), notes.Notes...)
		t.Sections = append(t.Sections, section)
		if len(notes.Notes) > 0 {
			t.Notes = append(t.Notes, notes)
		}
	}
	add := func(name, format string, values ...any) {
		t.Facts = append(t.Facts, [2]string{name, fmt.Sprintf(format, values...)})
	}
	if m.Tested() {
		under, over := "its 95% interval", "test snapshots"
		if !m.Share() {
			under, over = "the 95% interval of B / A", "blocks of consecutive test snapshots"
		}
		add("A, B", "mean %s over all steps, at common seeds; below B − A: %s, for that row only", m.Name, under)
		add("p", "paired test over seeds and %s, with Holm's correction for all %d tests", over, c.Tests)
		add("+ −", "B is better (+) or worse (−) than A, at the 5%% level")
	} else {
		add("A, B", "mean %s over all steps, at common seeds", m.Label())
		add("interval", withoutIntervals)
	}
	add("=", "the same predictions, bit by bit")
	add("t", "B − A at that step, not tested")
	add("trained", "and fit s: B, and below it A")
	if exposed[core.OracleExposed] {
		add("†", "uses the encoder of the oracle that judges it")
	}
	if exposed[core.LabelExposed] {
		add("‡", "sees the labels of the training data")
	}
	return t
}

func (r Row) cells(m Measure, shown []int) []cell {
	fixed := func(v *float64) string {
		if v == nil {
			return None
		}
		return m.Text(*v)
	}
	change := cell{Value: m.signed(r.Change)}
	switch {
	case r.Low != nil && r.High != nil:
		change.Detail = signed(r.Low) + " … " + signed(r.High)
	case r.RatioLow != nil && r.RatioHigh != nil:
		change.Detail = "×" + m.Text(*r.RatioLow) + " … ×" + m.orEndless(*r.RatioHigh)
	}
	cells := []cell{
		{Value: verdictMarks[r.Verdict]}, {Value: strings.TrimSpace(r.Method + " " + exposureMarks[r.Exposed])},
		{Value: strconv.Itoa(r.Seeds)}, {Value: fixed(r.A)}, {Value: fixed(r.B)}, change, {Value: probability(r.P)},
	}
	for _, step := range shown {
		c := cell{Value: None}
		if step <= len(r.Steps) {
			c.Value = m.signed(r.Steps[step-1])
		}
		cells = append(cells, c)
	}
	trained := func(k [2]int) string { return fmt.Sprintf("%d/%d", k[0], k[1]) }
	return append(cells, cell{Value: trained(r.TrainedB), Detail: trained(r.TrainedA)},
		cell{Value: seconds(r.FitB), Detail: seconds(r.FitA)})
}
