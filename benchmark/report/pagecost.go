package report

import (
	"cmp"
	"html"
	"html/template"
	"math"
	"slices"
	"strconv"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
)

// cost is a column of the table of costs. It is shown where some run took more than nothing.
type cost struct {
	name string
	more string                             // what it is, where the name does not say
	of   func(*benchmark.RunResult) float64 // not a number where the run does not tell
	text func(values []float64) string
}

// values are those of the runs that tell.
func (c cost) values(runs []*benchmark.RunResult) []float64 {
	var values []float64
	for _, run := range runs {
		if v := c.of(run); drawable(v) {
			values = append(values, v)
		}
	}
	return values
}

// known says that some run took more than nothing.
func (c cost) known(runs []*benchmark.RunResult) bool {
	return slices.ContainsFunc(c.values(runs), func(v float64) bool { return v > 0 })
}

var (
	fitCost     = cost{"fit s", "without compilation", func(r *benchmark.RunResult) float64 { return r.FitSeconds }, meanTime}
	predictCost = cost{"predict s", "all steps", func(r *benchmark.RunResult) float64 { return r.Ranked.PredictSeconds }, meanTime}
)

// costs are the columns in their order.
func costs() []cost {
	return []cost{
		{"parameters", "", func(r *benchmark.RunResult) float64 { return float64(r.Parameters) }, wholes},
		{"operator rank", "", func(r *benchmark.RunResult) float64 { return float64(r.Rank) }, wholes},
		fitCost,
		{"compile s", "", func(r *benchmark.RunResult) float64 { return r.CompileSeconds }, meanTime},
		predictCost,
		{"cpu s", "all processes", cpuSeconds, meanTime},
		{"peak MiB", "of a process", func(r *benchmark.RunResult) float64 { return float64(r.PeakRSSBytes) / (1 << 20) }, meanWhole},
		{"rpc s", "calls, without work", rpcSeconds, meanTime},
		{"rpc MiB", "both ways", func(r *benchmark.RunResult) float64 { return rpcBytes(r) / (1 << 20) }, meanTime},
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

// wholes writes whole numbers: "5", "2..4" where they differ, with thousands apart.
func wholes(values []float64) string {
	if low, high := slices.Min(values), slices.Max(values); low != high {
		return thousands(low) + ".." + thousands(high)
	}
	return thousands(values[0])
}

func meanTime(values []float64) string { return secondsText(average(values)) }

// meanWhole writes the mean as a whole number, or to a digit where it is small.
func meanWhole(values []float64) string {
	if v := average(values); v >= 10 {
		return thousands(v)
	}
	return strconv.FormatFloat(average(values), 'g', 2, 64)
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
	Caption string // of the table
	Columns []costColumn
	Groups  []rankingGroup
}

type costColumn struct{ Name, More, Class string }

// Width is the number of columns of the table.
func (v costView) Width() int { return len(v.Columns) + 1 }

func (m *material) costView() costView {
	v := costView{Note: m.costNote(), Caption: m.costCaption()}
	if !slices.ContainsFunc(m.exhibits, func(e exhibit) bool { return len(e.ok) > 0 }) {
		v.Note = "No run has been evaluated."
		return v
	}
	for _, of := range []struct {
		title, label string
		cost         cost
	}{{"Fit", "seconds of a fit", fitCost}, {"Predict", "seconds of the roll-out", predictCost}} {
		v.Charts = append(v.Charts, pageChart{
			Title: of.title, Wide: m.costDrawing("wide", 570, 380, of.label, of.cost), Narrow: m.costDrawing("narrow", 340, 320, of.label, of.cost),
		})
	}
	var shown []cost
	for _, c := range costs() {
		if slices.ContainsFunc(m.exhibits, func(e exhibit) bool { return c.known(e.ok) }) {
			shown = append(shown, c)
			v.Columns = append(v.Columns, costColumn{c.name, c.more, "number"})
		}
	}
	groups := []rankingGroup{{}, {Heading: "Not ranked"}}
	for _, e := range m.exhibits {
		row := rankingRow{Name: e.label, Swatch: markSwatch(e.look), Marks: e.marks()}
		for _, c := range shown {
			cell := rankingCell{Text: none, Class: "number"}
			if values := c.values(e.ok); c.known(e.ok) {
				cell.Text, cell.Sort = c.text(values), sortValue(average(values))
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
	return "Mean accuracy over all steps against seconds on a logarithmic scale, means over the runs that are ok. " +
		"Upright lines: 95% intervals. The upper left is best. " + conditions(m.results)
}

// costCaption says what the numbers mean, and whose memory it is.
func (m *material) costCaption() string {
	text := "What a run takes: means over the runs that are ok."
	inside, together := false, false
	for _, e := range m.exhibits {
		for _, run := range e.ok {
			inside = inside || !run.Isolated && run.PeakRSSBytes > 0
			together = together || run.Jobs > 1
		}
	}
	if inside {
		text += " The memory of runs that are not isolated is that of the whole program."
	}
	if together {
		text += " Some runs shared the machine with others: seconds passed for all of them."
	}
	return text
}

// box is a part of a drawing that something takes up.
type box struct{ x0, x1, y0, y1 float64 }

func (b box) overlaps(others []box) bool {
	return slices.ContainsFunc(others, func(o box) bool { return b.x0 < o.x1 && o.x0 < b.x1 && b.y0 < o.y1 && o.y0 < b.y1 })
}

const tagWidth = 8.2 // of a character of a name, in the widest of the fonts

// costDrawing draws the mean accuracy over all steps against a cost in seconds.
func (m *material) costDrawing(class string, width, height float64, label string, of cost) template.HTML {
	type point struct {
		e    exhibit
		cost float64
	}
	var points []point
	low, high := math.Inf(1), math.Inf(-1)
	for _, e := range m.exhibits {
		values := of.values(e.ok)
		if len(values) == 0 || e.overall() < 0 {
			continue
		}
		mean := max(average(values), 1e-4)
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
	taken = c.levels(m.references(), taken)
	for _, p := range points {
		x := num(c.toX(math.Log10(p.cost)))
		if low, high, ok := totalInterval(p.e.summary); ok {
			c.add(`<path class="whisker %s" d="M%s %sV%s"/>`, hueClass(p.e.look), x, num(c.toY(low)), num(c.toY(high)))
		}
	}
	for _, p := range points {
		x, y := c.toX(math.Log10(p.cost)), c.toY(p.e.overall())
		c.WriteString(mark(p.e.look, x, y, 6))
		name := []rune(p.e.label)
		if len(name) > 24 {
			name = append(name[:23], '…')
		}
		taken = c.tag(string(name), x, y, taken)
	}
	return c.html(class, width, height, "Accuracy of each method against the "+label+"; both are in the tables.", "")
}

// levels draws the baselines, whose names stand above or below their lines at the end where there is room. It returns what is
// taken then.
func (c *chart) levels(all []reference, taken []box) []box {
	for i := 0; i < len(all); i++ {
		mean := all[i].baseline.mean
		y := c.toY(mean)
		name := all[i].name
		c.add(`<path class="level %s" d="M%s %sH%s"/>`, name, num(c.left), num(y), num(c.right))
		for ; i+1 < len(all) && math.Abs(all[i+1].baseline.mean-mean) < 0.01; i++ { // they would be drawn on one another
			name += ", " + all[i+1].name
			c.add(`<path class="level %s" d="M%s %sH%s"/>`, all[i+1].name, num(c.left), num(y), num(c.right))
		}
		w := 0.9 * tagWidth * float64(len(name))
	places:
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
					c.add(`<text class="tick" x="%s" y="%s" text-anchor="%s">%s</text>`, num(at), num(base), anchor, name)
					break places
				}
			}
		}
	}
	return taken
}

// tag writes a name beside a point, at the first free place: right, left, then higher or lower on either side with a thin
// line to the point. Where none is, the tables must do. It returns what is taken then.
func (c *chart) tag(name string, x, y float64, taken []box) []box {
	w := tagWidth * float64(len([]rune(name)))
	for _, shift := range []float64{0, -16, 16, -32, 32, -48, 48, -64, 64, -80, 80} {
		for _, left := range []bool{false, true} {
			b := box{x + 10, x + 12 + w, y - 8 + shift, y + 8 + shift}
			anchor, at, end := "start", x+11, x+9
			if left {
				b.x0, b.x1, anchor, at, end = x-12-w, x-10, "end", x-11, x-9
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
