package figure

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// searchFigure is the name of the figure of a search.
const searchFigure = "tune"

// The looks of trials: the method as it is, and the chosen one.
var (
	trialColour = hue(3)
	baseLook    = look{colour: 0, marker: 1}
	chosenLook  = look{colour: 6, marker: 5}
)

// WriteSearch draws the figure tune into a folder, in each of the formats: the score of the trials of
// a search against each option.
func WriteSearch(folder string, s *results.Search, formats []Format) (err error) {
	defer core.Recover(&err)
	f := searchSheet(s).figure()
	f.title = "Score of each trial"
	files, err := f.files(formats)
	if err != nil {
		return err
	}
	return write(folder, searchFigure, files)
}

func searchSheet(s *results.Search) Sheet {
	sheet := Sheet{
		lettering: newLettering(), Name: searchFigure, ratio: 0.83,
		Note: fmt.Sprintf("Each point is a trial. Bars: standard error over %s. Score: %s, on the validation data.",
			analysis.SeedWords(s.Seeds), analysis.SearchHeading(s)),
	}
	entry := func(name string, mark func(draw.Canvas)) LegendEntry {
		return LegendEntry{Name: name, style: sheet.label, narrow: true, sample: mark}
	}
	sheet.Key = legend{
		entry("trial", func(c draw.Canvas) { dot(c, trialColour, 2.6, c.Center()) }),
		entry("the method as given", func(c draw.Canvas) { baseLook.mark(c, 3.6, c.Center()) }),
		entry("chosen", func(c draw.Canvas) { chosenLook.mark(c, 5, c.Center()) }),
	}
	y := scoreScale(s)
	for _, o := range s.Options[:min(len(s.Options), maxPanels)] {
		x := optionScale(s, o)
		p := newPlot(sheet.lettering, x.axis, y.axis)
		p.Add(plotterFunc(func(c draw.Canvas, p *plot.Plot) { drawTrials(c, p, s, x, y) }))
		sheet.Panels = append(sheet.Panels, panel{Title: analysis.OneLine(o.Name), plot: p})
	}
	return sheet
}

// scale is an axis, and where each trial stands along it; what is not a number does not.
type scale struct {
	axis
	place func(v float64) float64
	at    []float64 // of trials
}

// numbers is a scale of values that reaches ends too, by the logarithm if that is asked for and they allow it.
func numbers(label string, values, ends []float64, logarithm bool) scale {
	known := slices.DeleteFunc(slices.Concat(values, ends), func(v float64) bool { return !analysis.Drawable(v) })
	s := scale{axis: axis{label: label, max: 1}, place: func(v float64) float64 { return v }}
	if logarithm && len(known) > 0 && slices.Min(known) > 0 {
		s.axis, s.place = logAxis(label, slices.Min(known), slices.Max(known)), math.Log10
		s.ticks = fewer(s.ticks)
	} else if a, ok := fitAxis(label, known, 4); ok {
		s.axis = a
	}
	for _, v := range values {
		s.at = append(s.at, s.place(v))
	}
	return s
}

// fewer are at most so many ticks of a logarithmic axis as have room below a panel: powers of ten, if there are two.
func fewer(ticks []plot.Tick) []plot.Tick {
	const most = 4
	if len(ticks) <= most {
		return ticks
	}
	powers := slices.DeleteFunc(slices.Clone(ticks), func(t plot.Tick) bool { return t.Value != math.Trunc(t.Value) })
	if len(powers) > 1 {
		ticks = powers
	}
	every := (len(ticks) + most - 1) / most
	var kept []plot.Tick
	for i := 0; i < len(ticks); i += every {
		kept = append(kept, ticks[i])
	}
	return kept
}

// scoreScale has the scores with their errors; scores of very different size are drawn by their logarithm.
func scoreScale(s *results.Search) scale {
	const wide = 30
	scores := make([]float64, len(s.Trials))
	least, most := math.Inf(1), math.Inf(-1)
	var ends []float64
	for i, t := range s.Trials {
		scores[i] = math.NaN()
		if t.Score == nil {
			continue
		}
		scores[i] = *t.Score
		least, most = min(least, *t.Score), max(most, *t.Score)
		if e := t.StandardError; e != nil {
			ends = append(ends, *t.Score-*e, *t.Score+*e)
		}
	}
	if s.LowerIsBetter && most > wide*least {
		return numbers(s.Score, scores, nil, true)
	}
	return numbers(s.Score, scores, ends, false)
}

// optionScale has the values of an option: numbers, or words beside one another.
func optionScale(s *results.Search, o results.SearchOption) scale {
	values, wide := make([]float64, len(s.Trials)), o.Log
	var words []string
	for i, t := range s.Trials {
		switch v := t.Options[o.Name].(type) {
		case float64:
			values[i] = v
		case int:
			values[i] = float64(v)
		default:
			word := analysis.OneLine(fmt.Sprint(v))
			if !slices.Contains(words, word) {
				words = append(words, word)
			}
			values[i] = float64(slices.Index(words, word))
		}
	}
	if words == nil {
		const logFrom = 10
		least := slices.Min(values)
		return numbers("", values, nil, wide || least > 0 && slices.Max(values) >= logFrom*least)
	}
	x := scale{axis: axis{min: -0.5, max: float64(len(words)) - 0.5}, at: values}
	longest := max(2, 24/len(words))
	for i, word := range words {
		if letters := []rune(word); len(letters) > longest {
			word = string(letters[:longest-1]) + "…"
		}
		x.ticks = append(x.ticks, plot.Tick{Value: float64(i), Label: word})
	}
	return x
}

// drawTrials draws a bar and a point for each trial that has a score, those with a look of their own last.
func drawTrials(c draw.Canvas, p *plot.Plot, s *results.Search, x, y scale) {
	toX, toY := within(c, p)
	bar := draw.LineStyle{Color: dim, Width: 0.7}
	for i, t := range s.Trials {
		if e := t.StandardError; e != nil && t.Score != nil && analysis.Drawable(y.at[i]) {
			low, high := y.place(*t.Score-*e), y.place(*t.Score+*e)
			if math.IsNaN(low) { // of the logarithm of a number below 0
				low = p.Y.Min
			}
			c.StrokeLine2(bar, toX(x.at[i]), toY(low), toX(x.at[i]), toY(high))
		}
	}
	dot(c, trialColour, 2.6, points(c, p, x.at, y.at)...)
	baseLook.mark(c, 3.6, points(c, p, x.at[:1], y.at[:1])...)
	if s.Chosen != nil {
		chosenLook.mark(c, 5, points(c, p, x.at[*s.Chosen:][:1], y.at[*s.Chosen:][:1])...)
	}
}
