package report

import (
	"fmt"
	"html/template"
	"math"
	"math/cmplx"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
)

// Limits of what the page draws; results.json has all of it.
const (
	maxPanels     = 60     // of methods in one figure
	maxDotsInPage = 120000 // of eigenfunctions, over all methods
	maxPoints     = 200    // of a curve, fewer where there are many methods
	maxCurves     = 40     // runs whose losses or eigenvalues one panel shows
)

type pageChart struct {
	Title        string
	Wide, Narrow template.HTML
	Note         string
	Legend       []legendItem
	TableTitle   string // of the table of values
	Steps        []int  // that it has
	Rows         []valueRow
}

type legendItem struct {
	Series, Name, Remark, Value, Class string
	Swatch                             template.HTML
	Toggles                            bool
}

type valueRow struct {
	Name   string
	Values []string
}

// accuracyChart draws what the figure of accuracies does.
func (m *material) accuracyChart() pageChart {
	c := pageChart{Note: m.accuracyNote()}
	c.Wide, c.Narrow = m.accuracyDrawing("wide", 780, 440), m.accuracyDrawing("narrow", 340, 300)
	apart := ""
	for i, e := range m.exhibits {
		if i > 0 && (e.exposed == core.Unexposed) != (m.exhibits[i-1].exposed == core.Unexposed) {
			apart = "apart"
		}
		c.Legend = append(c.Legend, legendItem{
			Series: fmt.Sprint(e.id), Name: e.label, Remark: strings.Join(e.remarks(), ", "),
			Value: fractionText(e.at(m.last())), Class: apart, Swatch: lineSwatch(e.look), Toggles: len(e.ok) > 0,
		})
		apart = ""
	}
	apart = "apart"
	for _, l := range m.references() {
		c.Legend = append(c.Legend, legendItem{
			Series: l.name, Name: l.text, Value: fractionText(l.at(m.last())), Class: apart, Toggles: true,
			Swatch: levelSwatch(l.name, 34),
		})
		apart = ""
	}
	c.Steps = columnsOf(m.steps)
	c.TableTitle = "Accuracy at every step"
	if n := len(c.Steps); n < m.steps {
		c.TableTitle = fmt.Sprintf("Accuracy at %d of %d steps", n, m.steps)
	}
	for _, e := range m.exhibits {
		if len(e.ok) > 0 {
			c.addRow(e.label, e.at)
		}
	}
	for _, l := range m.references() {
		c.addRow(l.text, l.at)
	}
	return c
}

// addRow adds the accuracies of a method or a baseline to the table of values.
func (c *pageChart) addRow(name string, at func(step int) float64) {
	row := valueRow{Name: name}
	for _, step := range c.Steps {
		row.Values = append(row.Values, fractionText(at(step)))
	}
	c.Rows = append(c.Rows, row)
}

func (m *material) accuracyNote() string {
	note := fmt.Sprintf("Accuracy on %d test snapshots. %s", m.results.Task.Test, conditions(m.results))
	return strings.TrimSpace(note + " " + m.bandNote())
}

// sampled are at most n of the numbers from 1 to last, with both ends.
func sampled(last, n int) []int {
	if last <= n {
		n = last
	}
	steps := make([]int, 0, n)
	for i := range n {
		at := last
		if n > 1 {
			at = 1 + int(math.Round(float64(i)*float64(last-1)/float64(n-1)))
		}
		steps = append(steps, at)
	}
	return steps
}

// points is the number of points of a curve.
func (m *material) points() int { return min(maxPoints, max(30, 20000/max(1, len(m.exhibits)))) }

