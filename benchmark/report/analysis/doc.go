// Package analysis says what results mean; text, figure and page show it.
//
//   - summary.go gathers the runs of a method over its seeds and ranks the methods; evidence.go has what intervals and
//     baseline.go what levels to compare with need; comparison.go holds results against others;
//   - remarks.go, facts.go and notes.go say what a reader must know, costs.go what runs cost;
//   - table.go and comparisontable.go lay tables out, words.go and numbers.go write what stands in them;
//   - material.go reads what is drawn, modes.go chooses eigenfunctions, picture.go makes images of snapshots.
package analysis
