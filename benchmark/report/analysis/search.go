package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/koopbench/koopbench/benchmark/results"
)

// SearchHeading says which score the trials of a search have.
func SearchHeading(s *results.Search) string {
	if s.LowerIsBetter {
		return s.Score + ", lower is better"
	}
	return s.Score + ", higher is better"
}

// SearchTable returns a search as a table: a row for each trial that has a score, the best first,
// and a note for each other trial.
func SearchTable(s *results.Search) *Table {
	t := &Table{
		Title: fmt.Sprintf("%s: %s by %s, on the validation data, %s", OrUnnamed(s.Method),
			Counted(len(s.Trials), "trial"), SearchHeading(s), SeedWords(s.Seeds)),
		Columns: []Column{
			{Name: "place", Right: true}, {Name: MethodColumn}, {Name: s.Score, Right: true},
			{Name: "standard error", Right: true}, {Name: ""},
		},
	}
	order := make([]int, 0, len(s.Trials))
	failed := noteGroup{Heading: "Without a score, so never chosen"}
	for i, trial := range s.Trials {
		if trial.Score != nil {
			order = append(order, i)
			continue
		}
		failed.Notes = append(failed.Notes, OneLine(trial.Method)+": "+OneLine(trial.Reason))
	}
	slices.SortStableFunc(order, func(a, b int) int {
		c := cmp.Compare(*s.Trials[a].Score, *s.Trials[b].Score)
		if !s.LowerIsBetter {
			return -c
		}
		return c
	})
	var shown section
	for place, i := range order {
		shown.Rows = append(shown.Rows, row{Cells: []cell{
			{Value: strconv.Itoa(place + 1)}, {Value: OneLine(s.Trials[i].Method)}, {Value: trialNumber(s.Trials[i].Score)},
			{Value: trialNumber(s.Trials[i].StandardError)}, {Value: trialRemark(s, i)},
		}})
	}
	t.Sections = []section{shown}
	if s.OracleExposed {
		t.Facts = append(t.Facts, [2]string{"exposed", "the oracle that judges the test chose these options"})
	}
	if failed.Notes != nil {
		t.Notes = append(t.Notes, failed)
	}
	return t
}

func trialNumber(v *float64) string {
	if v == nil {
		return None
	}
	return strconv.FormatFloat(*v, 'g', 5, 64)
}

// trialRemark tells of the first trial, and of the chosen one.
func trialRemark(s *results.Search, i int) string {
	chosen := s.Chosen != nil && *s.Chosen == i
	switch {
	case i == 0 && chosen:
		return "chosen, the method as given"
	case i == 0:
		return "the method as given"
	case chosen:
		return "chosen"
	}
	return ""
}
