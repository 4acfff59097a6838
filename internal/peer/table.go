package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// comparison is a table of two sides measured in turn.
type comparison struct{ table }

func newComparison(ours, theirs string) *comparison {
	return &comparison{table{{"", ours, theirs, theirs + " ÷ " + ours}}}
}

// add adds a row of pairs, ours and theirs, one a round: the median of each side, and of the ratios
// within a round the median and the range.
func (c *comparison) add(name string, pairs [][2]float64) {
	var ours, theirs, ratios []float64
	for _, p := range pairs {
		ours, theirs, ratios = append(ours, p[0]), append(theirs, p[1]), append(ratios, p[1]/p[0])
	}
	ratio := format(median(ratios))
	if ratio != none {
		ratio += fmt.Sprintf(" (%s–%s)", format(slices.Min(ratios)), format(slices.Max(ratios)))
	}
	c.table = append(c.table, []string{name, format(median(ours)), format(median(theirs)), ratio})
}

// table has the header first; every row has as many cells.
type table [][]string

// String is the table in Markdown, all columns but the first aligned to the right.
func (t table) String() string {
	var s strings.Builder
	for i, row := range t {
		fmt.Fprintf(&s, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(&s, "|---%s|\n", strings.Repeat("|---:", len(row)-1))
		}
	}
	return s.String()
}

// median is the middle value, or the mean of the two in the middle; NaN of none.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// none stands where there is no value.
const none = "–"

// format shows three significant digits, whole numbers from 100 on, and a dash where there is no finite value.
func format(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return none
	case size >= 99.95:
		return fmt.Sprintf("%.0f", v)
	case size >= 9.995:
		return fmt.Sprintf("%.1f", v)
	case size >= 0.9995 || v == 0:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}
