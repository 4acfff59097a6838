package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

//go:embed index.html
var indexTemplate string

// Folder is a row of an index: a folder of results, and the place of its report.
type Folder struct{ Name, Link, Task, Methods, Seeds, Status string }

// NewFolder returns the row of a folder with these results, or nil if there are none yet. The
// status says how many of its runs have finished.
func NewFolder(name, link string, r *results.Results, status string) Folder {
	f := Folder{Name: analysis.OneLine(name), Link: link, Status: status}
	if r == nil || len(r.Runs) == 0 {
		return f
	}
	methods, runs := map[string]bool{}, make([]*results.Run, len(r.Runs))
	for i := range r.Runs {
		methods[r.Runs[i].Method], runs[i] = true, &r.Runs[i]
	}
	f.Task, f.Methods = analysis.OrUnnamed(r.Task.Name), fmt.Sprint(len(methods))
	f.Seeds = analysis.SeedText(analysis.SeedsOf(runs))
	return f
}

// Index writes a page with a row for each folder. It needs no network.
func Index(w io.Writer, folders []Folder) error {
	t, err := template.New("index").Parse(pageParts + indexTemplate)
	if err != nil {
		return fmt.Errorf("%w: the template of the page: %w", core.ErrPanic, err)
	}
	return t.Execute(w, struct {
		Title, Policy string
		Style         template.CSS
		Script        template.JS
		Folders       []Folder
	}{
		fmt.Sprintf("%d folders of results", len(folders)), policy(false), template.CSS(style()),
		template.JS(pageScript), folders,
	})
}
