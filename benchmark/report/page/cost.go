package page

import (
	"fmt"
	"slices"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
)

// costView is the section of costs, or of operators.
type costView struct {
	Name    string // of the table, for links
	Charts  []pageChart
	Note    string
	Caption string // of the table
	Columns []rankingColumn
	Groups  []rankingGroup
	Notes   []pageFact // what columns are
	task    results.TaskInfo
}

// Meaning says what a mark beside a method stands for.
func (v costView) Meaning(mark string) string { return analysis.Meaning(mark, v.task) }

// Width is the number of columns of the table.
func (v costView) Width() int { return len(v.Columns) + 1 }

func (b *builder) costView(t *analysis.Table) costView {
	v := costView{Name: "cost", Note: b.costNote(), Caption: b.costCaption(), task: b.Results.Task}
	if !slices.ContainsFunc(b.Exhibits, func(e analysis.Exhibit) bool { return len(e.OK) > 0 }) {
		v.Note = "No run has been evaluated."
		return v
	}
	for _, of := range []struct {
		title, label string
		cost         analysis.Quantity
	}{{"Fit", "seconds of a fit", analysis.FitCost}, {"Predict", "seconds of the roll-out", analysis.PredictCost}} {
		v.Charts = append(v.Charts, pageChart{
			Title: of.title, Wide: b.CostChart("wide", 570, 380, of.label, of.cost), Narrow: b.CostChart("narrow", 340, 320,
				of.label, of.cost),
		})
	}
	if t == nil {
		return v
	}
	of := b.tableView(t)
	v.Columns, v.Groups = of.Columns, of.Groups
	return v
}

// operatorView is the section of operators, which has a table alone.
func (b *builder) operatorView(t *analysis.Table) costView {
	if t == nil {
		return costView{}
	}
	v := b.tableView(t)
	v.Name, v.task = "operator", b.Results.Task
	for i, c := range v.Columns { // which are too long for a head
		v.Notes = append(v.Notes, pageFact{Name: c.Name, Value: c.More})
		v.Columns[i].More = ""
	}
	v.Caption = "Properties of the evolution operators: means over the runs that are ok."
	return v
}

// tableView has the columns of a table but the first, which has names.
func (b *builder) tableView(t *analysis.Table) (v costView) {
	var picked []int
	for i, c := range t.Columns[1:] {
		picked = append(picked, 1+i)
		v.Columns = append(v.Columns, rankingColumn{Name: c.Name, More: c.More, Class: "number"})
	}
	v.Groups = b.groups(t, picked)
	return v
}

func (b *builder) costNote() string {
	best := "upper"
	if b.Measure.LowerIsBetter {
		best = "lower"
	}
	text := fmt.Sprintf("Mean %s over all steps against seconds on a logarithmic scale; means over the runs that are ok. ",
		b.Measure.Name)
	if b.Measure.Tested() {
		text += "Vertical lines: 95% intervals. "
	}
	return text + "Best is the " + best + " left. " + analysis.Conditions(b.Results)
}

// costCaption says what the numbers mean, and whose memory it is.
func (b *builder) costCaption() string {
	text := "Cost of a run: means over the runs that are ok."
	inside, together := false, false
	for _, e := range b.Exhibits {
		for _, run := range e.OK {
			inside = inside || !run.Isolated && run.PeakRSSBytes > 0
			together = together || run.Jobs > 1
		}
	}
	if inside {
		text += " For runs that are not isolated, memory is that of the whole program."
	}
	if together {
		text += " Some runs ran at the same time as others, which makes their seconds longer."
	}
	return text
}
