package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
)

// written is what a writer of tables makes of results.
func written(t *testing.T, ext string, r *results.Results) string {
	var b bytes.Buffer
	format := map[string]string{".txt": "text", ".md": "markdown", ".csv": "csv"}[ext]
	require.NoError(t, TableFormats(nil)[format](&b, r))
	return b.String()
}

// csvOf is a column of the summary as CSV, for the mean over all steps of each method and baseline.
func csvOf(t *testing.T, r *results.Results, column string) map[string]string {
	rows, err := csv.NewReader(strings.NewReader(written(t, ".csv", r))).ReadAll()
	require.NoError(t, err)
	at := func(row []string, name string) string {
		for i, head := range rows[0] {
			if head == name {
				return row[i]
			}
		}
		require.Fail(t, "no column "+name)
		return ""
	}
	values := map[string]string{}
	for _, row := range rows[1:] {
		if at(row, "step") == "mean" {
			values[at(row, "name")] = at(row, column)
		}
	}
	return values
}

// What shows scores of a search says that they are not those on test data.
func TestSearchIsSaid(t *testing.T) {
	s := fixture.MakeUp(t, fixture.Setting{Steps: 4, Test: 40, Methods: fixture.FiveMethods()[2:3]})
	s.Content.Task.Part = results.ValidationPart
	const says = "This is a search for options: scores are on the validation data, not the test data."
	assert.Contains(t, written(t, ".txt", s.Content), says)
	assert.Contains(t, strings.Join(shown(t, s)["page"], "\n"), says)
}

// Whatever shows accuracies says that training was cut short, and only then.
func TestCutShortIsSaid(t *testing.T) {
	s := fixture.MakeUp(t, fixture.Setting{Steps: 4, Test: 40, Methods: fixture.FiveMethods()[2:3]})
	r := s.Content
	for epochs, want := range map[int]string{
		0: "", 1: "Training was cut short: at most 1 epoch of training (--epochs 1).",
		2: "Training was cut short: at most 2 epochs of training (--epochs 2).",
	} {
		r.MaxEpochs = epochs
		assert.Equal(t, want, analysis.Caveat(r))
		c, err := Compare([]Named{{Name: "a", Results: r}, {Name: "b", Results: r}})
		require.NoError(t, err)
		var comparison bytes.Buffer
		require.NoError(t, ComparisonFormats()["text"](&comparison, c))
		texts := map[string]string{"table": written(t, ".txt", r), "comparison": comparison.String()}
		all := shown(t, s)
		for _, name := range []string{"page", "accuracy", "rollout"} {
			texts[name] = strings.Join(all[name], "\n")
		}
		if want == "" {
			for place, text := range texts {
				assert.NotContains(t, text, "cut short", place)
			}
			assert.Equal(t, "", csvOf(t, r, "max_epochs")["vamp"])
			continue
		}
		for place, text := range texts {
			// A figure breaks its lines where the space ends, whatever their order in the file.
			text = strings.ReplaceAll(text, "\n", " ")
			assert.Contains(t, text, "Training was cut short", place)
			assert.Contains(t, text, fmt.Sprintf("(--epochs %d)", epochs), place)
		}
		assert.Contains(t, written(t, ".md", r), fmt.Sprintf("\n\n%s\n\n", want))
		assert.Equal(t, 5, strings.Count(texts["page"], want), "lead, ranking, accuracy, roll-out and cost")
		assert.Equal(t, fmt.Sprint(epochs), csvOf(t, r, "max_epochs")["vamp"])
	}
}

// A method that is better than the oracle on true images by more than chance explains gets a
// warning, others do not.
func TestAboveTheCeiling(t *testing.T) {
	s := fixture.MakeUp(t, fixture.Setting{Test: 1200, Steps: 4, Seeds: []int64{0, 1, 2}, Methods: []fixture.MadeUp{
		{Label: "as good", First: 0.985}, {Label: "better", First: 1.01}, {Label: "worse", First: 0.5},
	}})
	r := s.Content
	all, err := analysis.Summarize(r)
	require.NoError(t, err)
	var tests []stats.Comparison
	for _, sum := range all {
		assert.Equal(t, sum.Label == "better", slices.Contains(sum.Marks(), analysis.AboveMark), sum.Label)
		assert.InDelta(t, sum.Overall()-r.Oracle.TestAccuracy, sum.Ceiling.Difference, 1e-9, sum.Label)
		var scores [][][]float64
		for _, run := range sum.OK {
			scores = append(scores, r.ScoresOf(run.Ranked))
		}
		c, err := stats.AboveCeiling(scores, r.OracleScores())
		require.NoError(t, err)
		tests = append(tests, c)
	}
	stats.AdjustCeilings(tests)
	for i, sum := range all {
		assert.Equal(t, fmt.Sprint(tests[i]), fmt.Sprint(sum.Ceiling), "Holm's correction over the methods of the table")
	}
	assert.InDelta(t, 17.0/1200, all[0].Ceiling.Difference, 1e-9, "the oracle is wrong about 17 of 1200")
	warning := "its accuracy of 1.000 is 0.014 above that of the oracle on true images, by more than chance explains"
	text := written(t, ".txt", r)
	assert.Contains(t, text, "better: "+warning)
	assert.Contains(t, text, "better !")
	assert.Contains(t, text, "!         above the oracle on true images, by more than chance explains; see the warnings")
	assert.Equal(t, 1, strings.Count(text, warning))
	assert.NotContains(t, text, "good !")
	var page bytes.Buffer
	require.NoError(t, WritePage(&page, results.OpenStore(save(t, s)), nil, nil))
	assert.Contains(t, page.String(), warning)
	mark := `<abbr title="above the oracle on true images">!</abbr>`
	assert.Equal(t, 2, strings.Count(page.String(), mark), "ranking and costs")
	difference, err := strconv.ParseFloat(csvOf(t, r, "above_oracle")["better"], 64)
	require.NoError(t, err)
	assert.InDelta(t, 17.0/1200, difference, 1e-9)
	assert.NotEmpty(t, csvOf(t, r, "above_oracle_p")["worse"])

	// One seed is enough; without what the oracle sees in the test images nothing can be said.
	one := fixture.MakeUp(t, fixture.Setting{Test: 600, Methods: []fixture.MadeUp{{Label: "better", First: 1.01}}}).Content
	assert.Contains(t, written(t, ".txt", one), "better !")
	one.Oracle.TestLabels = nil
	assert.NotContains(t, written(t, ".txt", one), "better !")
	assert.Equal(t, "", csvOf(t, one, "above_oracle")["better"])
}

