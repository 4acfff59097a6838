package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

// Table is a page of text before it gets the form of a terminal or of Markdown.
type Table struct {
	Title    string
	Remark   string // under the title, "" for none
	Columns  []Column
	Sections []section
	Operator *Table // what is known of the operators of the same methods, nil for nothing
	Costs    *Table // of the same methods, nil for none
	Facts    [][2]string
	Notes    []noteGroup
}

// Others are the tables below the first one.
func (t *Table) Others() []*Table {
	return slices.DeleteFunc([]*Table{t.Operator, t.Costs}, func(t *Table) bool { return t == nil })
}

// Column is the head of a column.
type Column struct {
	Name   string
	More   string // what it is, where the name does not say
	Right  bool   // numbers stand to the right
	Excess int    // if the table is too wide, the column with the largest goes first, and one with 0 stays
}

// MethodColumn has the names of methods.
const MethodColumn = "method"

// section is rows under a heading, which the first one lacks.
type section struct {
	Heading string
	Rows    []row
}

// row is that of a method or of a baseline.
type row struct {
	Cells  []cell
	Method *Summary  // nil for none
	Level  *Baseline // nil for none
}

// cell is a value and how sure it is. order is what to sort by, "" for the value.
type cell struct{ Value, Detail, Order string }

// share is a cell of k of n.
func share(k, n int) cell {
	if n == 0 {
		return cell{Value: None}
	}
	return cell{Value: fmt.Sprintf("%d/%d", k, n), Order: fmt.Sprint(float64(k) / float64(n))}
}

// NewTable is [RankingTable] of results. The error is [core.ErrUnavailable] if there is no run.
func NewTable(r *results.Results) (*Table, error) {
	all, err := Summarize(r)
	if err != nil {
		return nil, err
	}
	return RankingTable(r, all, EvidenceOf(r)), nil
}

// RankingTable returns results as a table, with a row for each method and baseline.
func RankingTable(r *results.Results, all []Summary, known Evidence) *Table {
	steps := StepsOf(r.Task, all)
	shown := shownSteps(steps, r)
	m, other := MeasureOf(r.Task), OtherProtocol(r)
	t := &Table{Remark: Caveat(r), Title: fmt.Sprintf("%s, %s on %d test snapshots t steps ahead, protocol %s",
		TaskAndStates(r.Task), m.Heading(), r.Task.Starts, OrUnnamed(r.Protocol))}
	t.Columns = []Column{
		{Name: "rank"}, {Name: "method"}, {Name: "ok", Excess: 2}, {Name: "trained", Excess: 3}, {Name: "mean"},
		{Name: "sd", Right: true, Excess: 4},
	}
	for i, step := range shown {
		c := Column{Name: "t = " + strconv.Itoa(step), Excess: 5}
		switch i {
		case len(shown) - 1:
			c.Excess = 1
		case 0:
			c.Excess = 2
		}
		t.Columns = append(t.Columns, c)
	}
	if other != "" {
		t.Columns = append(t.Columns, Column{Name: other, More: "mean", Excess: 1})
	}
	t.Sections = sectionsOf(all, func(s *Summary) []cell { return s.cells(shown) })
	levels := section{Heading: "baselines"}
	for _, b := range Baselines(r, known, steps) {
		levels.Rows = append(levels.Rows, row{Cells: b.cells(m, shown, len(t.Columns)), Level: &b})
	}
	if len(levels.Rows) > 0 {
		t.Sections = append(t.Sections, levels)
	}
	t.Operator, t.Costs = operatorTable(r, all), costTable(r, all)
	t.Facts = append(facts(r, all, known), operatorFacts(t.Operator)...)
	t.Notes = notes(r, all)
	return t
}

// sectionsOf are the methods that are ranked and those that are not.
func sectionsOf(all []Summary, cells func(*Summary) []cell) []section {
	sections := []section{{}, {Heading: "not ranked"}}
	for i := range all {
		of := &sections[0]
		if all[i].Exposed != core.Unexposed {
			of = &sections[1]
		}
		of.Rows = append(of.Rows, row{Cells: cells(&all[i]), Method: &all[i]})
	}
	return slices.DeleteFunc(sections, func(s section) bool { return len(s.Rows) == 0 })
}

