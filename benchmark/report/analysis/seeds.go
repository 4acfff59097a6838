package analysis

import (
	"fmt"
	"strconv"

	"gonum.org/v1/gonum/stat"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// SeedTables are the scores in the form of publications: the mean over seeds ± the standard
// deviation over seeds (of a sample: divided by n − 1). There is a table for each protocol, first
// that of the ranking. Its columns are the given steps, counted from 1, or those of [RankingTable].
// The error is [core.ErrUnavailable] if there is no run, and [core.ErrOption] for a step that
// roll-outs do not have.
func SeedTables(r *results.Results, steps []int) ([]*Table, error) {
	all, err := Summarize(r)
	if err != nil {
		return nil, err
	}
	last := StepsOf(r.Task, all)
	if len(steps) == 0 {
		steps = shownSteps(last, r)
	}
	for _, step := range steps {
		if step < 1 || step > last {
			return nil, fmt.Errorf("%w: step %d; roll-outs have steps 1 to %d", core.ErrOption, step, last)
		}
	}
	tables := []*Table{seedTable(r, r.Protocol, all, steps, func(s *Summary) *Summary { return s })}
	if other := OtherProtocol(r); other != "" {
		tables = append(tables, seedTable(r, other, all, steps, func(s *Summary) *Summary { return s.Other }))
	}
	return tables, nil
}

// seedTable is the table by a protocol; by gives what a method has by it.
func seedTable(
	r *results.Results, protocol string, all []Summary, steps []int, by func(*Summary) *Summary,
) *Table {
	t := &Table{Remark: Caveat(r), Title: fmt.Sprintf("%s, %s on %d test snapshots, protocol %s, mean ± standard "+
		"deviation over seeds", TaskAndStates(r.Task), MeasureOf(r.Task).Heading(), r.Task.Starts, OrUnnamed(protocol))}
	t.Columns = []Column{{Name: MethodColumn}, {Name: "ok", Right: true}}
	for _, step := range steps {
		t.Columns = append(t.Columns, Column{Name: "t = " + strconv.Itoa(step), Right: true})
	}
	t.Columns = append(t.Columns, Column{Name: "mean", Right: true})
	t.Sections = sectionsOf(all, func(s *Summary) []cell {
		method := by(s)
		cells := []cell{{Value: s.marked()}, share(len(method.OK), len(method.Runs))}
		for _, step := range steps {
			cells = append(cells, method.overSeeds(step))
		}
		return append(cells, method.overSeeds(0))
	})
	return t
}

// overSeeds is the mean over seeds with its standard deviation, at a step or, for 0, over all steps.
func (s *Summary) overSeeds(step int) cell {
	var scores []float64
	for _, run := range s.OK {
		at := run.Ranked.Score
		switch {
		case step == 0:
			scores = append(scores, s.measure.together(at))
		case step <= len(at):
			scores = append(scores, at[step-1])
		}
	}
	if len(scores) == 0 {
		return cell{Value: None}
	}
	text := s.measure.Text(stat.Mean(scores, nil))
	if len(scores) > 1 && text != None {
		text += " ± " + s.measure.Text(stat.StdDev(scores, nil))
	}
	return cell{Value: text}
}
