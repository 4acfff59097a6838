package report

import (
	"fmt"
	"io"
	"math"
	"path/filepath"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/figure"
	"github.com/koopbench/koopbench/benchmark/report/page"
	"github.com/koopbench/koopbench/benchmark/report/text"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/foreign"
)

// The files of the report, in the folder of the results.
const (
	Page   = analysis.PageFile
	Folder = figure.Folder
)

type (
	// Live describes the progress of unfinished runs.
	Live = page.Live
	// Named is results with a name.
	Named = analysis.Named
	// Comparison compares results with others.
	Comparison = analysis.Comparison
)

// Figures is [figure.Names].
func Figures(t results.TaskInfo) []string { return figure.Names(t) }

// Format is a format of figures as files: [figure.PNG], [figure.SVG] or [figure.PDF].
type Format = figure.Format

// FigureFormats are the formats that [WriteAs] can draw. The first two are those of [Write].
func FigureFormats() []Format { return []Format{figure.PNG, figure.SVG, figure.PDF} }

// Write is [WriteAs] with PNG and SVG files.
func Write(dir string) error { return WriteAs(dir, FigureFormats()[:2]) }

// WriteAs draws the figures of the results in dir into dir/figures, in each of the formats, and
// writes [Page]. If dir has a search, it draws its figure too. It writes each file as a whole or
// not at all, and does not change files of other formats. The same results give the same bytes. The
// error is benchmark.ErrResults if dir cannot be read as results, [core.ErrUnavailable] if it has
// no run, and [core.ErrOption] if a format does not exist.
func WriteAs(dir string, formats []Format) (err error) {
	defer core.Recover(&err)
	store := results.OpenStore(dir)
	m, err := analysis.Gather(store)
	if err != nil {
		return err
	}
	if err := foreign.Folder(dir).Make(Folder); err != nil {
		return fmt.Errorf("cannot make the folder of figures: %w", err)
	}
	if err := figure.New(m).Write(filepath.Join(dir, Folder), formats); err != nil {
		return err
	}
	search, err := store.Search()
	if err == nil && search != nil {
		err = figure.WriteSearch(filepath.Join(dir, Folder), search, formats)
	}
	if err != nil {
		return err
	}
	html, err := page.Bytes(m, store)
	if err != nil {
		return fmt.Errorf("the page %s: %w", Page, err)
	}
	return atomicfile.Write(filepath.Join(dir, Page), html)
}

// Indexed is a row of an index: see [NewIndexed].
type Indexed = page.Folder

// NewIndexed is [page.NewFolder].
func NewIndexed(name, link string, r *results.Results, status string) Indexed {
	return page.NewFolder(name, link, r, status)
}

// WriteIndex is [page.Index].
func WriteIndex(w io.Writer, folders []Indexed) error { return page.Index(w, folders) }

// WritePage is [page.Write].
func WritePage(w io.Writer, s *results.Store, r *results.Results, live *Live) error {
	return page.Write(w, s, r, live)
}

// WriteTable is [text.WriteTable].
func WriteTable(w io.Writer, r *results.Results) error { return text.WriteTable(w, r) }

// WriteTableWithin is [text.WriteTableWithin].
func WriteTableWithin(w io.Writer, r *results.Results, width int) error {
	return text.WriteTableWithin(w, r, width)
}

// WriteSearchTable writes a search for a terminal of width columns; 0 stands for other outputs.
func WriteSearchTable(w io.Writer, s *results.Search, width int) error {
	if width == 0 {
		width = math.MaxInt
	}
	return text.WriteSearch(w, s, width)
}

// SeedsFormat is the format of [TableFormats] that has columns for chosen steps.
const SeedsFormat = "seeds"

// TableFormats are the writers of the table of results, by the names of their formats. steps are
// the steps with columns in [SeedsFormat]; none stands for the usual ones.
func TableFormats(steps []int) map[string]func(io.Writer, *results.Results) error {
	return map[string]func(io.Writer, *results.Results) error{
		"text": text.WriteTable, "csv": text.WriteCSV, "markdown": text.WriteMarkdown, "json": text.WriteJSON,
		"latex":     text.WriteLaTeX,
		SeedsFormat: func(w io.Writer, r *results.Results) error { return text.WriteSeeds(w, r, steps) },
	}
}

// Compare is [analysis.Compare].
func Compare(all []Named) (*Comparison, error) { return analysis.Compare(all) }

// ComparisonFormats are the writers of a comparison, by the names of their formats.
func ComparisonFormats() map[string]func(io.Writer, *Comparison) error {
	return map[string]func(io.Writer, *Comparison) error{
		"text": text.WriteComparison, "csv": text.WriteComparisonCSV,
		"json": text.WriteComparisonJSON, "markdown": text.WriteComparisonMarkdown,
	}
}

// Counted is [analysis.Counted].
func Counted(n int, word string) string { return analysis.Counted(n, word) }
