package analysis

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark/results"
)

// Measure is what scores mean: [benchmark.MeasureInfo], as the report words it.
type Measure struct{ results.MeasureInfo }

// MeasureOf is that of a task.
func MeasureOf(t results.TaskInfo) Measure {
	m := Measure{t.Measure}
	m.Name, m.Unit = cmp.Or(OneLine(m.Name), "score"), OneLine(m.Unit)
	return m
}

// Share reports whether scores are in [0,1], and higher is better. Intervals, tests and ranks are of
// such scores alone.
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

// Text writes a score, or a dash for none.
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

// withoutIntervals says what is not told of scores that are no shares.
const withoutIntervals = "none yet of a measure that is not in [0, 1] with higher better; nor are there tests and ranks"
