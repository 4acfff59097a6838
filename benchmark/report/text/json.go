package text

import (
	"encoding/json"
	"io"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
)

// WriteJSON writes an [analysis.Ranking]. The error is [core.ErrUnavailable] if there is no run, or what w returns.
func WriteJSON(w io.Writer, r *results.Results) error {
	ranking, err := analysis.NewRanking(r)
	if err != nil {
		return err
	}
	return writeJSON(w, ranking)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