func (m *material) accuracyDrawing(class string, width, height float64) template.HTML {
	ticks := stepTicks(m.steps)
	if width < 500 && m.steps > 8 {
		ticks = ticksIn(1, float64(m.steps), 6, true)
	}
	last := float64(m.steps)
	room := max(0.4, 0.015*last)
	c := newChart(width, height, [4]float64{10, 10, 42, 46},
		axis{label: "time step t", min: 1 - room, max: last + room, ticks: ticks}, axis{label: "accuracy", min: 0, max: 1.03, ticks: ticksIn(0, 1, 5, false)})
	dots := ""
	for _, l := range m.references() {
		if l.name == persistenceName { // a line between values that leap would cross all others, which dots do not hide
			dots = fmt.Sprintf(`<g class="series" data-series="%s"><path class="dots leaps" d="%s"/></g>`,
				l.name, c.dots(thinned(l.values, maxLeaps)))
			continue
		}
		x, values := thinned(l.values, m.points())
		if l.baseline.level() { // across the whole width
			x, values = []float64{c.x.min, c.x.max}, []float64{l.baseline.mean, l.baseline.mean}
		}
		c.add(`<g class="series" data-series="%s"><path class="level %[1]s" d="%s"/></g>`, l.name, c.path(x, values))
	}
	every := max(1, (m.steps+19)/20)
	for i := len(m.exhibits) - 1; i >= 0; i-- { // the best last, on top
		e := m.exhibits[i]
		if len(e.ok) == 0 {
			continue
		}
		c.add(`<g class="series %s" data-series="%d">`, hueClass(e.look), e.id)
		c.band(e.summary, m.points())
		x, values := thinned(e.mean, m.points())
		c.add(`<path class="curve" d="%s"%s/>`, c.path(x, values), dashArray(dashes[e.look.dash]))
		for i := e.id % every; i < len(e.mean); i += every {
			if v := e.mean[i]; drawable(v) {
				c.WriteString(mark(e.look, c.toX(float64(i+1)), c.toY(v), 4.4))
			}
		}
		c.add(`</g>`)
	}
	c.WriteString(dots)
	c.add(`<line class="guide" visibility="hidden" x1="0" x2="0" y1="%s" y2="%s"/>`, num(c.top), num(c.bottom))
	return c.html(class, width, height, "Accuracy of each method against the time step; the values are in the table below.",
		fmt.Sprintf(` data-left="%s" data-right="%s" data-steps="%d"`, num(c.toX(1)), num(c.toX(last)), m.steps))
}

// band fills the intervals at the steps, of which each edge has at most about so many.
func (c *chart) band(s summary, most int) {
	edge := func(values []float64) (points []string) {
		x, y := thinned(values, most)
		for i, v := range y {
			if drawable(v) {
				points = append(points, num(c.toX(x[i]))+" "+num(c.toY(v)))
			}
		}
		return points
	}
	low, high, _ := s.intervals()
	above, below := edge(high), edge(low)
	if len(above) > 1 {
		slices.Reverse(below)
		c.add(`<path class="band" d="M%sz"/>`, strings.Join(append(above, below...), "L"))
	}
}

type panelSet struct {
	ID, Title, Note, KeyLabel string
	Empty                     string // in the place of the panels, where there is none
	Key                       []keyItem
	Panels                    []pagePanel
}

type keyItem struct {
	Name   string
	Swatch template.HTML
}

type pagePanel struct {
	Title, Subtitle string
	Drawing         template.HTML
}

const panelSize = 240.0

// limit keeps as many panels as the page draws, and says in the note where others are.
func (p panelSet) limit(without []string) panelSet {
	if n := len(p.Panels); n > maxPanels {
		p.Panels = p.Panels[:maxPanels]
		p.Note += fmt.Sprintf(" Of %d methods, the first %d in the ranking are shown.", n, maxPanels)
	}
	if len(without) > maxPanels {
		without = append(without[:maxPanels:maxPanels], "…")
	}
	if len(without) > 0 {
		p.Note += " None here: " + strings.Join(without, ", ") + "."
	}
	return p
}

func (m *material) eigenvaluePanels() panelSet {
	n := m.results.Task.States
	set := panelSet{ID: "eigenvalues", Title: "Eigenvalues", KeyLabel: "What the signs mean", Empty: "No run has eigenvalues."}
	set.Note = "Eigenvalues of the evolution operator in the complex plane, of all seeds, with the unit circle."
	if n > 0 {
		set.Key = []keyItem{
			{"eigenvalue of a run", swatch(14, `<path class="dots any" d="M7 7h0"/>`)},
			{fmt.Sprintf("eigenvalue of the cycle through %s", states(m.results.Task)), swatch(14, `<circle class="ideal" cx="7" cy="7" r="6"/>`)},
		}
		set.Note += " Rings: the eigenvalues of the true cycle, which are the roots of unity."
	}
	var without []string
	for _, e := range m.exhibits {
		runs := 0
		for _, run := range e.ok {
			if len(run.Eigenvalues) > 0 {
				runs++
			}
		}
		if runs == 0 {
			without = append(without, e.label)
			continue
		}
		set.Panels = append(set.Panels, pagePanel{e.label, someSeeds(e.ok), m.eigenvalueDrawing(e)})
	}
	return set.limit(without)
}

