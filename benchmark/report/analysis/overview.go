package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

// Overview shows the results of several tasks side by side. It does not combine scores of different
// tasks, because their measures differ.
type Overview struct {
	Tasks   []*TaskScores
	Missing [][2]string // tasks and folders that are not among them or failed, and why
}

// TaskScores is the scores of each method and baseline on one task.
type TaskScores struct {
	Name   string // fit to be shown
	Folder string // of its results, within that of the overview
	Paged  bool   // the folder has a page
	Measure
	Task     results.TaskInfo
	Protocol string
	Cut      string // that training was cut short, "" if it was not
	Scores   []MethodScore
}

// MethodScore is the score of one method or baseline on one task.
type MethodScore struct {
	Name     string // fit to be shown
	Baseline bool
	Exposed  core.Exposure
	Places   stats.Places
	Score    float64 // over all steps of the roll-out, not a number if there is none
	Total    *stats.Estimate
	Why      string // why there is no score
	Remarks  []string

	OK, Runs, Trained, Tried int // numbers of runs
}

// ScoresOf returns the scores in results, without the results. The error is that of [Summarize].
func ScoresOf(name, folder string, paged bool, r *results.Results) (*TaskScores, error) {
	all, err := Summarize(r)
	if err != nil {
		return nil, err
	}
	known := EvidenceOf(r)
	t := &TaskScores{
		Name: OrUnnamed(name), Folder: folder, Paged: paged, Measure: known.measure, Task: r.Task,
		Protocol: OrUnnamed(r.Protocol), Cut: Caveat(r),
	}
	for i := range all {
		t.Scores = append(t.Scores, all[i].methodScore())
	}
	for _, b := range Baselines(r, known, StepsOf(r.Task, all)) {
		label := b.Label
		if b.Name == "chance" { // the number of states is the task's
			label = b.Name
		}
		t.Scores = append(t.Scores, MethodScore{Name: label, Baseline: true, Score: b.Mean, Total: b.Total})
	}
	return t, nil
}

func (s *Summary) methodScore() MethodScore {
	m := MethodScore{
		Name: s.Label, Exposed: s.Exposed, Places: s.Places, Score: math.NaN(), Total: s.Total,
		OK: len(s.OK), Runs: len(s.Runs), Trained: s.Trained(), Tried: s.Tried(),
	}
	if len(s.OK) == 0 {
		m.Why = s.Why()
		return m
	}
	m.Score = s.Overall()
	for _, remark := range s.Remarks() {
		if remark != exposureWords[s.Exposed] {
			m.Remarks = append(m.Remarks, remark)
		}
	}
	return m
}

// Of returns the score of a method or baseline; nil if it was not run.
func (t *TaskScores) Of(name string, baseline bool) *MethodScore {
	for i := range t.Scores {
		if s := &t.Scores[i]; s.Name == name && s.Baseline == baseline {
			return s
		}
	}
	return nil
}

// Better is "lower is better" or "higher is better".
func (t *TaskScores) Better() string {
	if t.LowerIsBetter {
		return "lower is better"
	}
	return "higher is better"
}

// About describes the size of the task.
func (t *TaskScores) About() string {
	return fmt.Sprintf("%s, %s", Counted(t.Task.Starts, "test snapshot"), Counted(t.Task.Steps, "step"))
}

// Value writes a score, Interval its interval, "" for none.
func (t *TaskScores) Value(s *MethodScore) string {
	if s == nil {
		return None
	}
	return t.Text(s.Score)
}

// Interval writes the interval of a score, "" for none.
func (t *TaskScores) Interval(s *MethodScore) string {
	if s == nil || s.Total == nil {
		return ""
	}
	return t.interval(s.Total.Interval)
}

// OverviewSection is rows under a heading. The first section has no heading.
type OverviewSection struct {
	Heading string
	Rows    []OverviewRow
}

// OverviewRow is a method or a baseline with its score on each task; nil if it was not run.
type OverviewRow struct {
	Name          string
	Exposed       core.Exposure
	Baseline      bool
	Scores        []*MethodScore
	First, Ranked int // tasks in which it may be the first, and those in which it is ranked
}

// Marked is the name with its mark.
func (r OverviewRow) Marked() string {
	return strings.TrimSpace(r.Name + " " + exposureMarks[r.Exposed])
}

// Mark is the mark of its exposure; "" for none.
func (r OverviewRow) Mark() string { return exposureMarks[r.Exposed] }

// FirstText is "2/5", a dash for a method that is ranked on no task, and "" for rows that are never
// ranked.
func (r OverviewRow) FirstText() string {
	if r.Baseline || r.Exposed != core.Unexposed {
		return ""
	}
	return share(r.First, r.Ranked).Value
}

// Sections are all methods and baselines. Methods that are not ranked, and baselines, have their
// own sections. Each section is in alphabetical order, because there is no order over tasks.
func (o *Overview) Sections() []OverviewSection {
	sections := []OverviewSection{{}, {Heading: "not ranked"}, {Heading: "baselines"}}
	for _, row := range o.rows() {
		at := 0
		switch {
		case row.Baseline:
			at = 2
		case row.Exposed != core.Unexposed:
			at = 1
		}
		sections[at].Rows = append(sections[at].Rows, row)
	}
	return slices.DeleteFunc(sections, func(s OverviewSection) bool { return len(s.Rows) == 0 })
}

