// Package text writes the tables of package analysis: for terminals, as Markdown, CSV, JSON and LaTeX.
package text
