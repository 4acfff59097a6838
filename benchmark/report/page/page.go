// Package page writes results as one HTML page. It is made of the template page.html, the style
// sheet page.css, the script page.js and the drawings of package figure.
//
// view.go gathers the content, ranking.go its tables, figures.go its drawings, and rollout.go packs
// its images. overview.go is the page of several tasks.
package page

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/figure"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// The parts of the page: see page/.
var (
	//go:embed parts.html
	pageParts string // what all pages have
	//go:embed page.html
	pageTemplate string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string
)

// Live describes the progress of unfinished runs on a page that is served meanwhile. Every other
// second the page asks its server for "progress", a JSON object with these fields. If Version has
// changed, it loads the new page.
type Live struct {
	Version string `json:"version"` // of the files that the page is made from
	Text    string `json:"text"`    // for the reader
}

// Write writes results as one HTML page that needs no network and no other file: tables, figures,
// predicted images, all remarks and the environment. Without scripts it shows the same, except
// other test images and seeds. The same results give the same bytes.
//
// r are the results to show, with the arrays of s; nil stands for results.json. If live is not nil,
// r may have no run: the page says so and waits. The error is benchmark.ErrResults if the folder
// cannot be read as results, [core.ErrUnavailable] if there is no run, or what w returns.
func Write(w io.Writer, s *results.Store, r *results.Results, live *Live) (err error) {
	defer core.Recover(&err)
	if live != nil && r != nil && len(r.Runs) == 0 {
		return waitingPage(r, live).write(w)
	}
	var from analysis.Source = s
	if r != nil {
		from = soFar{s, r}
	}
	m, err := analysis.Gather(from)
	if err != nil {
		return err
	}
	return write(w, m, from, live)
}

// style is the style sheet, with the colours of the figures.
func style() string { return figure.StyleSheet() + pageStyle }

// soFar is a store whose results are given.
type soFar struct {
	*results.Store
	results *results.Results
}

var _ analysis.Source = soFar{}

func (s soFar) Results() (*results.Results, error) { return s.results, nil }

// write writes the page of material from s.
func write(w io.Writer, m *analysis.Material, s analysis.Source, live *Live) (err error) {
	defer core.Recover(&err)
	v, err := (&builder{figure.New(m), s}).view()
	if err != nil {
		return err
	}
	v.Live = live
	return v.write(w)
}

func (v *pageView) write(w io.Writer) error {
	t, err := template.New("page").Parse(pageParts + pageTemplate)
	if err != nil {
		return fmt.Errorf("%w: the template of the page: %w", core.ErrPanic, err)
	}
	v.Policy = policy(v.Live != nil)
	v.Style, v.Script = template.CSS(style()), template.JS(pageScript)
	v.Schema = results.Schema
	b := bufio.NewWriterSize(w, 1<<16)
	if err := t.Execute(b, v); err != nil {
		return err
	}
	return b.Flush()
}

// Bytes is the page as a file.
func Bytes(m *analysis.Material, s analysis.Source) ([]byte, error) {
	var b bytes.Buffer
	err := write(&b, m, s, nil)
	return b.Bytes(), err
}

// policy is the page's Content-Security-Policy: it runs its own script and nothing else, and
// reaches no network, except for the server that it comes from while runs are in progress.
func policy(live bool) string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	p := "default-src 'none'; img-src data:; style-src " + hash(style()) + "; script-src " + hash(pageScript) +
		"; base-uri 'none'; form-action 'none'"
	if live {
		p += "; connect-src 'self'"
	}
	return p
}
