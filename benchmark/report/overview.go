package report

import (
	"bytes"
	"io"
	"math"
	"path/filepath"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/page"
	"github.com/koopbench/koopbench/benchmark/report/tasklist"
	"github.com/koopbench/koopbench/benchmark/report/text"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
)

// OverviewPage is the page of several tasks, in the folder that contains theirs. Its numbers are in
// overviewCSV.
const (
	OverviewPage = "tasks.html"
	overviewCSV  = "tasks.csv"
)

// Overview shows the results of several tasks side by side.
type Overview = analysis.Overview

// WriteOverview reads the folders of results in dir, first those of its list, and writes
// [OverviewPage] and tasks.csv, each as a whole or not at all. The overview names folders without
// results, which are not an error. The error is [tasklist.ErrList] if dir has no list of tasks.
func WriteOverview(dir string) (o *Overview, err error) {
	defer core.Recover(&err)
	list, err := tasklist.Read(dir)
	if err != nil {
		return nil, err
	}
	beside, err := list.Beside()
	if err != nil {
		return nil, err
	}
	o = &Overview{}
	add := func(name, folder, failed string) {
		scores, problem := scoresIn(list, name, folder)
		if problem == nil {
			o.Tasks = append(o.Tasks, scores)
		} else if failed == "" {
			failed = problem.Error()
		}
		if failed != "" {
			o.Missing = append(o.Missing, [2]string{analysis.OrUnnamed(name), analysis.OneLine(failed)})
		}
	}
	for _, t := range list.Tasks {
		add(t.Written, t.Folder, t.Failed)
	}
	for _, folder := range beside {
		add(folder, folder, "")
	}
	html, err := page.Overview(o)
	if err != nil {
		return nil, err
	}
	var table bytes.Buffer
	if err := text.WriteOverviewCSV(&table, o); err != nil {
		return nil, err
	}
	if err := atomicfile.Write(filepath.Join(dir, overviewCSV), table.Bytes()); err != nil {
		return nil, err
	}
	return o, atomicfile.Write(filepath.Join(dir, OverviewPage), html)
}

// scoresIn are those of a folder beside the list.
func scoresIn(list *tasklist.List, name, folder string) (scores *analysis.TaskScores, err error) {
	defer core.Recover(&err)
	if err := list.CheckInside(folder); err != nil {
		return nil, err
	}
	store := results.OpenStore(list.Path(folder))
	r, err := store.Results()
	if err != nil {
		return nil, err
	}
	return analysis.ScoresOf(name, folder, !store.Files().Missing(Page), r)
}

// WriteOverviewTable writes an overview for a terminal of width columns; 0 stands for other
// outputs.
func WriteOverviewTable(w io.Writer, o *Overview, width int) error {
	if width == 0 {
		width = math.MaxInt
	}
	return text.WriteOverview(w, o, width)
}
