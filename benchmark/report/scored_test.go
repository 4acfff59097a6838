package report

import (
	"bytes"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/results"
)

func scored(t testing.TB) *fixture.Made {
	return fixture.Scored(t, fixture.Setting{Both: true, Test: 30, Steps: 6, Shape: []int{5}, Seeds: []int64{0, 1, 2},
		Methods: []fixture.MadeUp{
			{Label: "poor", First: 0.3, Half: 2, Rank: 5, Noise: 0.1}, {Label: "good", First: 0.99, Rank: 5, Noise: 0.1},
			{Label: "plain", First: 0.8, Rank: 5, Plugin: true}, {Label: "broken", Failed: []int64{0, 1, 2}},
			{Label: "unsteady", First: 0.7, Rank: 2, Untaught: []int64{0, 1, 2}},
		}})
}

// What is said of a task is what it is: of one that measures an error and has neither states nor an oracle, nothing of
// accuracies, states and oracles.
func TestTaskWithoutOracle(t *testing.T) {
	made := scored(t)
	texts := shown(t, made)
	texts["text"] = []string{written(t, ".txt", made.Content)}
	texts["markdown"] = []string{written(t, ".md", made.Content)}
	assert.NotContains(t, texts, "accuracy")
	assert.Contains(t, texts, "score")
	for name, of := range texts {
		all := strings.Join(of, "\n")
		assert.NotRegexp(t, `(?i)accurac|oracle|glyph|true state|image|coloured`, all, name)
	}
	assert.Contains(t, texts["page"], "Error against time")
	assert.Contains(t, texts["score"], "error (m)")
	page := strings.Join(texts["page"], "\n")
	assert.Contains(t, page, "Best is the lower left.")
	assert.Contains(t, page, "Phase: the largest value is positive.")
	assert.Contains(t, page, "Bars: the values of a snapshot, cut to [")
}

// Rows stand in the order of the mean, the best first, whichever way is better. Errors have intervals and ranks; scores
// that may be negative have none, and the notes say so.
func TestErrorsAreOrdered(t *testing.T) {
	r := scored(t).Content
	text := written(t, ".txt", r)
	assert.Contains(t, text, "waves, error (m), lower is better, on 30 test snapshots t steps ahead, protocol reencode\n")
	order := regexp.MustCompile(`(?m)^[–1-5]\S* +(good|plain|poor|unsteady|broken) .* \d/3 `).FindAllStringSubmatch(text,
		-1)
	var names []string
	for _, m := range order {
		names = append(names, m[1])
	}
	assert.Equal(t, []string{"good", "plain", "poor", "unsteady", "broken"}, names)
	assert.Contains(t, text, "mean      error (m) over all steps; rows are sorted by it, the lowest first\n")
	assert.Contains(t, text,
		"interval  95%, for the expected error over seeds and blocks of consecutive test snapshots")
	assert.NotContains(t, text, "without interval")
	assert.Regexp(t, `(?m)^1 +good `, text)
	assert.Regexp(t, `(?m)^2 +plain `, text, "the lowest is the best")
	assert.Regexp(t, `(?m)^3–4 +poor `, text)
	assert.NotEmpty(t, csvOf(t, r, "high")["good"])
	for i := range r.Runs {
		for k := range r.Runs[i].Evaluations {
			for s := range r.Runs[i].Evaluations[k].Score {
				r.Runs[i].Evaluations[k].Score[s] -= 7
			}
		}
	}
	r.Task.Measure.LowerIsBetter, r.Task.Measure.Least = false, nil
	all, err := analysis.Summarize(r)
	require.NoError(t, err)
	assert.Equal(t, "unsteady", all[0].Label, "negative scores are scores")
	assert.Less(t, all[0].Overall(), -1.0)
	assert.Equal(t, "broken", all[4].Label)
	assert.True(t, math.IsNaN(all[4].Overall()), "and none is none")
	text = written(t, ".txt", r)
	assert.Contains(t, text, "−5.05")
	assert.Contains(t, text, "interval  none, and no tests or ranks, because this measure can be negative")
	assert.Contains(t, text, "waves, error (m) on 30 test snapshots")
}

// The protocol that does not rank has one column: its mean, or how it ended; and the notes have the reasons.
func TestOtherProtocol(t *testing.T) {
	for protocol, other := range map[string]string{"reencode": "powers", "powers": "reencode"} {
		made := scored(t)
		made.Content.RankBy(protocol)
		text := written(t, ".txt", made.Content)
		assert.Regexp(t, `(?m)^rank .* `+other+`$`, text)
		assert.Contains(t, text, "t steps ahead, protocol "+protocol+"\n")
		page := strings.Join(pageTexts(t, made), "\n")
		assert.Contains(t, page, "Protocol "+protocol+": ")
		if other == "powers" {
			assert.Regexp(t, `(?m)^\d\S* +plain .* skipped$`, text)
			assert.Regexp(t, `(?m)^\d\S* +unsteady .* failed$`, text)
			assert.Regexp(t, `(?m)^–     broken .* –$`, text)
			assert.Contains(t, text, "\nnot ok by powers\n  unsteady, seeds 0..2: failed: prediction at step 2")
			assert.Contains(t, page, "not ok by powers")
			status := csvOf(t, made.Content, "other_status")
			assert.Equal(t, []string{"ok", "skipped", "failed", ""},
				[]string{status["good"], status["plain"], status["unsteady"], status["broken"]})
			assert.NotEmpty(t, csvOf(t, made.Content, "other_score")["good"])
			assert.NotEmpty(t, csvOf(t, made.Content, "other_predict_seconds")["good"])
		}
		assert.Regexp(t, `(?m)^method .* predict s +`+other+` s`, text, "each has its seconds")
	}
}

