// Package figure draws results: PNG, SVG and PDF files, and the figures of the page.
//
// One engine, gonum.org/v1/plot, draws all of them. PNG files use its own canvas. SVG, for files
// and the page, uses svgCanvas (svg.go), and PDF files use the canvas in pdf.go. svgCanvas names
// the colours of the page's style sheet ([StyleSheet], paint.go). It also groups everything that
// belongs to a method, so that the page can hide it.
//
//   - accuracy.go, rollout.go, eigenvalues.go, eigenfunctions.go, training.go, cost.go and
//     sample.go draw one figure each. drawer.go contains what they share, and the small pictures
//     beside names.
//   - axes.go, plotters.go, marker.go, panels.go, legend.go and lettering.go are the parts of
//     figures. look.go gives each method its colour and marker, thin.go leaves out points of long
//     curves, and file.go writes files.
package figure
