package report

import (
	"cmp"
	"html"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
)

// cost is a column of the table of costs. It is shown where some run tells it.
type cost struct {
	name string
	more string // what it is, where the name does not say
	of   func(*benchmark.RunResult) float64
	text func(runs []*benchmark.RunResult, of func(*benchmark.RunResult) float64) string
}

func (c cost) told(run *benchmark.RunResult) bool {
	v := c.of(run)
	return v > 0 && drawable(v)
}

// costs are the columns in their order.
func costs() []cost {
	return []cost{
		{"parameters", "", func(r *benchmark.RunResult) float64 { return float64(r.Parameters) }, wholes},
		{"operator rank", "", func(r *benchmark.RunResult) float64 { return float64(r.Rank) }, wholes},
		{"fit s", "without compilation", func(r *benchmark.RunResult) float64 { return r.FitSeconds }, meanSeconds},
		{"compile s", "", func(r *benchmark.RunResult) float64 { return r.CompileSeconds }, meanSeconds},
		{"predict s", "of all steps, without the oracle", func(r *benchmark.RunResult) float64 { return r.PredictSeconds }, meanSeconds},
		{"cpu s", "user and system", cpuSeconds, meanSeconds},
		{"peak MiB", "of the largest process of a run", func(r *benchmark.RunResult) float64 { return float64(r.PeakRSSBytes) / (1 << 20) }, meanWhole},
		{"rpc s", "of calls to other processes", rpcSeconds, meanSeconds},
		{"rpc MiB", "sent and received", func(r *benchmark.RunResult) float64 { return rpcBytes(r) / (1 << 20) }, meanSeconds},
	}
}

// cpuSeconds is not a number where they are not known.
func cpuSeconds(r *benchmark.RunResult) float64 { return orUnknown(r.CPUSeconds) }

// rpcSeconds is not a number where there is no other process, or it does not tell.
func rpcSeconds(r *benchmark.RunResult) float64 {
	if r.RPC == nil {
		return math.NaN()
	}
	return orUnknown(r.RPC.Seconds)
}

// rpcBytes are those sent and received; not a number where there is no other process.
func rpcBytes(r *benchmark.RunResult) float64 {
	if r.RPC == nil {
		return math.NaN()
	}
	return float64(r.RPC.SentBytes) + float64(r.RPC.ReceivedBytes)
}

func orUnknown(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// wholes writes a whole number of each run: "5", "2..4" where they differ, with thousands apart.
func wholes(runs []*benchmark.RunResult, of func(*benchmark.RunResult) float64) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, run := range runs {
		low, high = min(low, of(run)), max(high, of(run))
	}
	if low == high {
		return thousands(low)
	}
	return thousands(low) + ".." + thousands(high)
}

func meanWhole(runs []*benchmark.RunResult, of func(*benchmark.RunResult) float64) string {
	v := runMean(runs, of)
	if !drawable(v) {
		return none
	}
	return thousands(v)
}

