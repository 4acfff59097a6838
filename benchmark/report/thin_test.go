package report

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
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
	s := makeUp(t, setting{steps: 1000, test: 20, shape: []int{4, 4}, methods: []madeUp{{label: "m", first: 0.9}}})
	run := &s.results.Runs[0]
	run.Ranked.Labels = nil
	for i := range run.Ranked.Score {
		run.Ranked.Score[i] = 0.9
		if (i+1)%5 == 0 {
			run.Ranked.Score[i] = 0.1
		}
	}
	m := materialOf(t, s)
	chart := string(m.accuracyDrawing("wide", 780, 440))
	height := func(accuracy float64) float64 { return 398 - (398-10)*accuracy/1.03 }
	width := func(step int) float64 { return 46 + (770-46)*(float64(step)-(1-15))/(1015-(1-15)) }
	for class, levels := range map[string][2]float64{"curve": {0.1, 0.9}, "dots leaps": {0, 1}} {
		d := regexp.MustCompile(`class="` + class + `" d="([^"]*)"`).FindStringSubmatch(chart)
		require.NotNil(t, d, class)
		points := pathPoints(t, d[1])
		assert.Less(t, len(points), 2*maxPoints, class)
		for first := 1; first+40 <= 1000; first += 20 {
			least, most := math.Inf(1), math.Inf(-1)
			for _, p := range points {
				if p[0] >= width(first)-0.1 && p[0] <= width(first+40)+0.1 {
					least, most = math.Min(least, p[1]), math.Max(most, p[1])
				}
			}
			assert.InDelta(t, height(levels[0]), most, 25, "%s from step %d", class, first)
			assert.InDelta(t, height(levels[1]), least, 25, "%s from step %d", class, first)
		}
	}
	assert.NotRegexp(t, `class="level persistence"`, chart, "no line between values that leap")

	// The figure has dots at both heights as well, and the page knows all accuracies.
	x, y := thinned(baselines(s.results, m.known, 1000)[1].at, maxLeaps)
	high := 0
	for i := range x {
		if y[i] > 0.9 {
			assert.Zero(t, math.Mod(x[i], 5))
			high++
		}
	}
	assert.Greater(t, high, 40)
	p := parse(t, pageOf(t, s))
	assert.Len(t, p.data.Accuracy["0"], 1000)
	assert.Contains(t, p.texts, "Accuracy at 30 of 1000 steps")
	assert.Contains(t, p.texts, "t = 999", "the last step at which predicting the input fails")
}

// A loss that leaps at one epoch of many does so on the page.
func TestManyEpochsAreShownAsTheyAre(t *testing.T) {
	history := make([]benchmark.Epoch, 1000)
	for i := range history {
		history[i] = benchmark.Epoch{Epoch: i + 1, Train: 1, Validation: 2}
	}
	history[333].Train, history[777].Validation = 5, 7
	drawing := string(lossDrawing("m", [][]benchmark.Epoch{history}, 50))
	for class, want := range map[string]int{"train": 333, "validation": 777} {
		points := pathPoints(t, regexp.MustCompile(`class="` + class + `" d="([^"]*)"`).FindStringSubmatch(drawing)[1])
		top := points[0]
		for _, p := range points {
			if p[1] < top[1] {
				top = p
			}
		}
		share := (top[0] - points[0][0]) / (points[len(points)-1][0] - points[0][0])
		assert.InDelta(t, float64(want)/999, share, 1e-3, class)
	}
}

func TestSomeSeeds(t *testing.T) {
	runs := make([]*benchmark.RunResult, maxCurves+1)
	for i := range runs {
		runs[i] = &benchmark.RunResult{Seed: int64(i)}
	}
	assert.Equal(t, "seeds 0..39", someSeeds(runs[:maxCurves]))
	assert.Equal(t, "seeds 0..40, the first 40 shown", someSeeds(runs))
}

// The dots of eigenfunctions that the page leaves out are of no state alone.
func TestThinnedEigenfunctionsHaveAllStates(t *testing.T) {
	const n, most = 501, 101 // each fifth
	m := &material{task: &benchmark.TaskArrays{}}
	e := exhibit{modes: []mode{{place: 1, real: make([]float64, n)}, {place: 2, real: make([]float64, n)}}}
	for i := range n {
		m.task.TestStates = append(m.task.TestStates, i%5)
	}
	m.results = &benchmark.Results{}
	drawing := string(m.eigenfunctionDrawing(e, most))
	groups := regexp.MustCompile(`class="dots h(\d)" d="([^"]*)"`).FindAllStringSubmatch(drawing, -1)
	require.Len(t, groups, 5)
	for _, g := range groups {
		assert.InDelta(t, 20, strings.Count(g[2], "M"), 1, "state %s", g[1])
	}
}
