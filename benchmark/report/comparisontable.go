package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
)

// WriteText writes a comparison as aligned plain text.
func (c *Comparison) WriteText(w io.Writer) error {
	_, err := io.WriteString(w, c.table().text(maxWidth))
	return err
}

// WriteMarkdown writes a comparison as Markdown.
func (c *Comparison) WriteMarkdown(w io.Writer) error {
	_, err := io.WriteString(w, c.table().markdown())
	return err
}

// WriteJSON writes a comparison as it is.
func (c *Comparison) WriteJSON(w io.Writer) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// WriteCSV writes a row for each side, method and step, and one for the mean over all steps, whose step is "mean": only it
// is tested. What is not known is empty.
func (c *Comparison) WriteCSV(w io.Writer) error {
	rows := [][]string{{"a", "b", "method", "exposed", "step", "difference", "accuracy_a", "accuracy_b", "low", "high", "p", "verdict", "seeds",
		"trained_a", "tried_a", "trained_b", "tried_b", "fit_seconds_a", "fit_seconds_b"}}
	for _, side := range c.Sides {
		for _, r := range side.Rows {
			lead := []string{foreign.Cell(c.A), foreign.Cell(side.B), foreign.Cell(clean(r.Method)), foreign.Cell(clean(string(r.Exposed)))}
			for i, d := range r.Steps {
				row := append(append([]string{}, lead...), strconv.Itoa(i+1), cellNumber(d))
				rows = append(rows, append(append(row, make([]string, 6)...), strconv.Itoa(r.Seeds), "", "", "", "", "", ""))
			}
			rows = append(rows, append(append([]string{}, lead...), "mean", cellNumber(r.Change), cellNumber(r.A), cellNumber(r.B),
				cellNumber(r.Low), cellNumber(r.High), cellNumber(r.P), string(r.Verdict), strconv.Itoa(r.Seeds),
				strconv.Itoa(r.TrainedA[0]), strconv.Itoa(r.TrainedA[1]), strconv.Itoa(r.TrainedB[0]), strconv.Itoa(r.TrainedB[1]),
				cellNumber(r.FitA), cellNumber(r.FitB)))
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}

func cellNumber(v *float64) string {
	if v == nil {
		return ""
	}
	return csvNumber(*v)
}

var verdictMarks = map[Verdict]string{VerdictSame: "=", VerdictBetter: "+", VerdictWorse: "−"}

func (c *Comparison) table() *table {
	t := &table{remark: c.cut, title: fmt.Sprintf("B against A = %s: %s, %s, accuracy on %d test snapshots",
		c.A, orUnnamed(c.Task.Name), states(c.Task), c.Task.Test)}
	t.columns = []column{{name: ""}, {name: "method"}, {name: "seeds", right: true}, {name: "A"}, {name: "B"}, {name: "B − A"}, {name: "p", right: true}}
	for _, step := range c.measured {
		t.columns = append(t.columns, column{name: "t = " + strconv.Itoa(step), right: true})
	}
	t.columns = append(t.columns, column{name: "trained", right: true}, column{name: "fit s", right: true})
	exposed := map[core.Exposure]bool{}
	for _, side := range c.Sides {
		section := section{heading: "B = " + side.B}
		notes := noteGroup{heading: "B = " + side.B}
		for _, r := range side.Rows {
			exposed[r.Exposed] = true
			section.rows = append(section.rows, row{cells: r.cells(c.measured)})
			for _, note := range r.Notes {
				notes.notes = append(notes.notes, r.Method+": "+note)
			}
			switch {
			case r.Seeds == 0:
				notes.notes = append(notes.notes, r.Method+": no seed at which both were evaluated")
			case r.P == nil && r.Verdict != VerdictSame:
				notes.notes = append(notes.notes, fmt.Sprintf("%s: not tested; it takes %d seeds in common, and labels that give the accuracies", r.Method, stats.LeastSeeds))
			}
		}
		if len(side.OnlyA) > 0 {
			notes.notes = append(notes.notes, "in A only: "+strings.Join(side.OnlyA, ", "))
		}
		if len(side.OnlyB) > 0 {
			notes.notes = append(notes.notes, "in B only: "+strings.Join(side.OnlyB, ", "))
		}
		notes.notes = append(append([]string{}, side.Labels...), notes.notes...)
		t.sections = append(t.sections, section)
		if len(notes.notes) > 0 {
			t.notes = append(t.notes, notes)
		}
	}
	add := func(name, format string, values ...any) {
		t.facts = append(t.facts, [2]string{name, fmt.Sprintf(format, values...)})
	}
	add("A, B", "mean accuracy over all steps, at the seeds in common; "+
		"under B − A its 95%% interval, for the row alone")
	add("p", "paired test over seeds and test snapshots; Holm's correction for all %d tests", c.Tests)
	add("+ −", "B is better or worse than A, at 5%%")
	add("=", "the same predictions, bit by bit")
	add("t", "B − A at that step, not tested")
	add("trained", "and fit s: B, and under it A")
	if exposed[core.OracleExposed] {
		add("†", "is handed the encoder of the oracle that judges it")
	}
	if exposed[core.LabelExposed] {
		add("‡", "sees the labels of the training data")
	}
	return t
}

func (r Row) cells(shown []int) []cell {
	fixed := func(v *float64) string {
		if v == nil {
			return none
		}
		return fmt.Sprintf("%.3f", *v)
	}
	change := cell{value: signed(r.Change)}
	if r.Low != nil && r.High != nil {
		change.detail = signed(r.Low) + " … " + signed(r.High)
	}
	cells := []cell{
		{value: verdictMarks[r.Verdict]}, {value: strings.TrimSpace(r.Method + " " + exposureMarks[r.Exposed])},
		{value: strconv.Itoa(r.Seeds)}, {value: fixed(r.A)}, {value: fixed(r.B)}, change, {value: probability(r.P)},
	}
	for _, step := range shown {
		c := cell{value: none}
		if step <= len(r.Steps) {
			c.value = signed(r.Steps[step-1])
		}
		cells = append(cells, c)
	}
	trained := func(k [2]int) string { return fmt.Sprintf("%d/%d", k[0], k[1]) }
	return append(cells, cell{value: trained(r.TrainedB), detail: trained(r.TrainedA)}, cell{value: seconds(r.FitB), detail: seconds(r.FitA)})
}

// signed is "+.012", "−.012" or "0".
func signed(v *float64) string {
	if v == nil {
		return none
	}
	text := withoutZero(math.Abs(*v), 3)
	switch {
	case text == "0":
		return text
	case *v < 0:
		return "−" + text
	}
	return "+" + text
}

func probability(p *float64) string {
	switch {
	case p == nil:
		return none
	case *p < 0.001:
		return "<.001"
	}
	return withoutZero(*p, 3)
}

func seconds(v *float64) string {
	if v == nil {
		return none
	}
	return secondsText(*v)
}
