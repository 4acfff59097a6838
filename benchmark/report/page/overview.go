package page

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/url"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

//go:embed overview.html
var overviewTemplate string

// overviewView is what the page of several tasks says.
type overviewView struct {
	Title, Policy string
	Style         template.CSS
	Script        template.JS
	Ranks         bool
	Tasks         []overviewTask
	Sections      []overviewSection
	Facts, Notes  [][2]string
}

type overviewTask struct{ Name, Link, Heading, About string }

type overviewSection struct {
	Heading string
	Rows    []overviewRow
}

type overviewRow struct {
	Name, Mark, First string
	Cells             []overviewCell
}

type overviewCell struct{ Value, Rank, Interval, Why string }

// Width is the number of columns.
func (v overviewView) Width() int {
	if v.Ranks {
		return 2 + len(v.Tasks)
	}
	return 1 + len(v.Tasks)
}

// Meaning says what a mark beside a method stands for.
func (overviewView) Meaning(mark string) string { return analysis.Meaning(mark, results.TaskInfo{}) }

// Overview writes the page of several tasks, with links to the pages of each. It needs no network.
// The same overview gives the same bytes.
func Overview(o *analysis.Overview) ([]byte, error) {
	t, err := template.New("overview").Parse(pageParts + overviewTemplate)
	if err != nil {
		return nil, fmt.Errorf("%w: the template of the page: %w", core.ErrPanic, err)
	}
	v := overviewView{
		Title: o.Title(), Policy: policy(false), Style: template.CSS(style()), Script: template.JS(pageScript),
		Ranks: o.Ranks(), Facts: o.Facts(), Notes: o.Notes(),
	}
	for _, task := range o.Tasks {
		link := ""
		if task.Paged {
			link = "./" + url.PathEscape(task.Folder) + "/" + analysis.PageFile
		}
		v.Tasks = append(v.Tasks, overviewTask{task.Name, link, o.Heading(task), task.About()})
	}
	for _, s := range o.Sections() {
		section := overviewSection{Heading: analysis.Capital(s.Heading)}
		for _, r := range s.Rows {
			row := overviewRow{Name: r.Name, Mark: r.Mark(), First: r.FirstText()}
			for i, score := range r.Scores {
				row.Cells = append(row.Cells, overviewCellOf(o.Tasks[i], score))
			}
			section.Rows = append(section.Rows, row)
		}
		v.Sections = append(v.Sections, section)
	}
	var b bytes.Buffer
	err = t.Execute(&b, v)
	return b.Bytes(), err
}

func overviewCellOf(t *analysis.TaskScores, s *analysis.MethodScore) overviewCell {
	c := overviewCell{Value: t.Value(s), Interval: t.Interval(s)}
	switch {
	case s == nil:
		c.Why = "this method has no run on this task"
	case s.Why != "":
		c.Why = s.Why
	case s.Places.Ranked():
		c.Rank = s.Places.String()
	}
	return c
}
