package text

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// twoSides are results A, and B in which "better" has risen, "worse" fallen, "same" the same bits,
// "open" others at the same level, "capped" other options, and "single" one seed in common.
func twoSides(t *testing.T) (a, b *results.Results) {
	seeds := []int64{0, 1, 2, 3, 4, 5}
	side := func(better, worse float64, last fixture.MadeUp) *results.Results {
		return fixture.MakeUp(t, fixture.Setting{Seeds: seeds, Steps: 4, Methods: []fixture.MadeUp{
			{Label: "better", First: better, Noise: 0.1}, {Label: "worse", First: worse, Noise: 0.1},
			{Label: "same", First: 0.9, Noise: 0.1}, {Label: "open", First: 0.9, Noise: 0.1},
			{Label: "capped", First: 0.8, Noise: 0.1, Exposed: core.OracleExposed}, {Label: "single", First: 0.8, Noise: 0.1},
			{Label: "|mine|", First: 0.7, Noise: 0.1}, last,
		}}).Content
	}
	a = side(0.6, 0.9, fixture.MadeUp{Label: "old", First: 0.5})
	b = side(0.9, 0.6, fixture.MadeUp{Label: "new", First: 0.5})
	for i := range a.Runs {
		x, y := &a.Runs[i], &b.Runs[i]
		x.PredictionSHA256, y.PredictionSHA256 = []string{"1", "2", "3", "4"}, []string{"5", "6", "7", "8"}
		x.Options, y.Options = map[string]any{"epochs": 50}, map[string]any{"epochs": 50.0}
		switch x.Method {
		case "same":
			y.PredictionSHA256, y.Ranked.Score, y.Ranked.Labels = x.PredictionSHA256, x.Ranked.Score, x.Ranked.Labels
		case "capped":
			y.Options = map[string]any{"epochs": 1}
		case "single":
			y.Seed += 5
		case "|mine|":
			y.Seed += 100
		}
	}
	return a, b
}

func TestCompare(t *testing.T) {
	a, b := twoSides(t)
	b.Environment = results.Environment{ExecutableSHA256: "feed", Backend: "cpu:kernels=avx2", CPU: "a new one"}
	b.Oracle.TestAccuracy = 0.984
	c, err := analysis.Compare([]analysis.Named{{Name: "A", Results: a}, {Name: "B", Results: b},
		{Name: "A again", Results: a}})
	require.NoError(t, err)
	require.Len(t, c.Sides, 2)
	rows := map[string]analysis.Row{}
	for _, r := range c.Sides[0].Rows {
		rows[r.Method] = r
	}
	want := map[string]analysis.Verdict{
		"better": analysis.VerdictBetter, "worse": analysis.VerdictWorse,
		"same": analysis.VerdictSame, "open": analysis.VerdictOpen,
		"single": analysis.VerdictNone, "|mine|": analysis.VerdictNone,
		"capped": analysis.VerdictOpen,
	}
	require.Len(t, rows, len(want))
	for method, verdict := range want {
		assert.Equal(t, verdict, rows[method].Verdict, method)
	}
	assert.Equal(t, 5+8-1+1, c.Tests, "single has one seed in common; again A has all eight")
	assert.Equal(t, []string{"old"}, c.Sides[0].OnlyA)
	assert.Equal(t, []string{"new"}, c.Sides[0].OnlyB)
	assert.Equal(t, []string{
		"other code: executable feed against executable unknown", "other kernels: cpu:kernels=avx2 against unknown",
		"another machine: unknown, a new one, 0 cores against unknown, unknown, 0 cores",
		"the oracles differ: their accuracy on test snapshots is 0.9840 and 0.9833",
	}, c.Sides[0].Labels)
	assert.Empty(t, c.Sides[1].Labels)
	for _, r := range c.Sides[1].Rows {
		assert.Equal(t, analysis.VerdictSame, r.Verdict)
		assert.Zero(t, *r.Change)
		assert.Equal(t, 1.0, *r.P)
	}

	better := rows["better"]
	assert.Equal(t, 6, better.Seeds)
	var sum, first float64
	for i, run := range a.Runs {
		if run.Method == "better" {
			sum += (analysis.Average(b.Runs[i].Ranked.Score) - analysis.Average(run.Ranked.Score)) / 6
			first += (b.Runs[i].Ranked.Score[0] - run.Ranked.Score[0]) / 6
		}
	}
	assert.InDelta(t, sum, *better.Change, 1e-12)
	assert.InDelta(t, first, *better.Steps[0], 1e-12)
	assert.InDelta(t, *better.B-*better.A, *better.Change, 1e-12)
	assert.True(t, *better.Low < sum && sum < *better.High && *better.Low > 0)
	assert.Less(t, *better.P, 0.05)
	assert.Equal(t, -1, sign(*rows["worse"].Change))
	assert.Equal(t, []string{"other options: epochs 1 against 50"}, rows["capped"].Notes)
	assert.Equal(t, 1, rows["single"].Seeds)
	assert.NotNil(t, rows["single"].Change)
	assert.Nil(t, rows["single"].P)
	assert.Zero(t, rows["|mine|"].Seeds)
	assert.Nil(t, rows["|mine|"].Change)
}

