// Package text writes the tables of package analysis: for terminals, as Markdown, as CSV and JSON.
package text
