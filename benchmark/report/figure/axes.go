package figure

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
)

// newPlot returns axes without data, with the ranges and ticks given.
func newPlot(l lettering, x, y axis) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []struct {
		to   *plot.Axis
		from axis
	}{{&p.X, x}, {&p.Y, y}} {
		a.to.Min, a.to.Max = a.from.min, a.from.max
		a.to.Label.Text = a.from.label
		a.to.Label.Padding = 3
		a.to.Padding = 0
		a.to.LineStyle = draw.LineStyle{Color: dim, Width: 0.7}
		a.to.Tick.LineStyle = a.to.LineStyle
		a.to.Tick.Length = 3
		a.to.Tick.Marker = plot.ConstantTicks(a.from.ticks)
		restyle(&a.to.Label.TextStyle, l.label)
		restyle(&a.to.Tick.Label, l.tick)
	}
	grid := plotter.NewGrid()
	grid.Horizontal = draw.LineStyle{Color: faint, Width: 0.7}
	grid.Vertical = grid.Horizontal
	p.Add(grid)
	return p
}

// restyle changes font and colour and keeps the alignment.
func restyle(to *text.Style, from text.Style) {
	to.Font, to.Color, to.Handler = from.Font, from.Color, from.Handler
}

// axis is the range of an axis, which is never empty, and what stands along it.
type axis struct {
	label    string
	min, max float64
	ticks    []plot.Tick
}

// ticksIn returns about n ticks at round numbers in [lo,hi], whole ones if asked.
func ticksIn(lo, hi float64, n int, whole bool) []plot.Tick {
	step := roundStep((hi - lo) / float64(n))
	if whole {
		step = math.Max(step, 1)
	}
	first := math.Ceil(lo/step - 1e-9)
	var ticks []plot.Tick
	for k := range 4*n + 2 {
		v := (first + float64(k)) * step
		if v > hi+1e-9*step {
			break
		}
		label := tickLabel(v, step, math.Max(math.Abs(lo), math.Abs(hi)))
		// The plot gives no room to the label of a tick that rounding has moved out of the axis.
		ticks = append(ticks, plot.Tick{Value: min(max(v, lo), hi), Label: label})
	}
	return ticks
}

// roundStep is the least of 1, 2, 5, 10, … that is not below raw.
func roundStep(raw float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// tickLabel writes v with the digits that tell it from its neighbours, step away, on an axis of
// values up to most. Where those are many, all labels of the axis have one power of ten.
func tickLabel(v, step, most float64) string {
	digits := int(math.Floor(math.Log10(step) + 1e-9)) // the power of ten of the last digit
	power, suffix := 0, ""
	if most >= 1e6 || digits < -6 {
		power = int(math.Floor(math.Log10(most)))
		suffix = "e" + strconv.Itoa(power)
	}
	if math.Abs(v) < step/2 {
		return "0"
	}
	s := strconv.FormatFloat(v/math.Pow(10, float64(power)), 'f', min(max(power-digits, 0), 15), 64) + suffix
	return strings.ReplaceAll(s, "-", "−")
}

// fitAxis returns the axis that shows the values with some room; those that are not drawable do not count. ok is false
// where none is.
func fitAxis(label string, values []float64, n int) (a axis, ok bool) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if analysis.Drawable(v) {
			lo, hi = math.Min(lo, v), math.Max(hi, v)
		}
	}
	if lo > hi {
		return axis{}, false
	}
	// Two values that differ by rounding alone are shown as one.
	room := math.Max(0.06*(hi-lo), 1e-6*math.Max(math.Abs(lo), math.Abs(hi)))
	if room < 1/analysis.Beyond {
		room = 1
	}
	lo, hi = lo-room, hi+room
	return axis{label: label, min: lo, max: hi, ticks: ticksIn(lo, hi, n, false)}, true
}
