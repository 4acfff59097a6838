package text

import (
	"io"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
)

// WriteSearch writes a search as aligned plain text of at most width characters, 120 at most,
// except notes. The error is what w returns.
func WriteSearch(w io.Writer, s *results.Search, width int) error {
	_, err := io.WriteString(w, plain(analysis.SearchTable(s), min(width, maxWidth)))
	return err
}
