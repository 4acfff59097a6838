// Package text writes the tables of package analysis for terminals, and as Markdown, CSV, JSON and
// LaTeX.
package text