func (m *material) eigenvalueDrawing(e exhibit) template.HTML {
	reach, beyondReach := 1.15, 0
	for _, run := range e.ok {
		for _, v := range run.Eigenvalues {
			if a := cmplx.Abs(complex128(v)); drawable(a) && a <= 10 {
				reach = max(reach, 1.1*a)
			} else {
				beyondReach++
			}
		}
	}
	ticks := ticksIn(-reach, reach, 5, false)
	c := newChart(panelSize, panelSize, [4]float64{6, 6, 38, 44},
		axis{label: "Re λ", min: -reach, max: reach, ticks: ticks}, axis{label: "Im λ", min: -reach, max: reach, ticks: ticks})
	c.add(`<ellipse class="circle" cx="%s" cy="%s" rx="%s" ry="%s"/>`, num(c.toX(0)), num(c.toY(0)), num(c.toX(1)-c.toX(0)), num(c.toY(0)-c.toY(1)))
	for k := range min(m.results.Task.States, 100) {
		v := cmplx.Rect(1, 2*math.Pi*float64(k)/float64(m.results.Task.States))
		c.add(`<circle class="ideal" cx="%s" cy="%s" r="6"/>`, num(c.toX(real(v))), num(c.toY(imag(v))))
	}
	var x, y []float64
	for _, run := range e.ok[:min(len(e.ok), maxCurves)] {
		for _, v := range run.Eigenvalues[:min(len(run.Eigenvalues), maxPoints)] {
			if cmplx.Abs(complex128(v)) <= reach {
				x, y = append(x, real(complex128(v))), append(y, imag(complex128(v)))
			}
		}
	}
	c.add(`<path class="dots values %s" d="%s"/>`, hueClass(e.look), c.dots(x, y))
	label := fmt.Sprintf("%s: %d eigenvalues", e.label, len(x))
	if lead := e.ok[0].Eigenvalues; len(lead) > 0 {
		label += ", the first " + complexText(complex128(lead[0]))
	}
	if beyondReach > 0 {
		c.add(`<text class="tick" x="%s" y="%s" text-anchor="end">%d beyond</text>`, num(c.right-4), num(c.top+14), beyondReach)
	}
	return c.html("spectrum", panelSize, panelSize, label, "")
}

func (m *material) eigenfunctionPanels() panelSet {
	word := stateWord(m.results.Task)
	set := panelSet{ID: "eigenfunctions", Title: "Left eigenfunctions", KeyLabel: "Colours", Empty: "No run has eigenfunctions."}
	set.Note = eigenfunctionNote(m.results.Task) + " A single one is shown against the number of the snapshot."
	for state := range min(m.results.Task.States, 10) {
		set.Key = append(set.Key, keyItem{fmt.Sprintf("%s %d", word, state), swatch(14, fmt.Sprintf(`<path class="dots sign h%d" d="M7 7h0"/>`, state))})
	}
	var without []string
	shown := 0
	for _, e := range m.exhibits {
		if len(e.modes) > 0 {
			shown++
		}
	}
	for _, e := range m.exhibits {
		if why := e.withoutEigenfunctions(); why != "" {
			without = append(without, fmt.Sprintf("%s (%s)", e.label, why))
			continue
		}
		most := max(50, maxDotsInPage/max(1, min(shown, maxPanels)))
		set.Panels = append(set.Panels, pagePanel{e.label, e.shownEigenvalues(), m.eigenfunctionDrawing(e, most)})
	}
	return set.limit(without)
}

