// Package report shows results: figures ([Write]) and tables ([WriteTable], [WriteMarkdown],
// [WriteCSV]), and all of it as one HTML page ([WritePage]).
//
// It works from a folder of results alone (benchmark.Store); nothing is trained or evaluated again. The same results give
// the same bytes. report may import core and benchmark.
//
//   - summary.go gathers the runs of a method over its seeds and ranks the methods; evidence.go has
//     what intervals and baseline.go what levels to compare with need; remarks.go says what else a
//     reader must know;
//   - table.go lays the table out, terminal.go and markdown.go write it, csv.go for programs;
//   - material.go reads what figures show; accuracy.go, rollout.go, eigenvalues.go, eigenfunctions.go, training.go, sample.go
//     and costchart.go draw one figure each, with gonum.org/v1/plot, for files and the page alike: svg.go is the canvas that
//     writes both kinds of SVG, paint.go has the colours, look.go gives methods theirs and their markers, thin.go leaves
//     points of long curves out;
//   - page.go writes the page from the template, style sheet and script in page/; pageview.go gathers what it says,
//     pagestats.go how sure it is, and pagerollout.go packs its images.
package report