// A plugin's row says how it fared in its checks.
func TestChecksAreShown(t *testing.T) {
	s := fixture.MakeUp(t, fixture.Setting{Test: 20, Steps: 2, Seeds: []int64{0, 1}, Methods: []fixture.MadeUp{
		{Label: "inside", First: 0.9}, {Label: "unchecked", First: 0.9, Plugin: true},
		{Label: "good", First: 0.9, Plugin: true}, {Label: "bad", First: 0.9, Plugin: true}, {Label: "mixed", First: 0.9,
			Plugin: true},
	}})
	r := s.Content
	for i := range r.Runs {
		run := &r.Runs[i]
		switch {
		case run.Method == "good" || run.Method == "mixed" && run.Seed == 0:
			run.Plugin.Checks = &results.PluginChecks{Passed: 26, Failed: []string{}}
		case run.Method == "bad":
			failed := []string{"row-independence", "bad: row-order"}
			run.Plugin.Checks = &results.PluginChecks{Passed: 24, Failed: failed}
		}
	}
	r.Oracle.Plugin = &results.PluginInfo{Path: "/o", Checks: &results.PluginChecks{Passed: 1}}
	_, notes, ok := strings.Cut(written(t, ".txt", r), "\nplugins\n")
	require.True(t, ok)
	lines := strings.Split(strings.TrimRight(notes, "\n"), "\n")
	want := []string{
		"  oracle: plugin, 1 check passed",
		"  unchecked, seeds 0,1: plugin, checks not run",
		"  good, seeds 0,1: plugin, 26 checks passed",
		"  bad, seeds 0,1: plugin, failed: row-independence, bad: row-order",
		"  mixed, seed 0: plugin, 26 checks passed",
		"  mixed, seed 1: plugin, checks not run",
	}
	assert.ElementsMatch(t, want, lines)
	page := strings.Join(pageTexts(t, s), "\n")
	for _, line := range want {
		lead, text, _ := strings.Cut(strings.TrimSpace(line), ": ")
		assert.Contains(t, page, lead+"\n"+text)
	}
	assert.Contains(t, page, "/plugins/kernel, SHA-256 "+strings.Repeat("1f", 32)+", not pinned; checks not run")
	assert.Equal(t, map[string]string{
		"inside": "", "unchecked": "not run", "good": "passed", "bad": "failed", "mixed": "not run",
		"chance": "", "persistence": "", "oracle": "",
	}, csvOf(t, r, "plugin_checks"))
	assert.Equal(t, "26", csvOf(t, r, "plugin_checks_passed")["good"])
	assert.Equal(t, "", csvOf(t, r, "plugin_checks_passed")["mixed"])
	assert.Equal(t, "row-independence; bad: row-order", csvOf(t, r, "plugin_checks_failed")["bad"])
}

// A run that broke its contract has the reason in the table and on the page.
func TestInvalidRunsHaveTheirReason(t *testing.T) {
	s := fixture.MakeUp(t, fixture.Setting{Test: 20, Steps: 2, Seeds: []int64{0, 1},
		Methods: []fixture.MadeUp{{Label: "m", First: 0.9}}})
	run := &s.Content.Runs[1]
	reason := "step 2: value 7 of snapshot 3 is NaN"
	run.Status, run.Trained, run.Reason = results.StatusInvalid, false, reason
	run.Ranked.Score, run.Ranked.Labels = nil, nil
	assert.Contains(t, written(t, ".txt", s.Content), "m, seed 1: invalid: "+reason)
	assert.Contains(t, strings.Join(pageTexts(t, s), "\n"), "m, seed 1\ninvalid: "+reason)
}

// The ceiling of results that claim what cannot be is not tested.
func TestCeilingOfOddResults(t *testing.T) {
	r := fixture.MakeUp(t, fixture.Setting{Test: 20, Steps: 2, Methods: fixture.FiveMethods()[:1]}).Content
	r.Task.Lag = -1
	assert.NotContains(t, written(t, ".txt", r), "linear !")
	r.Runs[0].Ranked.Score[0] = math.NaN()
	assert.NotPanics(t, func() { written(t, ".txt", r) })
}
