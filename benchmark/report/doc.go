// Package report shows results: figures ([Write]), tables ([WriteTable], [TableFormats]), one HTML
// page with everything ([WritePage]), and comparisons with other results ([Compare]).
//
// It needs only a folder of results (package results), and does not train or evaluate anything
// again. The same results give the same bytes. It may import core and benchmark. Each of its parts
// imports only the parts before it:
//
//   - analysis decides what there is to say: summaries and ranks of methods, baselines,
//     comparisons, remarks, costs, the content of tables, and the material of figures;
//   - text writes tables for terminals, and as Markdown, CSV, JSON and LaTeX;
//   - figure draws, with gonum.org/v1/plot alone, for PNG, SVG and PDF files and for the page;
//   - page writes the page, and imports analysis and figure.
package report
