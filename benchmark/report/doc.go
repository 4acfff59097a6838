// Package report shows results: figures ([Write]) and tables ([WriteTable], [WriteMarkdown]).
//
// It works from a folder of results alone (benchmark.Store); nothing is trained or evaluated again. The same results give
// the same bytes. report may import core and benchmark.
//
//   - summary.go gathers the runs of a method over its seeds and ranks the methods;
//   - table.go lays the table out, terminal.go and markdown.go write it;
//   - material.go reads what figures show; accuracy.go, rollout.go, eigenfunctions.go, training.go and sample.go draw one
//     figure each, from figure.go (PNG and SVG), panels.go, plots.go, legend.go, lettering.go and picture.go.
package report