// costTable has what runs cost, in the columns of which some run tells.
func costTable(r *results.Results, all []Summary) *Table {
	shown := ShownCosts(r, all)
	if len(shown) == 0 {
		return nil
	}
	return quantityTable("costs", shown, all)
}

// quantityTable has a column for each quantity and a row for each method.
func quantityTable(title string, shown []Quantity, all []Summary) *Table {
	t := &Table{Title: title, Columns: []Column{{Name: MethodColumn}}}
	for _, c := range shown {
		t.Columns = append(t.Columns, Column{Name: c.Name, More: c.more, Right: true, Excess: 1})
	}
	t.Sections = sectionsOf(all, func(s *Summary) []cell {
		cells := []cell{{Value: s.marked()}}
		for _, c := range shown {
			cells = append(cells, c.Cell(s.OK))
		}
		return cells
	})
	return t
}

// shownSteps are the steps that have a column: 1, 5 and 10 as far as they go, and the last. The
// step before stands in for one after which the states have come round, since predicting the input
// is right there.
func shownSteps(steps int, r *results.Results) []int {
	var shown []int
	for _, step := range []int{1, 5, 10, steps} {
		if step > 1 && step < len(r.Expected) && slices.Equal(r.Expected[step], r.Expected[0]) {
			step--
		}
		if step <= steps {
			shown = append(shown, step)
		}
	}
	slices.Sort(shown)
	return slices.Compact(shown)
}

func (s Summary) cells(shown []int) []cell {
	trained := share(s.Trained(), s.Tried())
	if s.Tried() > 1 {
		trained.Detail = shortInterval(stats.Proportion(s.Trained(), s.Tried()), 2)
	}
	cells := []cell{
		{Value: s.RankText()}, {Value: s.marked()}, share(len(s.OK), len(s.Runs)), trained,
		scoreCell(s.measure, s.Overall(), s.Total), s.deviations(),
	}
	for _, step := range shown {
		var e *stats.Estimate
		if step <= len(s.Steps) {
			e = s.Steps[step-1]
		}
		cells = append(cells, scoreCell(s.measure, s.At(step), e))
	}
	if s.Other != nil {
		cells = append(cells, s.Other.alone())
	}
	return cells
}

// alone is all that a row says of a protocol that does not rank: the mean over all steps, or how it ended.
func (s Summary) alone() cell {
	if len(s.OK) > 0 {
		return scoreCell(s.measure, s.Overall(), s.Total)
	}
	return cell{Value: cmp.Or(s.Ended(), None)}
}

// Ended is "ok" if a run was evaluated, or how the first evaluation ended; "" if no fit succeeded.
func (s Summary) Ended() string {
	if len(s.OK) > 0 {
		return string(results.StatusOK)
	}
	for _, run := range s.Runs {
		if len(run.Evaluations) > 0 {
			return OneLine(string(run.Status))
		}
	}
	return ""
}

// cells are those of a table with so many columns.
func (b Baseline) cells(m Measure, shown []int, columns int) []cell {
	cells := make([]cell, columns)
	cells[1].Value = b.Label
	cells[4] = scoreCell(m, b.Mean, b.Total)
	for i, step := range shown {
		if step <= len(b.At) {
			cells[6+i] = scoreCell(m, b.At[step-1], b.Steps[step-1])
		}
	}
	return cells
}

// RankText is empty for methods that are not ranked.
func (s Summary) RankText() string {
	if s.Exposed != core.Unexposed {
		return ""
	}
	return s.Places.String()
}

// deviations are those of the mean over all steps, between seeds and between test snapshots.
func (s Summary) deviations() cell {
	if s.Total == nil {
		return cell{Value: None}
	}
	root := func(variance float64) string {
		if math.IsNaN(variance) {
			return None
		}
		if sd := math.Sqrt(variance); !s.measure.Share() {
			if sd < 1e-9*math.Abs(s.Overall()) { // rounding
				sd = 0
			}
			return s.measure.Text(sd)
		}
		return withoutZero(math.Sqrt(variance), 3)
	}
	return cell{Value: root(s.Total.Components.Seeds), Detail: root(s.Total.Components.Snapshots)}
}

func scoreCell(m Measure, mean float64, e *stats.Estimate) cell {
	c := cell{Value: m.Text(mean)}
	if c.Value != None && !m.Share() {
		c.Order = fmt.Sprint(mean)
	}
	if e != nil {
		c.Detail = m.interval(e.Interval)
	}
	return c
}