// thousands writes a whole number with a narrow space between each three digits, from 10 000 on.
func thousands(v float64) string {
	text := strconv.FormatFloat(v, 'f', 0, 64)
	if len(text) < 5 {
		return text
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}

// costView is the section of costs.
type costView struct {
	Charts  []pageChart
	Note    string
	Columns []costColumn
	Groups  []rankingGroup
}

type costColumn struct{ Name, More, Class string }

// Width is the number of columns of the table.
func (v costView) Width() int { return len(v.Columns) + 1 }

func (m *material) costView() costView {
	v := costView{Note: m.costNote()}
	for _, of := range []struct{ title, label, names string }{
		{"Fit", "seconds of a fit", "fit s"}, {"Predict", "seconds of the roll-out", "predict s"},
	} {
		c := costs()[slices.IndexFunc(costs(), func(c cost) bool { return c.name == of.names })]
		v.Charts = append(v.Charts, pageChart{
			Title: of.title, Wide: m.costDrawing("wide", 570, 380, of.label, c.of), Narrow: m.costDrawing("narrow", 340, 320, of.label, c.of),
		})
	}
	var shown []cost
	for _, c := range costs() {
		if slices.ContainsFunc(m.exhibits, func(e exhibit) bool { return slices.ContainsFunc(e.ok, c.told) }) {
			shown = append(shown, c)
			v.Columns = append(v.Columns, costColumn{c.name, c.more, "number"})
		}
	}
	groups := []rankingGroup{{}, {Heading: "Not ranked"}}
	for _, e := range m.exhibits {
		row := rankingRow{Name: e.label, Swatch: markSwatch(e.hue), Mark: strings.TrimSpace(exposureMarks[e.exposed])}
		for _, c := range shown {
			cell := rankingCell{Text: none, Class: "number"}
			if mean := runMean(e.ok, c.of); drawable(mean) && slices.ContainsFunc(e.ok, c.told) {
				cell.Text, cell.Sort = c.text(e.ok, c.of), sortValue(mean)
			}
			row.Cells = append(row.Cells, cell)
		}
		of := 0
		if e.exposed != core.Unexposed {
			of = 1
		}
		groups[of].Rows = append(groups[of].Rows, row)
	}
	v.Groups = slices.DeleteFunc(groups, func(g rankingGroup) bool { return len(g.Rows) == 0 })
	return v
}

func (m *material) costNote() string {
	return "Mean accuracy over all steps against seconds on a logarithmic scale, means over the runs that are ok. Upright lines: 95 % intervals. The upper left is best. Protocol " + protocolText(m.results.Task.Protocol) + "."
}

// box is a part of a drawing that something takes up.
type box struct{ x0, x1, y0, y1 float64 }

func (b box) overlaps(others []box) bool {
	return slices.ContainsFunc(others, func(o box) bool { return b.x0 < o.x1 && o.x0 < b.x1 && b.y0 < o.y1 && o.y0 < b.y1 })
}

const tagWidth = 7.6 // of a character of a name, in the widest of the fonts

// costDrawing draws the mean accuracy over all steps against a cost in seconds.
func (m *material) costDrawing(class string, width, height float64, label string, of func(*benchmark.RunResult) float64) template.HTML {
	type point struct {
		e    exhibit
		cost float64
	}
	var points []point
	low, high := math.Inf(1), math.Inf(-1)
	for _, e := range m.exhibits {
		mean := runMean(e.ok, of)
		if len(e.ok) == 0 || e.overall() < 0 || !drawable(mean) {
			continue
		}
		mean = max(mean, 1e-4)
		points = append(points, point{e, mean})
		low, high = min(low, mean), max(high, mean)
	}
	if len(points) == 0 {
		low, high = 1, 1
	}
	c := newChart(width, height, [4]float64{10, 14, 42, 46}, logAxis(label, low, high),
		axis{label: "mean accuracy over all steps", min: 0, max: 1.03, ticks: ticksIn(0, 1, 5, false)})
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(a.e.overall(), b.e.overall()) })
	var taken []box
	for _, p := range points {
		x, y := c.toX(math.Log10(p.cost)), c.toY(p.e.overall())
		taken = append(taken, box{x - 7, x + 7, y - 7, y + 7})
		if low, high, ok := totalInterval(p.e.summary); ok {
			taken = append(taken, box{x - 1, x + 1, c.toY(high), c.toY(low)})
		}
	}
	for _, l := range m.references() {
		y := c.toY(l.baseline.mean)
		c.add(`<path class="level %s" d="M%s %sH%s"/>`, l.name, num(c.left), num(y), num(c.right))
		// Its name stands on the line or below it, at the end where there is room.
		w := 0.9 * tagWidth * float64(len(l.name))
	ends:
		for _, above := range []bool{true, false} {
			for _, left := range []bool{true, false} {
				b := box{c.right - 4 - w, c.right - 4, y - 16, y - 1}
				anchor, at, base := "end", c.right-4, y-5
				if left {
					b.x0, b.x1, anchor, at = c.left+5, c.left+5+w, "start", c.left+5
				}
				if !above {
					b.y0, b.y1, base = y+1, y+16, y+14
				}
				if b.y0 >= 0 && b.y1 <= c.bottom && !b.overlaps(taken) {
					taken = append(taken, b)
					c.add(`<text class="tick" x="%s" y="%s" text-anchor="%s">%s</text>`, num(at), num(base), anchor, l.name)
					break ends
				}
			}
		}
	}
	for _, p := range points {
		x := num(c.toX(math.Log10(p.cost)))
		if low, high, ok := totalInterval(p.e.summary); ok {
			c.add(`<path class="whisker %s" d="M%s %sV%s"/>`, hueClass(p.e.hue), x, num(c.toY(low)), num(c.toY(high)))
		}
	}
	for _, p := range points {
		x, y := c.toX(math.Log10(p.cost)), c.toY(p.e.overall())
		c.WriteString(mark(p.e.hue, x, y, 6))
		name := []rune(p.e.label)
		if len(name) > 24 {
			name = append(name[:23], '…')
		}
		taken = c.tag(string(name), x, y, taken)
	}
	return c.html(class, width, height, "Accuracy of each method against the "+label+"; both are in the tables.", "")
}

// tag writes a name beside a point, at the first free place: right, left, then higher or lower on either side with a thin
// line to the point. Where none is, the tables must do. It returns what is taken then.
func (c *chart) tag(name string, x, y float64, taken []box) []box {
	w := tagWidth * float64(len([]rune(name)))
	for _, shift := range []float64{0, -16, 16, -32, 32, -48, 48, -64, 64, -80, 80} {
		for _, left := range []bool{false, true} {
			b := box{x + 10, x + 10 + w, y - 8 + shift, y + 8 + shift}
			anchor, at, end := "start", x+11, x+9
			if left {
				b.x0, b.x1, anchor, at, end = x-10-w, x-10, "end", x-11, x-9
			}
			if b.x0 < c.left || b.x1 > c.right || b.y0 < c.top-4 || b.y1 > c.bottom || b.overlaps(taken) {
				continue
			}
			if math.Abs(shift) > 16 {
				c.add(`<path class="leader" d="M%s %sL%s %s"/>`, num(x), num(y), num(end), num(y+shift))
			}
			c.add(`<text class="tag" x="%s" y="%s" text-anchor="%s">%s</text>`, num(at), num(y+shift+4.5), anchor, html.EscapeString(name))
			return append(taken, b)
		}
	}
	return taken
}
