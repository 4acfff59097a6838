// Package report shows results: figures ([Write]) and tables ([WriteTable], [TableFormats]), all of
// it as one HTML page ([WritePage]), and results against others ([Compare]).
//
// It works from a folder of results alone (package results); nothing is trained or evaluated again.
// The same results give the same bytes. It may import core and benchmark. Its parts, of which each
// imports those before it alone:
//
//   - analysis is what there is to say: summaries and ranks of methods, baselines, comparisons,
//     remarks, costs, the tables before they take a form, and what is drawn;
//   - text writes tables for terminals, as Markdown, CSV, JSON and LaTeX;
//   - figure draws, with gonum.org/v1/plot alone, for PNG and SVG files and for the page;
//   - page writes the page, and imports analysis and figure.
package report