func (m *material) eigenfunctionDrawing(e exhibit, most int) template.HTML {
	reach := 1.5
	for _, mode := range e.modes {
		for _, v := range mode.real {
			if drawable(v) {
				reach = max(reach, math.Abs(v))
			}
		}
	}
	reach *= 1.07
	ticks := ticksIn(-reach, reach, 5, false)
	mode := e.modes[len(e.modes)-1]
	last := mode.real
	x := axis{label: e.modes[0].axis(), min: -reach, max: reach, ticks: ticks}
	first := e.modes[0].real
	if len(e.modes) == 1 {
		n := float64(max(len(last), 2))
		x = axis{label: "test snapshot", min: -0.02 * n, max: 1.02 * n, ticks: ticksIn(0, n-1, 4, true)}
		first = make([]float64, len(last))
		for i := range first {
			first[i] = float64(i)
		}
	}
	y := axis{label: mode.axis(), min: -reach, max: reach, ticks: ticks}
	c := newChart(panelSize, panelSize, [4]float64{6, 6, 38, 44}, x, y)
	n := min(len(first), len(last), len(m.task.TestStates))
	var groups [10]struct{ x, y []float64 }
	for i := range n {
		g := &groups[((m.task.TestStates[i]%10)+10)%10]
		g.x, g.y = append(g.x, first[i]), append(g.y, last[i])
	}
	for state, g := range groups {
		if len(g.x) == 0 {
			continue
		}
		var x, y []float64
		for _, i := range sampled(len(g.x), max(1, len(g.x)*min(most, n)/n)) { // of each state its share
			x, y = append(x, g.x[i-1]), append(y, g.y[i-1])
		}
		c.add(`<path class="dots h%d" d="%s"/>`, state, c.dots(x, y))
	}
	return c.html("plane", panelSize, panelSize, fmt.Sprintf("%s: the leading left eigenfunctions at %d test snapshots, coloured by %s", e.label, n, stateWord(m.results.Task)), "")
}

func (m *material) trainingPanels() panelSet {
	set := panelSet{
		ID: "training", Title: "Training", KeyLabel: "Curves", Empty: "No run has a training history, and neither has the oracle.",
		Key:  []keyItem{{"training", swatch(34, `<path class="train" d="M1 7H33"/>`)}, {"validation", swatch(34, `<path class="validation" d="M1 7H33"/>`)}},
		Note: "Losses are means over the batches of an epoch, the training value taken before each update. Different losses are not comparable.",
	}
	var without []string
	add := func(title, subtitle string, histories [][]benchmark.Epoch) {
		histories = slices.DeleteFunc(histories, func(h []benchmark.Epoch) bool { return len(h) == 0 })
		if len(histories) == 0 {
			without = append(without, title)
			return
		}
		set.Panels = append(set.Panels, pagePanel{title, subtitle, lossDrawing(title, histories, m.points())})
	}
	for _, e := range m.exhibits {
		var histories [][]benchmark.Epoch
		for _, run := range e.runs {
			histories = append(histories, run.History)
		}
		add(e.label, someSeeds(e.runs), histories)
	}
	set = set.limit(nil)
	add("oracle: "+orUnnamed(m.results.Oracle.Name), fmt.Sprintf("seed %d", m.results.Oracle.Seed), [][]benchmark.Epoch{m.results.Oracle.History})
	if len(without) > 0 {
		set.Note += " Without a training history: " + strings.Join(without[:min(len(without), maxPanels)], ", ") + "."
	}
	return set
}

// someSeeds names the seeds of the runs of a panel, and says if not all are shown.
func someSeeds(runs []*benchmark.RunResult) string {
	text := seedWords(seedsOf(runs))
	if len(runs) > maxCurves {
		text += fmt.Sprintf(", the first %d shown", maxCurves)
	}
	return text
}