func sign(v float64) int {
	if v < 0 {
		return -1
	}
	return 1
}

// TestCompareRefuses: accuracies that do not mean the same are in no table together.
func TestCompareRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *results.Results)
		says   string
	}{
		"data": {func(r *results.Results) { r.Task.DataSHA256, r.Task.Source = "1234", "/fashion" },
			"other data: /fashion (SHA-256 1234…) against unknown"},
		"split": {func(r *results.Results) { r.Task.Train = 300 },
			"another split: 300+1000+300 snapshots against 3000+1000+300"},
		"states":   {func(r *results.Results) { r.Task.States = 6 }, "another number of glyphs: 6 against 5"},
		"steps":    {func(r *results.Results) { r.Task.Steps = 3 }, "another number of steps: 3 against 4"},
		"protocol": {func(r *results.Results) { r.Protocol = "powers" }, "another protocol ranks: powers against reencode"},
		"oracle":   {func(r *results.Results) { r.Oracle.Name = "svm" }, `another oracle: "svm" against "cnn"`},
		"seed":     {func(r *results.Results) { r.Oracle.Seed = 1 }, "another seed of the oracle: 1 against 42"},
		"options": {func(r *results.Results) { r.Oracle.Options = map[string]any{"epochs": 1} },
			"another oracle: epochs 1 against none"},
		"plugin": {func(r *results.Results) { r.Oracle.Plugin = &results.PluginInfo{Path: "/p", SHA256: "12"} },
			"another oracle: it is from the plugin /p (12) against this program"},
		"key": {func(r *results.Results) { r.Oracle.Key = "other" }, "another oracle: its key is other against"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := twoSides(t)
			c.change(b)
			_, err := analysis.Compare([]analysis.Named{{Name: "A", Results: a}, {Name: "A", Results: a},
				{Name: "B", Results: b}})
			assert.ErrorIs(t, err, results.ErrNotComparable)
			assert.ErrorContains(t, err, "B with A: "+c.says)
		})
	}
	a, b := twoSides(t)
	_, err := analysis.Compare([]analysis.Named{{Name: "A", Results: a}})
	assert.ErrorIs(t, err, core.ErrOption)
	b.Runs = nil
	_, err = analysis.Compare([]analysis.Named{{Name: "A", Results: a}, {Name: "B", Results: b}})
	assert.ErrorIs(t, err, core.ErrUnavailable)
}

func TestComparisonFormats(t *testing.T) {
	a, b := twoSides(t)
	c, err := analysis.Compare([]analysis.Named{{Name: "results/A", Results: a}, {Name: "results/B\x1b", Results: b}})
	require.NoError(t, err)

	var text bytes.Buffer
	require.NoError(t, WriteComparison(&text, c))
	assert.Regexp(t, `(?m)^\+  better +6  0\.\d\d\d +0\.\d\d\d  \+\.\d+ +<\.001`, text.String())
	assert.Regexp(t, `(?m)^−  worse +6 `, text.String())
	assert.Regexp(t, `(?m)^=  same +6  (0\.\d+) +(0\.\d+)  0 `, text.String())
	assert.Contains(t, text.String(), "\nB = results/B\n")
	assert.Contains(t, text.String(), "  in A only: old\n  in B only: new\n")
	assert.Contains(t, text.String(), "  |mine|: A and B have no evaluated seed in common\n")
	assert.Contains(t, text.String(), "  capped: other options: epochs 1 against 50\n")
	assert.Contains(t, text.String(), "capped †")
	for line := range strings.Lines(text.String()) {
		assert.LessOrEqual(t, len([]rune(line)), maxWidth+1, line)
	}

	var markdown bytes.Buffer
	require.NoError(t, WriteComparisonMarkdown(&markdown, c))
	assert.Contains(t, markdown.String(), `| \|mine\| |`)
	for line := range strings.Lines(markdown.String()) {
		if strings.HasPrefix(line, "|") {
			plain := strings.ReplaceAll(line, `\|`, "")
			assert.Equal(t, strings.Count(plain, "|"), 12, line)
		}
	}

	var js bytes.Buffer
	require.NoError(t, WriteComparisonJSON(&js, c))
	var read analysis.Comparison
	require.NoError(t, json.Unmarshal(js.Bytes(), &read))
	assert.Equal(t, analysis.ComparisonSchema, read.Schema)
	assert.Equal(t, c.Sides, read.Sides)

	var table bytes.Buffer
	require.NoError(t, WriteComparisonCSV(&table, c))
	rows, err := csv.NewReader(&table).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+len(c.Sides[0].Rows)*5)
	for _, row := range rows[1:] {
		if row[2] == "better" && row[4] == "mean" {
			assert.Equal(t, fmt.Sprint(*c.Sides[0].Rows[rowOf(c, "better")].Change), row[5])
			assert.Equal(t, "better", row[11])
		}
	}
}

func rowOf(c *analysis.Comparison, method string) int {
	for i, r := range c.Sides[0].Rows {
		if r.Method == method {
			return i
		}
	}
	return -1
}
