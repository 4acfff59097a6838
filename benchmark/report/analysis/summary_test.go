package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
)

func TestTableRanks(t *testing.T) {
	r := fixture.SmallResults()
	all, err := Summarize(r)
	require.NoError(t, err)
	var labels []string
	for _, s := range all {
		labels = append(labels, s.Label)
	}
	assert.Equal(t, []string{"vamp?epochs=20&lr=1e-3", "autoencoder", "kernel", "labelled", "classifier"}, labels,
		"the mean accuracy decides; who was never evaluated is last; exposed methods come apart")

	slices.Reverse(r.Runs)
	reversed, err := Summarize(r)
	require.NoError(t, err)
	for i, s := range reversed {
		assert.Equal(t, labels[i], s.Label, "the order of runs does not matter")
		assert.Equal(t, all[i].Mean, s.Mean)
	}
}

func TestRankingIgnoresRounding(t *testing.T) {
	run := func(method string, seed int64, first float64) results.Run {
		return results.Run{Method: method, Seed: seed, Status: results.StatusOK,
			Ranked: &results.Evaluation{Score: []float64{first, 0.4 - first}}}
	}
	// The mean of three times 0.2 is a little more than 0.2.
	all, err := Summarize(&results.Results{Runs: []results.Run{
		run("thrice", 0, 0.2), run("thrice", 1, 0.2), run("thrice", 2, 0.2), run("once", 0, 0.1),
	}})
	require.NoError(t, err)
	assert.Equal(t, "once", all[0].Label, "at equal mean accuracy the last step decides")
}

func TestAggregate(t *testing.T) {
	all, err := Summarize(fixture.SmallResults())
	require.NoError(t, err)
	vamp := all[0]
	assert.InDelta(t, 0.97, vamp.Mean[0], 1e-12)
	assert.Nil(t, vamp.Total, "without labels nothing is estimated")
	auto := all[1]
	assert.Len(t, auto.OK, 1)
	assert.Equal(t, "1/2 ok", auto.status())
	assert.Equal(t, []string{"1/2 seeds ok", "untrained"}, auto.Remarks())
	assert.Equal(t, []string{"timeout"}, all[2].Remarks())
	assert.Equal(t, []string{"sees the oracle"}, all[4].Remarks())
}

func TestSkippedIsNotFailed(t *testing.T) {
	run := func(seed int64, status results.Status) results.Run {
		return results.Run{Method: "analogue", Seed: seed, Status: status}
	}
	for want, other := range map[string]results.Status{
		"skipped": results.StatusSkipped, "failed": results.StatusFailed,
	} {
		all, err := Summarize(&results.Results{Runs: []results.Run{run(0, results.StatusSkipped), run(1, other)}})
		require.NoError(t, err)
		assert.Equal(t, []string{want}, all[0].Remarks())
	}
}

// What the table says of several seeds is what package stats says of the same scores.
func TestEstimates(t *testing.T) {
	r := fixture.MakeUp(t, fixture.SeedsSetting).Content
	all, err := Summarize(r)
	require.NoError(t, err)
	of := map[string]Summary{}
	for _, s := range all {
		of[s.Label] = s
	}
	vamp := of["vamp"]
	require.Len(t, vamp.Steps, 15)
	var table [][]float64
	for _, run := range vamp.OK {
		table = append(table, r.ScoresOf(run.Ranked)[6])
	}
	want, err := stats.NewEstimate(MeasureOf(r.Task).Measure(), table)
	require.NoError(t, err)
	assert.Equal(t, want, *vamp.Steps[6])
	assert.InDelta(t, vamp.Overall(), vamp.Total.Mean, 1e-9)
	assert.Len(t, vamp.sample, 5)

	assert.Equal(t, of["vamp"].Places, of["contrastive"].Places, "not told apart")
	assert.Greater(t, of["autoencoder"].Places.Best, of["vamp"].Places.Worst)
	assert.False(t, of["once"].Places.Ranked(), "one seed")
	assert.False(t, of["never"].Places.Ranked())
	assert.False(t, of["classifier"].Places.Ranked(), "sees the oracle")
	assert.Equal(t, 5, of["classifier"].Total.Seeds, "but has an interval")
	assert.Equal(t, 2, of["unsteady"].Trained())
	assert.Equal(t, 5, of["unsteady"].Tried())
	assert.Equal(t, 4, of["unsteady"].Total.Seeds, "an untrained run counts, a failed one does not")
}