func (o *Overview) rows() []OverviewRow {
	var rows []OverviewRow
	for _, t := range o.Tasks {
		for _, s := range t.Scores {
			if !slices.ContainsFunc(rows, func(r OverviewRow) bool { return r.Name == s.Name && r.Baseline == s.Baseline }) {
				rows = append(rows, OverviewRow{Name: s.Name, Baseline: s.Baseline})
			}
		}
	}
	for i := range rows {
		r := &rows[i]
		for _, t := range o.Tasks {
			s := t.Of(r.Name, r.Baseline)
			r.Scores = append(r.Scores, s)
			if s == nil {
				continue
			}
			r.Exposed = max(r.Exposed, s.Exposed)
			if s.Places.Ranked() {
				r.Ranked++
			}
			if s.Places.Best == 1 {
				r.First++
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b OverviewRow) int { return cmp.Compare(a.Name, b.Name) })
	return rows
}

// Ranks reports whether some method is ranked on some task.
func (o *Overview) Ranks() bool {
	return slices.ContainsFunc(o.rows(), func(r OverviewRow) bool { return r.Ranked > 0 })
}

// protocol is the one by which all tasks rank, "" if they differ.
func (o *Overview) protocol() string {
	one := ""
	for _, t := range o.Tasks {
		if one != "" && t.Protocol != one {
			return ""
		}
		one = t.Protocol
	}
	return one
}

// Title is the title of the overview.
func (o *Overview) Title() string {
	methods := 0
	for _, r := range o.rows() {
		if !r.Baseline {
			methods++
		}
	}
	return Counted(methods, "method") + " on " + Counted(len(o.Tasks), "task")
}

// Heading is the measure of a task, and its protocol if protocols differ between tasks.
func (o *Overview) Heading(t *TaskScores) string {
	text := t.Label() + ", " + t.Better()
	if o.protocol() == "" {
		text += ", protocol " + t.Protocol
	}
	return text
}

// Facts explain the table.
func (o *Overview) Facts() [][2]string {
	facts := [][2]string{
		{"score", "over all steps of the roll-out, with its 95% interval; do not compare or average scores of " +
			"different tasks"},
	}
	if o.Ranks() {
		facts = append(facts, [2]string{"rank", "within a task; #1–2 means that paired tests at common seeds allow " +
			"both places"}, [2]string{"first", "tasks in which a method may be first, out of those in which it is ranked"})
	} else {
		facts = append(facts, [2]string{"rank", fmt.Sprintf("a ranking needs at least %d seeds; give more, like --seeds 0..9",
			stats.LeastSeeds)})
	}
	if p := o.protocol(); p != "" {
		facts = append(facts, [2]string{"protocol", ProtocolText(p, results.TaskInfo{})})
	}
	for _, exposed := range []core.Exposure{core.OracleExposed, core.LabelExposed} {
		if slices.ContainsFunc(o.rows(), func(r OverviewRow) bool { return r.Exposed == exposed }) {
			facts = append(facts, [2]string{exposureMarks[exposed], exposureWords[exposed] + ": not ranked"})
		}
	}
	return facts
}

// Notes say what is not in the table and why, and what a reader must know about single runs.
func (o *Overview) Notes() [][2]string {
	notes := slices.Clone(o.Missing)
	for _, t := range o.Tasks {
		if t.Cut != "" {
			notes = append(notes, [2]string{t.Name, t.Cut})
		}
		for _, s := range t.Scores {
			if s.Why != "" {
				notes = append(notes, [2]string{t.Name, s.Name + ": " + s.Why})
			}
			if len(s.Remarks) > 0 {
				notes = append(notes, [2]string{t.Name, s.Name + ": " + strings.Join(s.Remarks, ", ")})
			}
		}
	}
	return notes
}

// Table returns the overview as a table, with a row for each method and baseline, and a column for
// each task.
func (o *Overview) Table() *Table {
	t := &Table{Title: o.Title(), Columns: []Column{{Name: MethodColumn}}, Facts: o.Facts()}
	ranks := o.Ranks()
	if ranks {
		t.Columns = append(t.Columns, Column{Name: "first"})
	}
	for _, task := range o.Tasks {
		t.Columns = append(t.Columns, Column{Name: task.Name})
		t.Facts = append(t.Facts, [2]string{"task", task.Name + ": " + o.Heading(task) + ", " + task.About()})
	}
	for _, s := range o.Sections() {
		rows := section{Heading: s.Heading}
		for _, r := range s.Rows {
			cells := []cell{{Value: r.Marked()}}
			if ranks {
				cells = append(cells, cell{Value: r.FirstText()})
			}
			for i, score := range r.Scores {
				cells = append(cells, o.Tasks[i].cell(score))
			}
			rows.Rows = append(rows.Rows, row{Cells: cells})
		}
		t.Sections = append(t.Sections, rows)
	}
	group := noteGroup{Heading: "notes"}
	for _, note := range o.Notes() {
		group.Notes = append(group.Notes, note[0]+": "+note[1])
	}
	if len(group.Notes) > 0 {
		t.Notes = append(t.Notes, group)
	}
	return t
}

func (t *TaskScores) cell(s *MethodScore) cell {
	c := cell{Value: t.Value(s), Detail: t.Interval(s)}
	if s != nil && s.Places.Ranked() {
		c.Value += " #" + s.Places.String()
	}
	return c
}
