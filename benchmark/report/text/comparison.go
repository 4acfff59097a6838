package text

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/internal/foreign"
)

// WriteComparison writes a comparison as aligned plain text.
func WriteComparison(w io.Writer, c *analysis.Comparison) error {
	_, err := io.WriteString(w, plain(c.Table(), maxWidth))
	return err
}

// WriteComparisonMarkdown writes a comparison as Markdown.
func WriteComparisonMarkdown(w io.Writer, c *analysis.Comparison) error {
	_, err := io.WriteString(w, markdown(c.Table()))
	return err
}

// WriteComparisonJSON writes a comparison as JSON.
func WriteComparisonJSON(w io.Writer, c *analysis.Comparison) error {
	return writeJSON(w, c)
}

// WriteComparisonCSV writes a row for each side, method and step, and one for the mean over all
// steps, whose step is "mean". Only the mean is tested: shares by their difference, and other
// scores by their ratio. Their intervals are low and high, and ratio_low and ratio_high. The
// columns of scores have the name of the measure. A value that is not known is empty.
func WriteComparisonCSV(w io.Writer, c *analysis.Comparison) error {
	measure := foreign.Cell(analysis.MeasureOf(c.Task).Name)
	rows := [][]string{{"a", "b", "method", "exposed", "step", "difference", measure + "_a", measure + "_b", "low", "high",
		"p", "verdict", "seeds",
		"trained_a", "tried_a", "trained_b", "tried_b", "fit_seconds_a", "fit_seconds_b",
		"ratio", "ratio_low", "ratio_high"}}
	for _, side := range c.Sides {
		for _, r := range side.Rows {
			lead := []string{foreign.Cell(c.A), foreign.Cell(side.B), foreign.Cell(analysis.Clean(r.Method)),
				foreign.Cell(analysis.Clean(string(r.Exposed)))}
			for i, d := range r.Steps {
				row := append(append([]string{}, lead...), strconv.Itoa(i+1), cellNumber(d))
				rows = append(rows, append(append(append(row, make([]string, 6)...), strconv.Itoa(r.Seeds)),
					make([]string, 9)...))
			}
			rows = append(rows, append(append([]string{}, lead...), "mean", cellNumber(r.Change), cellNumber(r.A),
				cellNumber(r.B),
				cellNumber(r.Low), cellNumber(r.High), cellNumber(r.P), string(r.Verdict), strconv.Itoa(r.Seeds),
				strconv.Itoa(r.TrainedA[0]), strconv.Itoa(r.TrainedA[1]), strconv.Itoa(r.TrainedB[0]), strconv.Itoa(r.TrainedB[1]),
				cellNumber(r.FitA), cellNumber(r.FitB), cellNumber(r.Ratio), cellNumber(r.RatioLow), cellNumber(r.RatioHigh)))
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}

func cellNumber(v *float64) string {
	if v == nil {
		return ""
	}
	return csvNumber(*v)
}