// Seeds whose predictions are the same to the bit are one model: they count once in intervals, and
// all in means and numbers.
func TestEqualPredictionsAreOneModel(t *testing.T) {
	of := func(hash func(run, step int) string) *stats.Estimate {
		r := fixture.MakeUp(t, fixture.Setting{Seeds: []int64{0, 1, 2, 3}, Methods: fixture.FiveMethods()[:1], Test: 200,
			Steps: 3}).Content
		for k := range r.Runs {
			run := &r.Runs[k]
			run.PredictionSHA256 = nil
			for step := range run.Ranked.Score {
				run.Ranked.Score[step] = 1
				run.PredictionSHA256 = append(run.PredictionSHA256, hash(k, step))
				run.Ranked.Labels[step] = r.Expected[step+1]
			}
		}
		all, err := Summarize(r)
		require.NoError(t, err)
		require.NotNil(t, all[0].Total)
		return all[0].Total
	}
	same := of(func(_, step int) string { return fmt.Sprint(step) })
	assert.Equal(t, 4, same.Seeds)
	assert.Zero(t, same.SD)
	assert.InDelta(t, math.Pow(0.025, 1.0/200), same.Interval.Low, 1e-4, "200 trials, Clopper and Pearson 1934")
	for name, hash := range map[string]func(run, step int) string{
		"models differ at one step": func(run, step int) string { return fmt.Sprint(step, step*run) },
		"nobody knows":              func(int, int) string { return "" },
	} {
		differ := of(hash)
		assert.Equal(t, 4, differ.Seeds, name)
		assert.Greater(t, differ.Interval.Low, same.Interval.Low+0.004, name)
	}
}

func TestBaselines(t *testing.T) {
	r := fixture.MakeUp(t, fixture.Setting{States: 3, Test: 70, Steps: 4}).Content
	r.Baselines = append(r.Baselines, results.Baseline{Name: results.Mean})
	told := r.Baselines
	r.Baselines = nil
	names := func(all []Baseline) (names []string) {
		for _, b := range all {
			names = append(names, b.Name)
		}
		return names
	}
	known := EvidenceOf(r)
	assert.Equal(t, []string{"chance", "oracle"}, names(Baselines(r, known, 4)), "the results do not tell")
	assert.Contains(t, fmt.Sprint(RankingTable(r, nil, known).Facts), "persistence is unknown")

	r.Baselines = told
	all := Baselines(r, known, 4)
	require.Equal(t, []string{"chance", "persistence", "oracle"}, names(all), "the mean is no level for an oracle")
	assert.InDeltaSlice(t, []float64{1.0 / 70, 0, 69.0 / 70, 1.0 / 70}, all[1].At, 1e-12)
	assert.InDelta(t, 71.0/280, all[1].Mean, 1e-12)
	for i, at := range all[2].At {
		assert.Equal(t, r.Oracle.TestAccuracy, at, "on all test snapshots at every step")
		assert.Equal(t, stats.Proportion(69, 70), all[2].Steps[i].Interval)
	}
	assert.Equal(t, stats.Proportion(69, 70), all[2].Total.Interval)
	assert.Nil(t, all[0].Total)
	assert.Equal(t, []string{"chance", "oracle"}, names(Baselines(r, known, 20)), "scores of fewer steps than asked for")
	assert.NotContains(t, fmt.Sprint(RankingTable(r, nil, known).Facts), "not known")
}

func TestNumbers(t *testing.T) {
	assert.Equal(t, ".951–1", shortInterval(stats.Interval{Low: 0.9512, High: 0.99996}, 3))
	assert.Equal(t, "0–.04", shortInterval(stats.Interval{Low: 0.001, High: 0.04}, 2))
}

func TestSeedText(t *testing.T) {
	for want, seeds := range map[string][]int64{
		"":                      {},
		"42":                    {42},
		"0,1":                   {0, 1},
		"0..2":                  {0, 1, 2},
		"-2..1,5,7,8":           {-2, -1, 0, 1, 5, 7, 8},
		"0,9223372036854775807": {0, math.MaxInt64},
	} {
		assert.Equal(t, want, SeedText(seeds))
	}
}

func TestShownSteps(t *testing.T) {
	for _, c := range []struct {
		steps, states int
		want          []int
	}{
		{15, 5, []int{1, 4, 9, 14}},
		{15, 10, []int{1, 5, 9, 15}},
		{15, 3, []int{1, 5, 10, 14}},
		{15, 2, []int{1, 5, 9, 15}},
		{200, 7, []int{1, 5, 10, 200}},
		{5, 5, []int{1, 4}},
		{3, 5, []int{1, 3}},
		{2, 2, []int{1}},
		{1, 5, []int{1}},
		{1, 1, []int{1}},
	} {
		made := fixture.MakeUp(t, fixture.Setting{States: c.states, Steps: c.steps, Test: 10, Methods: []fixture.MadeUp{}})
		assert.Equal(t, c.want, shownSteps(c.steps, made.Content), "%d steps through %d states", c.steps, c.states)
	}
	assert.Equal(t, []int{1, 5, 10, 11}, shownSteps(11, &results.Results{}), "without states")
	// Predicting the input, which is right once a cycle, is right at none of them.
	r := fixture.MakeUp(t, fixture.Setting{Test: 50}).Content
	persistence := Baselines(r, EvidenceOf(r), 15)[1]
	for _, step := range shownSteps(15, r) {
		assert.Less(t, persistence.At[step-1], 0.1)
	}
	assert.Greater(t, persistence.At[4], 0.9)
}

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"  plain ":               "plain", //nolint:gocritic // the white space is what is tested
		"first\nsecond":          "first",
		"\n\nfirst\r\nsecond":    "first",
		"tab\tbell\aescape\x1b[": "tab bellescape[",
		"\xff":                   "\uFFFD",
	} {
		assert.Equal(t, want, OneLine(in))
	}
	assert.Equal(t, maxText, utf8.RuneCountInString(OneLine(strings.Repeat("é", 10*maxText))))
}
