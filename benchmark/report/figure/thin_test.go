package figure

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/results"
)

func TestTellingKeepsExtremes(t *testing.T) {
	values := make([]float64, 1000)
	for i := range values {
		values[i] = 0.5
	}
	values[123], values[124], values[700] = 0, 1, math.NaN()
	at := func(i int) float64 { return values[i] }
	places := telling(1000, 50, at)
	for _, i := range []int{0, 123, 124, 700, 999} {
		assert.Contains(t, places, i)
	}
	assert.LessOrEqual(t, len(places), 55)
	assert.IsIncreasing(t, places)
	assert.Equal(t, []int{0, 1, 2}, telling(3, 3, at))
	assert.Empty(t, telling(0, 3, at))
	assert.Equal(t, []int{0, 123, 124, 700, 999}, telling(1000, 1, at), "one part has the extremes of all")
}

// pathPoints are the points of a path.
func pathPoints(t *testing.T, d string) (points [][2]float64) {
	for _, m := range regexp.MustCompile(`[ML]([-\d.]+) ([-\d.]+)`).FindAllStringSubmatch(d, -1) {
		x, err := strconv.ParseFloat(m[1], 64)
		require.NoError(t, err)
		y, err := strconv.ParseFloat(m[2], 64)
		require.NoError(t, err)
		points = append(points, [2]float64{x, y})
	}
	return points
}

// Of a thousand steps, every stretch of forty in a curve of the page has the extremes that it has
// in the data, as have dots of a baseline that comes round every five steps.
func TestManyStepsAreShownAsTheyAre(t *testing.T) {
	s := fixture.MakeUp(t, fixture.Setting{Steps: 1000, Test: 20, Shape: []int{4, 4},
		Methods: []fixture.MadeUp{{Label: "m", First: 0.9}}})
	run := &s.Content.Runs[0]
	run.Ranked.Labels = nil
	for i := range run.Ranked.Score {
		run.Ranked.Score[i] = 0.9
		if (i+1)%5 == 0 {
			run.Ranked.Score[i] = 0.1
		}
	}
	m := materialOf(t, s)
	chart := string(New(m).ScoreChart("wide", 780, 440))
	number := func(name string) float64 {
		v, err := strconv.ParseFloat(regexp.MustCompile(name + `="([^"]*)"`).FindStringSubmatch(chart)[1], 64)
		require.NoError(t, err)
		return v
	}
	drawn := func(series string) [][2]float64 {
		d := regexp.MustCompile(`data-series="` + series +
			`">(?:<path[^>]*paper[^>]*>\n)?<path stroke[^>]* d="([^"]*)"/>`).FindStringSubmatch(chart)
		require.NotNil(t, d, series)
		return pathPoints(t, d[1])
	}
	leaps := drawn("persistence")
	require.Contains(t, chart, `stroke-linecap="round"`, "they are dots")
	zero, one := math.Inf(-1), math.Inf(1)
	for _, p := range leaps {
		zero, one = math.Max(zero, p[1]), math.Min(one, p[1])
	}
	require.Greater(t, zero-one, 300.0)
	height := func(accuracy float64) float64 { return zero + (one-zero)*accuracy }
	width := func(step int) float64 {
		return number("data-left") + (number("data-right")-number("data-left"))*(float64(step)-1)/999
	}
	for series, levels := range map[string][2]float64{"0": {0.1, 0.9}, "persistence": {0, 1}} {
		points := drawn(series)
		assert.Less(t, len(points), 2*analysis.MaxPoints, series)
		for first := 1; first+40 <= 1000; first += 20 {
			least, most := math.Inf(1), math.Inf(-1)
			for _, p := range points {
				if p[0] >= width(first)-0.1 && p[0] <= width(first+40)+0.1 {
					least, most = math.Min(least, p[1]), math.Max(most, p[1])
				}
			}
			assert.InDelta(t, height(levels[0]), most, 25, "%s from step %d", series, first)
			assert.InDelta(t, height(levels[1]), least, 25, "%s from step %d", series, first)
		}
	}

	// The figure has dots at both heights as well, and the page knows all accuracies.
	x, y := thinned(analysis.Baselines(s.Content, m.Known, 1000)[1].At, maxLeaps)
	high := 0
	for i := range x {
		if y[i] > 0.9 {
			assert.Zero(t, math.Mod(x[i], 5))
			high++
		}
	}
	assert.Greater(t, high, 40)
}

// A loss that leaps at one epoch of many does so on the page.
func TestManyEpochsAreShownAsTheyAre(t *testing.T) {
	history := make([]results.Epoch, 1000)
	for i := range history {
		history[i] = results.Epoch{Epoch: i + 1, Train: 1, Validation: 2}
	}
	history[333].Train, history[777].Validation = 5, 7
	d := &Drawer{Material: &analysis.Material{}, lettering: newLettering()}
	drawing := string(Sheet{ratio: 1, lettering: d.lettering}.Chart(d.lossPanel("m", [][]results.Epoch{history})))
	for line, want := range map[string]int{"hue0": 333, "hue6": 777} {
		points := pathPoints(t, regexp.MustCompile(line + `\)"[^>]* d="([^"]*)"`).FindStringSubmatch(drawing)[1])
		top := points[0]
		for _, p := range points {
			if p[1] < top[1] {
				top = p
			}
		}
		share := (top[0] - points[0][0]) / (points[len(points)-1][0] - points[0][0])
		assert.InDelta(t, float64(want)/999, share, 1e-3, line)
	}
}

func TestSomeSeeds(t *testing.T) {
	runs := make([]*results.Run, maxCurves+1)
	for i := range runs {
		runs[i] = &results.Run{Seed: int64(i)}
	}
	assert.Equal(t, "seeds 0..39", someSeeds(runs[:maxCurves]))
	assert.Equal(t, "seeds 0..40, the first 40 shown", someSeeds(runs))
}

// The dots of eigenfunctions that the page leaves out are of no state alone.
func TestThinnedEigenfunctionsHaveAllStates(t *testing.T) {
	const n, most = 501, 101 // each fifth
	m := &analysis.Material{Task: &results.TaskArrays{}}
	e := analysis.Exhibit{Modes: []analysis.Mode{{Real: make([]float64, n)}, {Real: make([]float64, n)}}}
	for i := range n {
		m.Task.TestStates = append(m.Task.TestStates, i%5)
	}
	m.Results = &results.Results{}
	d := New(m)
	p := d.eigenfunctionPlot(e.Modes)
	c := newPageSVG(100, 100)
	scatter{x: e.Modes[0].Real, y: e.Modes[1].Real, labels: m.Task.TestStates, most: most}.Plot(draw.New(c), p)
	dots := map[string]int{}
	for _, g := range regexp.MustCompile(`--(hue\d)\)"[^>]* d="([^"]*)"`).FindAllStringSubmatch(string(c.element("", "a",
		"")), -1) {
		dots[g[1]] += strings.Count(g[2], "M")
	}
	require.Len(t, dots, 5)
	for label, n := range dots {
		assert.InDelta(t, 20, n, 1, "state %s", label)
	}
}