func lossDrawing(title string, histories [][]benchmark.Epoch, points int) template.HTML {
	histories = histories[:min(len(histories), maxCurves)]
	last := 1.0
	var values []float64
	for _, history := range histories {
		for _, e := range history {
			values = append(values, float64(e.Train), float64(e.Validation))
			if n := float64(e.Epoch); n <= 1e9 {
				last = max(last, n)
			}
		}
	}
	const height = 200
	x := axis{label: "epoch", min: 1 - 0.03*last, max: 1.02 * last, ticks: epochTicks(last)}
	if last == 1 {
		x.min, x.max = 0.5, 1.5
	}
	y, ok := fitAxis("loss", values, 5)
	if !ok {
		c := newChart(panelSize, height, [4]float64{6, 8, 38, leftMargin(y)}, x, axis{label: "loss", min: 0, max: 1})
		c.add(`<text x="%s" y="%s" text-anchor="middle">no finite loss</text>`, num((c.left+c.right)/2), num((c.top+c.bottom)/2))
		return c.html("losses", panelSize, height, title+": no finite loss", "")
	}
	c := newChart(panelSize, height, [4]float64{6, 8, 38, leftMargin(y)}, x, y)
	if len(histories) > 1 {
		c.add(`<g class="many">`)
	} else {
		c.add(`<g>`)
	}
	for _, history := range histories {
		line := func(loss func(benchmark.Epoch) benchmark.Number) string {
			var x, y []float64
			for _, i := range telling(len(history), points, func(i int) float64 { return float64(loss(history[i])) }) {
				x, y = append(x, float64(history[i].Epoch)), append(y, float64(loss(history[i])))
			}
			return c.path(x, y)
		}
		c.add(`<path class="train" d="%s"/><path class="validation" d="%s"/>`,
			line(func(e benchmark.Epoch) benchmark.Number { return e.Train }),
			line(func(e benchmark.Epoch) benchmark.Number { return e.Validation }))
	}
	c.add(`</g>`)
	first := histories[0]
	return c.html("losses", panelSize, height, fmt.Sprintf("%s: training loss from %.4g to %.4g over %d epochs, at the first of %d seeds",
		title, float64(first[0].Train), float64(first[len(first)-1].Train), len(first), len(histories)), "")
}

// The small plot of a row of the ranking, from 0 to 1.
const dotPlotWidth, dotPlotHeight = 132.0, 18.0

func dotPlotX(v float64) float64 { return 6 + (dotPlotWidth-12)*v }

// dotPlotScale is the scale above the small plots.
func dotPlotScale() template.HTML {
	var d drawing
	for _, v := range []string{"0", "0.5", "1"} {
		at, _ := strconv.ParseFloat(v, 64)
		d.add(`<text class="tick" x="%s" y="10" text-anchor="middle">%s</text>`, num(dotPlotX(at)), v)
	}
	return template.HTML(fmt.Sprintf(`<svg class="frame scale" width="%s" height="12" viewBox="0 0 %[1]s 12" aria-hidden="true" focusable="false">%[2]s</svg>`, num(dotPlotWidth), d.String()))
}

// dotPlot shows an accuracy with its interval, and the levels of the baselines. sign is drawn at a point.
func (m *material) dotPlot(v float64, interval string, low, high float64, ok bool, sign func(x, y float64) string) template.HTML {
	if v < 0 {
		return ""
	}
	const middle = dotPlotHeight / 2
	var d drawing
	d.add(`<path class="axis" stroke-opacity=".5" d="M%s %sH%s"/>`, num(dotPlotX(0)), num(middle), num(dotPlotX(1)))
	for _, l := range m.references() {
		d.add(`<path class="level %s" d="M%s 2V%s"/>`, l.name, num(dotPlotX(l.baseline.mean)), num(dotPlotHeight-2))
	}
	if ok {
		d.add(`<path class="whisker %s" stroke-width="3" d="M%s %sH%s"/>`, interval, num(dotPlotX(low)), num(middle), num(dotPlotX(high)))
	}
	d.WriteString(sign(dotPlotX(v), middle))
	return template.HTML(fmt.Sprintf(`<svg class="frame" width="%s" height="%s" viewBox="0 0 %[1]s %[2]s" aria-hidden="true" focusable="false">%[3]s</svg>`,
		num(dotPlotWidth), num(dotPlotHeight), d.String()))
}

// fractionText writes an accuracy to three digits, or a dash for none.
func fractionText(v float64) string {
	if !isFraction(v) {
		return none
	}
	return fmt.Sprintf("%.3f", v)
}
