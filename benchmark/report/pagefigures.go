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
	Steps        []int // that the table of values has
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
			Series: fmt.Sprint(e.hue), Name: e.label, Remark: strings.Join(e.remarks(), ", "), Value: fractionText(e.at(m.steps)), Class: apart,
			Swatch: lineSwatch(e.hue), Toggles: len(e.ok) > 0,
		})
		apart = ""
	}
	apart = "apart"
	for _, l := range m.references() {
		c.Legend = append(c.Legend, legendItem{
			Series: l.name, Name: l.text, Value: fractionText(l.at(m.steps)), Class: apart, Toggles: true,
			Swatch: levelSwatch(l.name, 34),
		})
		apart = ""
	}
	c.Steps = columnsOf(m.steps)
	for _, e := range m.exhibits {
		if len(e.ok) > 0 {
			row := valueRow{Name: e.label}
			for _, step := range c.Steps {
				row.Values = append(row.Values, fractionText(e.at(step)))
			}
			c.Rows = append(c.Rows, row)
		}
	}
	return c
}

func (m *material) accuracyNote() string {
	note := fmt.Sprintf("Accuracy on %d test snapshots. Protocol %s.", m.results.Task.Test, protocolText(m.results.Task.Protocol))
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
	steps := sampled(m.steps, m.points())
	at := make([]float64, len(steps))
	for i, step := range steps {
		at[i] = float64(step)
	}
	for _, l := range m.references() {
		values := make([]float64, len(steps))
		for i, step := range steps {
			values[i] = l.at(step)
		}
		x := slices.Clone(at)
		if l.baseline.level() { // across the whole width
			x, values = []float64{c.x.min, c.x.max}, []float64{values[0], values[0]}
		}
		c.add(`<g class="series" data-series="%s"><path class="level %[1]s" d="%s"/>`, l.name, c.path(x, values))
		if l.name == "persistence" { // it leaps: dots say more than the hairline between them
			c.add(`<path class="dots leaps" d="%s"/>`, c.dots(x, values))
		}
		c.add(`</g>`)
	}
	for i := len(m.exhibits) - 1; i >= 0; i-- { // the best last, on top
		e := m.exhibits[i]
		if len(e.ok) == 0 {
			continue
		}
		c.add(`<g class="series h%d" data-series="%d">`, e.hue%len(palette), e.hue)
		c.band(e.summary, steps)
		values := make([]float64, len(steps))
		for i, step := range steps {
			values[i] = math.NaN()
			if v := e.at(step); v >= 0 {
				values[i] = v
			}
		}
		c.add(`<path class="curve" d="%s"%s/>`, c.path(at, values), dashArray(dashes[e.hue%len(dashes)]))
		every := max(1, (len(steps)+19)/20)
		for i, v := range values {
			if i%every == e.hue%every && drawable(v) {
				c.WriteString(mark(e.hue, c.toX(at[i]), c.toY(v), 4.4))
			}
		}
		c.add(`</g>`)
	}
	c.add(`<line class="guide" visibility="hidden" x1="0" x2="0" y1="%s" y2="%s"/>`, num(c.top), num(c.bottom))
	return c.html(class, width, height, "Accuracy of each method against the time step; the values are in the table below.",
		fmt.Sprintf(` data-left="%s" data-right="%s" data-steps="%d"`, num(c.toX(1)), num(c.toX(last)), m.steps))
}

func (c *chart) band(s summary, steps []int) {
	var above, below []string
	for _, step := range steps {
		if low, high, ok := intervalAt(s, step); ok {
			x := num(c.toX(float64(step)))
			above, below = append(above, x+" "+num(c.toY(high))), append(below, x+" "+num(c.toY(low)))
		}
	}
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
		set.Panels = append(set.Panels, pagePanel{e.label, seedWords(seedsOf(e.ok)), m.eigenvalueDrawing(e)})
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
	c.add(`<path class="dots values h%d" d="%s"/>`, e.hue%len(palette), c.dots(x, y))
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
	set.Note = fmt.Sprintf("Real parts of the left eigenfunctions ψ of the two eigenvalues λ of largest modulus, one of each conjugate pair, at the test snapshots. "+
		"Scale: root mean square 1. Phase: the mean over %s 0 is positive, or has the argument π/%d if λ is not real. "+
		"A single eigenfunction is shown against the number of the snapshot.", word, 2*max(m.results.Task.States, 1))
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
		if len(e.modes) == 0 {
			without = append(without, e.label)
			continue
		}
		set.Panels = append(set.Panels, pagePanel{e.label, e.shownRun(), m.eigenfunctionDrawing(e, max(50, maxDotsInPage/max(1, min(shown, maxPanels))))})
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
	last := e.modes[len(e.modes)-1].real
	name := func(i int) string {
		return fmt.Sprintf("Re ψ%s,  λ = %s", []string{"₁", "₂"}[i], complexText(e.modes[i].value))
	}
	x := axis{label: name(0), min: -reach, max: reach, ticks: ticks}
	first := e.modes[0].real
	if len(e.modes) == 1 {
		n := float64(max(len(last), 2))
		x = axis{label: "test snapshot", min: -0.02 * n, max: 1.02 * n, ticks: ticksIn(0, n-1, 4, true)}
		first = make([]float64, len(last))
		for i := range first {
			first[i] = float64(i)
		}
	}
	c := newChart(panelSize, panelSize, [4]float64{6, 6, 38, 44}, x, axis{label: name(len(e.modes) - 1), min: -reach, max: reach, ticks: ticks})
	n := min(len(first), len(last), len(m.task.TestLabels))
	var groups [10]struct{ x, y []float64 }
	for _, i := range sampled(n, most) {
		g := &groups[((m.task.TestLabels[i-1]%10)+10)%10]
		g.x, g.y = append(g.x, first[i-1]), append(g.y, last[i-1])
	}
	for state, g := range groups {
		if len(g.x) > 0 {
			c.add(`<path class="dots h%d" d="%s"/>`, state, c.dots(g.x, g.y))
		}
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
		subtitle := seedWords(seedsOf(e.runs))
		if len(e.runs) > maxCurves {
			subtitle += fmt.Sprintf(", the first %d shown", maxCurves)
		}
		add(e.label, subtitle, histories)
	}
	set = set.limit(nil)
	add("oracle: "+orUnnamed(m.results.Oracle.Name), fmt.Sprintf("seed %d", m.results.Oracle.Seed), [][]benchmark.Epoch{m.results.Oracle.History})
	if len(without) > 0 {
		set.Note += " Without a training history: " + strings.Join(without[:min(len(without), maxPanels)], ", ") + "."
	}
	return set
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
		var at, train, validation []float64
		for _, i := range sampled(len(history), points) {
			e := history[i-1]
			at, train, validation = append(at, float64(e.Epoch)), append(train, float64(e.Train)), append(validation, float64(e.Validation))
		}
		c.add(`<path class="train" d="%s"/><path class="validation" d="%s"/>`, c.path(at, train), c.path(at, validation))
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
