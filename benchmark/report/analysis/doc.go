// Package analysis finds out what results mean. Packages text, figure and page show it.
//
//   - summary.go gathers the runs of a method over its seeds and ranks the methods. evidence.go has
//     the data for intervals, and baseline.go the levels to compare with. comparison.go compares
//     results with others.
//   - remarks.go, facts.go and notes.go state what a reader must know, and costs.go what runs cost.
//   - table.go and comparisontable.go lay tables out. words.go and numbers.go write their cells.
//   - material.go reads what figures show, modes.go chooses eigenfunctions, and picture.go makes
//     images of snapshots.
package analysis
