package analysis

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
)

// Measure is the meaning of scores: [benchmark.MeasureInfo], with the words of the report.
type Measure struct{ results.MeasureInfo }

// MeasureOf returns the measure of a task.
func MeasureOf(t results.TaskInfo) Measure {
	m := Measure{t.Measure}
	m.Name, m.Unit = cmp.Or(OneLine(m.Name), "score"), OneLine(m.Unit)
	return m
}

// Tested reports whether there are intervals, tests and ranks of the scores.
func (m Measure) Tested() bool { return stats.Covers(m.Measure()) }

// Share reports whether scores are in [0,1], where higher is better. Other scores are compared by
// their ratio.
func (m Measure) Share() bool {
	return !m.LowerIsBetter && m.Least != nil && *m.Least >= 0 && m.Most != nil && *m.Most <= 1
}

// Label is the name with the unit: "accuracy", "angle (°)".
func (m Measure) Label() string {
	if m.Unit == "" {
		return m.Name
	}
	return m.Name + " (" + m.Unit + ")"
}

// Heading is the label, with the better direction if it is not the usual one: "error (m), lower is
// better,".
func (m Measure) Heading() string {
	if m.LowerIsBetter {
		return m.Label() + ", lower is better,"
	}
	return m.Label()
}

// together takes the scores of several steps together; it is not a number without any.
func (m Measure) together(scores []float64) float64 {
	if m.RootMeanSquare {
		return m.Measure().Together(scores)
	}
	return mean(scores)
}

// interval writes the ends of an interval in few characters.
func (m Measure) interval(i stats.Interval) string {
	if m.Share() {
		return shortInterval(i, 3)
	}
	return m.Text(i.Low) + "–" + m.orEndless(i.High)
}

// orEndless writes a score, or ∞ for one that no axis reaches.
func (m Measure) orEndless(v float64) string {
	if v >= Beyond {
		return "∞"
	}
	return m.Text(v)
}

// Text writes a score, or a dash if there is none.
func (m Measure) Text(v float64) string {
	switch {
	case !Drawable(v) || m.Share() && (v < 0 || v > 1):
		return None
	case m.Share():
		return fmt.Sprintf("%.3f", v)
	}
	return strings.ReplaceAll(strconv.FormatFloat(v, 'g', 3, 64), "-", "−")
}

// signed writes a difference with its sign, or a dash for none.
func (m Measure) signed(v *float64) string {
	if v == nil || *v == 0 || m.Share() {
		return signed(v)
	}
	return strings.ReplaceAll(fmt.Sprintf("%+.3g", *v), "-", "−")
}

// Compare orders scores, the best first, those that are not numbers last.
func (m Measure) Compare(a, b float64) int {
	switch {
	case math.IsNaN(a) || math.IsNaN(b):
		return cmp.Compare(unknown(a), unknown(b))
	case m.LowerIsBetter:
		return cmp.Compare(a, b)
	}
	return cmp.Compare(b, a)
}

func unknown(v float64) int {
	if math.IsNaN(v) {
		return 1
	}
	return 0
}

// withoutIntervals says what is not told of scores that may be negative.
const withoutIntervals = "none, and no tests or ranks, because this measure can be negative"