// Errors are compared by their ratio, and the lower are the better.
func TestCompareErrors(t *testing.T) {
	a, b := scored(t).Content, scored(t).Content
	for i := range b.Runs {
		for _, e := range b.Runs[i].Evaluations {
			for s := range e.Score {
				e.Score[s] += 100
				for i := range e.Scores[s] {
					e.Scores[s][i] += 100
				}
			}
		}
	}
	b.RankBy(b.Protocol)
	c, err := Compare([]Named{{Name: "A", Results: a}, {Name: "B", Results: b}})
	require.NoError(t, err)
	assert.Equal(t, 4, c.Tests)
	for _, row := range c.Sides[0].Rows {
		if row.Method == "broken" {
			assert.Equal(t, analysis.VerdictNone, row.Verdict)
			continue
		}
		assert.NotEqual(t, analysis.VerdictBetter, row.Verdict, row.Method)
		require.NotNil(t, row.Ratio)
		assert.InEpsilon(t, *row.B / *row.A, *row.Ratio, 1e-9)
		assert.LessOrEqual(t, *row.RatioLow, *row.Ratio)
		assert.GreaterOrEqual(t, *row.RatioHigh, *row.Ratio)
		assert.Nil(t, row.Low)
	}
	var text bytes.Buffer
	require.NoError(t, ComparisonFormats()["text"](&text, c))
	assert.Contains(t, text.String(), "+100")
	assert.Contains(t, text.String(), "error (m), lower is better, on 30 test snapshots, protocol reencode")
	assert.Contains(t, text.String(), "the 95% interval of B / A")
	assert.Contains(t, text.String(), " … ×")
	c, err = Compare([]Named{{Name: "A", Results: a}, {Name: "A", Results: a}})
	require.NoError(t, err)
	text.Reset()
	require.NoError(t, ComparisonFormats()["text"](&text, c))
	assert.NotContains(t, text.String(), "+0")
	var table bytes.Buffer
	require.NoError(t, ComparisonFormats()["csv"](&table, c))
	assert.Contains(t, table.String(), "error_a,error_b")
}

// Scores that are taken together by the root of their mean square are so over the starts and the steps.
func TestRootMeanSquares(t *testing.T) {
	r := scored(t).Content
	r.Task.Measure.RootMeanSquare = true
	m := r.Task.Measure.Measure()
	for i := range r.Runs {
		for k := range r.Runs[i].Evaluations {
			e := &r.Runs[i].Evaluations[k]
			for s, scores := range e.Scores {
				e.Score[s] = m.Together(scores)
			}
		}
	}
	all, err := analysis.Summarize(r)
	require.NoError(t, err)
	good := all[0]
	assert.Equal(t, "good", good.Label)
	require.NotNil(t, good.Total)
	want := 0.0
	for _, run := range good.OK {
		var of []float64
		for _, scores := range run.Ranked.Scores {
			of = append(of, scores...)
		}
		want += m.Together(of) / float64(len(good.OK))
	}
	assert.InEpsilon(t, want, good.Total.Mean, 1e-12)
	assert.InEpsilon(t, want, good.Overall(), 1e-8)
	assert.True(t, good.Places.Ranked())
	text := written(t, ".txt", r)
	assert.Contains(t, text,
		"mean      error (m) over all steps (root mean square); rows are sorted by it, the lowest first\n")
	c, err := Compare([]Named{{Name: "A", Results: r}, {Name: "B", Results: r}})
	require.NoError(t, err)
	assert.InEpsilon(t, want, *c.Sides[0].Rows[0].A, 1e-12)
	made := scored(t)
	made.Content = r
	assert.Contains(t, strings.Join(pageTexts(t, made), "\n"), "Error (m), lower is better, on 30 test snapshots")
}

// The rings of the eigenvalue figure are the true eigenvalues of the task, whatever they are.
func TestRingsAreTrueEigenvalues(t *testing.T) {
	made := scored(t)
	assert.NotContains(t, strings.Join(pageTexts(t, made), "\n"), "true eigenvalue")
	made.Content.Task.Eigenvalues = []results.Complex{1, 0.5}
	page := strings.Join(pageTexts(t, made), "\n")
	assert.Contains(t, page, "true eigenvalue")
	assert.Contains(t, page, "Rings: the 2 largest eigenvalues of the true operator.")
}
