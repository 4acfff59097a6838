// Package figure draws results: PNG and SVG files, and the figures of the page.
//
// There is one engine, gonum.org/v1/plot, for all three. PNG files are drawn on its own canvas;
// SVG, for files and the page, on svgCanvas (svg.go), which names the colours of the page's style
// sheet ([StyleSheet], paint.go) and groups what belongs to a method, so that the page can hide it.
//
//   - accuracy.go, rollout.go, eigenvalues.go, eigenfunctions.go, training.go, cost.go and sample.go
//     draw one figure each; drawer.go has what they share and the small pictures beside names;
//   - axes.go, plotters.go, marker.go, panels.go, legend.go and lettering.go are what they are made
//     of; look.go gives methods their colours and markers, thin.go leaves points of long curves out;
//     file.go writes files.
package figure
