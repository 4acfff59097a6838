package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// runs of three methods with every kind of remark, in round numbers.
func smallResults() *benchmark.Results {
	run := func(method string, seed int64, accuracy ...float64) benchmark.RunResult {
		return benchmark.RunResult{
			Key: method, Method: method, Seed: seed, Status: benchmark.StatusOK, Trained: true, Accuracy: accuracy,
			Rank: 5, Parameters: 34213, FitSeconds: 12.34, PredictSeconds: 0.5,
		}
	}
	r := &benchmark.Results{
		Task:   benchmark.TaskInfo{Name: "ordered-mnist", States: 5, Test: 1000, Steps: 6, Lag: 1, Protocol: benchmark.ProtocolReencode},
		Oracle: benchmark.OracleInfo{Name: "cnn", Seed: 42, ValidationAccuracy: 0.989, TestAccuracy: 0.985},
	}
	weak := run("autoencoder", 0, 0.9, 0.8, 0.5, 0.3, 0.2, 0.2)
	weak.Trained, weak.Reason, weak.Rank = false, "the validation reconstruction is no better than the mean", 1
	crash := run("autoencoder", 1)
	crash.Status, crash.Trained, crash.Reason = benchmark.StatusCrashed, false, "internal failure: index out of range\ngoroutine 1 [running]:"
	warned := run("vamp?epochs=20&lr=1e-3", 0, 0.98, 0.98, 0.98, 0.97, 0.97, 0.97)
	warned.Warnings = []string{"1 of 5 directions was dropped", "slow"}
	again := run("vamp?epochs=20&lr=1e-3", 1, 0.96, 0.96, 0.96, 0.96, 0.96, 0.96)
	again.Warnings = []string{"1 of 5 directions was dropped"}
	handed := run("classifier", 0, 1, 1, 1, 1, 1, 1)
	handed.Exposed = string(core.OracleExposed)
	labelled := run("labelled", 0, 1, 1, 1, 1, 1, 0)
	labelled.Exposed, labelled.FitSeconds, labelled.Rank = string(core.LabelExposed), 1234, 0
	late := run("kernel", 0)
	late.Status, late.Trained, late.Reason = benchmark.StatusTimeout, false, "the time given, 1m0s, was over"
	r.Runs = []benchmark.RunResult{handed, weak, warned, late, again, crash, labelled}
	return r
}

// seedsSetting has what several seeds bring: failures, untrained runs, methods that cannot be told apart, a long name.
var seedsSetting = setting{seeds: []int64{0, 1, 2, 3, 4}, methods: append(fiveMethods(),
	madeUp{label: "operator:third-party-kernel?bandwidth=12.5&landmarks=300", half: 5, first: 0.85, rank: 3, plugin: true},
	madeUp{label: "unsteady", first: 0.97, untaught: []int64{1, 3}, failed: []int64{4}},
	madeUp{label: "once", first: 0.9, failed: []int64{1, 2, 3, 4}},
	madeUp{label: "never", failed: []int64{0, 1, 2, 3, 4}},
)}

func TestTableGolden(t *testing.T) {
	weakJudge := makeUp(t, setting{steps: 1, test: 20, methods: fiveMethods()[:1]}).results
	weakJudge.Oracle.TestAccuracy = 0.71
	weakJudge.Oracle.Warnings = []string{"a weak judge: it labels 71.0 % of the test snapshots rightly"}
	powers := makeUp(t, setting{steps: 3, test: 40, methods: fiveMethods()[:1]}).results
	powers.Task.Protocol = benchmark.ProtocolPowers
	onlyExposed := smallResults()
	onlyExposed.Runs = onlyExposed.Runs[:1]
	for name, r := range map[string]*benchmark.Results{
		"five":    makeUp(t, setting{}).results,
		"seeds":   makeUp(t, seedsSetting).results,
		"remarks": smallResults(),
		"weak":    weakJudge,
		"exposed": onlyExposed,
		"powers":  powers,
	} {
		for ext, write := range writers {
			t.Run(name+ext, func(t *testing.T) {
				var b bytes.Buffer
				require.NoError(t, write(&b, r))
				golden(t, name+ext, b.Bytes())
			})
		}
	}
}

var writers = map[string]func(w *bytes.Buffer, r *benchmark.Results) error{
	".txt": func(w *bytes.Buffer, r *benchmark.Results) error { return WriteTable(w, r) },
	".md":  func(w *bytes.Buffer, r *benchmark.Results) error { return WriteMarkdown(w, r) },
	".csv": func(w *bytes.Buffer, r *benchmark.Results) error { return WriteCSV(w, r) },
}

func golden(t *testing.T, name string, got []byte) {
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "make it with: go test ./benchmark/report -update")
	assert.Equal(t, string(want), string(got))
}

func TestTableRanks(t *testing.T) {
	r := smallResults()
	all, err := summarize(r)
	require.NoError(t, err)
	var labels []string
	for _, s := range all {
		labels = append(labels, s.label)
	}
	assert.Equal(t, []string{"vamp?epochs=20&lr=1e-3", "autoencoder", "kernel", "labelled", "classifier"}, labels,
		"the mean accuracy decides; who was never evaluated is last; exposed methods come apart")

	slices.Reverse(r.Runs)
	reversed, err := summarize(r)
	require.NoError(t, err)
	for i, s := range reversed {
		assert.Equal(t, labels[i], s.label, "the order of runs does not matter")
		assert.Equal(t, all[i].mean, s.mean)
	}
}

func TestRankingIgnoresRounding(t *testing.T) {
	run := func(method string, seed int64, first float64) benchmark.RunResult {
		return benchmark.RunResult{Method: method, Seed: seed, Status: benchmark.StatusOK, Accuracy: []float64{first, 0.4 - first}}
	}
	// The mean of three times 0.2 is a little more than 0.2.
	all, err := summarize(&benchmark.Results{Runs: []benchmark.RunResult{
		run("thrice", 0, 0.2), run("thrice", 1, 0.2), run("thrice", 2, 0.2), run("once", 0, 0.1),
	}})
	require.NoError(t, err)
	assert.Equal(t, "once", all[0].label, "at equal mean accuracy the last step decides")
}

func TestAggregate(t *testing.T) {
	all, err := summarize(smallResults())
	require.NoError(t, err)
	vamp := all[0]
	assert.InDelta(t, 0.97, vamp.mean[0], 1e-12)
	assert.Nil(t, vamp.total, "without labels nothing is estimated")
	auto := all[1]
	assert.Len(t, auto.ok, 1)
	assert.Equal(t, "1/2 ok", auto.status())
	assert.Equal(t, []string{"1/2 seeds ok", "untrained"}, auto.remarks())
	assert.Equal(t, "kernel (timeout)", all[2].name())
	assert.Equal(t, "classifier (sees the oracle)", all[4].name())
}

// What the table says of several seeds is what package stats says of the same scores.
func TestEstimates(t *testing.T) {
	r := makeUp(t, seedsSetting).results
	all, err := summarize(r)
	require.NoError(t, err)
	of := map[string]summary{}
	for _, s := range all {
		of[s.label] = s
	}
	vamp := of["vamp"]
	require.Len(t, vamp.steps, 15)
	truth := make([]int, 300)
	for i := range truth {
		truth[i] = i % 5
	}
	var table [][]float64
	for _, run := range vamp.ok {
		right, err := stats.Right(run.Labels[6], truth, 7, 5)
		require.NoError(t, err)
		table = append(table, right)
	}
	want, err := stats.NewEstimate(table)
	require.NoError(t, err)
	assert.Equal(t, want, *vamp.steps[6])
	assert.InDelta(t, vamp.overall(), vamp.total.Mean, 1e-9)
	assert.Len(t, vamp.sample, 5)

	assert.Equal(t, of["vamp"].places, of["contrastive"].places, "not told apart")
	assert.Greater(t, of["autoencoder"].places.Best, of["vamp"].places.Worst)
	assert.False(t, of["once"].places.Ranked(), "one seed")
	assert.False(t, of["never"].places.Ranked())
	assert.False(t, of["classifier"].places.Ranked(), "sees the oracle")
	assert.Equal(t, 5, of["classifier"].total.Seeds, "but has an interval")
	assert.Equal(t, 2, of["unsteady"].trained())
	assert.Equal(t, 5, of["unsteady"].tried())
	assert.Equal(t, 4, of["unsteady"].total.Seeds, "an untrained run counts, a failed one does not")
}

// Seeds whose predictions are the same to the bit are one model: they count once in intervals, and all in means and numbers.
func TestEqualPredictionsAreOneModel(t *testing.T) {
	of := func(hash func(run, step int) string) *stats.Estimate {
		r := makeUp(t, setting{seeds: []int64{0, 1, 2, 3}, methods: fiveMethods()[:1], test: 200, steps: 3}).results
		for k := range r.Runs {
			run := &r.Runs[k]
			for step := range run.Accuracy {
				run.Accuracy[step] = 1
				run.PredictionSHA256 = append(run.PredictionSHA256, hash(k, step))
				for i := range run.Labels[step] {
					run.Labels[step][i] = (i + step + 1) % 5
				}
			}
		}
		all, err := summarize(r)
		require.NoError(t, err)
		require.NotNil(t, all[0].total)
		return all[0].total
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

// Labels that contradict the accuracy are no evidence.
func TestContradictingLabels(t *testing.T) {
	r := makeUp(t, setting{seeds: []int64{0, 1}, methods: fiveMethods()[:2], test: 40, steps: 3}).results
	r.Runs[0].Accuracy[1] += 0.1
	all, err := summarize(r)
	require.NoError(t, err)
	for _, s := range all {
		assert.Equal(t, s.label != r.Runs[0].Method, s.total != nil, s.label)
	}
	var b bytes.Buffer
	require.NoError(t, WriteTable(&b, r))
	assert.Contains(t, b.String(), "without interval\n  "+r.Runs[0].Method+":")
}

func TestBaselines(t *testing.T) {
	r := &benchmark.Results{
		Task:   benchmark.TaskInfo{States: 3, Test: 7, Lag: 1, Steps: 4},
		Oracle: benchmark.OracleInfo{TestAccuracy: 6.0 / 7},
	}
	names := func(all []baseline) (names []string) {
		for _, b := range all {
			names = append(names, b.name)
		}
		return names
	}
	known := evidenceOf(r)
	assert.Equal(t, []string{"chance", "oracle"}, names(baselines(r, known, 4)), "what the oracle sees is not known")

	known.truth = []int{0, 1, 2, 0, 1, 2, 0}
	known.seen = []int{0, 1, 2, 0, 1, 2, 1} // one mistake: a 0 taken for its successor
	all := baselines(r, known, 4)
	require.Equal(t, []string{"chance", "persistence", "oracle"}, names(all))
	assert.InDeltaSlice(t, []float64{1.0 / 7, 0, 6.0 / 7, 1.0 / 7}, all[1].at, 1e-12, "right where the cycle comes back, as often as the oracle is")
	assert.InDelta(t, 8.0/28, all[1].mean, 1e-12)
	for _, b := range []baseline{all[2], baselines(r, known, 20)[2]} { // 20 steps lead beyond the last snapshot
		for i, at := range b.at {
			assert.Equal(t, 6.0/7, at, "on all test snapshots at every step")
			assert.Equal(t, stats.Proportion(6, 7), b.steps[i].Interval)
		}
		assert.Equal(t, 6.0/7, b.mean)
		assert.Equal(t, stats.Proportion(6, 7), b.total.Interval)
	}
	assert.Nil(t, all[0].total)

	text := layOut(r, nil, known).text(maxWidth)
	assert.Contains(t, text, "persistence")
	assert.NotContains(t, text, "not known")
	r.Task.States, r.Oracle.TestAccuracy = 0, math.NaN()
	assert.Empty(t, baselines(r, evidence{task: r.Task}, 4))
}

// The table is no wider than a terminal, whatever the names and numbers.
func TestTableWidth(t *testing.T) {
	s := seedsSetting
	s.methods = append(s.methods, madeUp{label: strings.Repeat("x", 200), first: 1})
	for _, r := range []*benchmark.Results{makeUp(t, s).results, makeUp(t, setting{}).results, smallResults()} {
		tab, err := newTable(r)
		require.NoError(t, err)
		tab.notes = nil
		for line := range strings.Lines(tab.text(maxWidth)) {
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), maxWidth, line)
		}
	}
	assert.Equal(t, []string{"operator:kernel", "?bandwidth=12.5", "&landmarks=300"}, breakName("operator:kernel?bandwidth=12.5&landmarks=300", 18))
	assert.Equal(t, []string{"abcd", "ef"}, breakName("abcdef", 4))
}

// TestTableFitsTerminals: a narrow terminal gets fewer columns, those of middle steps first, and is
// told which; ranks, methods and means stay.
func TestTableFitsTerminals(t *testing.T) {
	r := makeUp(t, seedsSetting).results
	before := math.MaxInt
	for _, width := range []int{maxWidth, 100, 80, 60, 40, 20} {
		tab, err := newTable(r)
		require.NoError(t, err)
		all := tab.columns
		tab.leaveOut(width)
		if width >= 40 {
			var b strings.Builder
			tab.grid(&b, width)
			tab.costs.grid(&b, width)
			for line := range strings.Lines(b.String()) {
				assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), width, line)
			}
		}
		assert.LessOrEqual(t, len(tab.columns), before, "no more columns where there is less room")
		before = len(tab.columns)
		for _, c := range all {
			if c.excess > 0 && !slices.Contains(tab.columns, c) {
				says := `(?m)^left out  .*` + c.name + `.*; report.html has them, and so has a wider terminal$`
				assert.Regexp(t, says, tab.text(width))
			}
		}
		assert.Subset(t, tab.columns, []column{{name: "rank"}, {name: "method"}, {name: "mean"}})
		for _, s := range tab.sections {
			for _, row := range s.rows {
				assert.Len(t, row.cells, len(tab.columns))
			}
		}
	}
	assert.Equal(t, 3, before)
	var whole, wide strings.Builder
	require.NoError(t, WriteTable(&whole, r))
	require.NoError(t, WriteTableWithin(&wide, r, 200))
	assert.Equal(t, whole.String(), wide.String())
}

func TestNumbers(t *testing.T) {
	assert.Equal(t, ".951–1", shortInterval(stats.Interval{Low: 0.9512, High: 0.99996}, 3))
	assert.Equal(t, "0–.04", shortInterval(stats.Interval{Low: 0.001, High: 0.04}, 2))
}

func TestNoRuns(t *testing.T) {
	for _, r := range []*benchmark.Results{nil, {}, {Runs: []benchmark.RunResult{}}} {
		for _, write := range writers {
			var b bytes.Buffer
			assert.ErrorIs(t, write(&b, r), core.ErrUnavailable)
			assert.Empty(t, b.String())
		}
	}
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
		assert.Equal(t, want, seedText(seeds))
	}
}

func TestShownSteps(t *testing.T) {
	for _, c := range []struct {
		steps, states, lag int
		want               []int
	}{
		{15, 5, 1, []int{1, 4, 9, 14}},
		{15, 5, 7, []int{1, 4, 9, 14}},
		{15, 10, 1, []int{1, 5, 9, 15}},
		{15, 10, 2, []int{1, 4, 9, 14}},
		{15, 3, 1, []int{1, 5, 10, 14}},
		{15, 2, 1, []int{1, 5, 9, 15}},
		{200, 7, 1, []int{1, 5, 10, 200}},
		{5, 5, 1, []int{1, 4}},
		{3, 5, 1, []int{1, 3}},
		{2, 2, 1, []int{1}},
		{1, 5, 1, []int{1}},
		{1, 1, 1, []int{1}},
		{11, 0, 0, []int{1, 5, 10, 11}},
	} {
		shown := shownSteps(c.steps, benchmark.TaskInfo{States: c.states, Lag: c.lag})
		assert.Equal(t, c.want, shown, "%d steps of lag %d through %d states", c.steps, c.lag, c.states)
	}
	// Predicting the input, which is right once a cycle, is right at none of them.
	r := makeUp(t, setting{test: 50}).results
	persistence := baselines(r, evidenceOf(r), 15)[1]
	for _, step := range shownSteps(15, r.Task) {
		assert.Less(t, persistence.at[step-1], 0.1)
	}
	assert.Greater(t, persistence.at[4], 0.9)
}

func TestMarkdownKeepsItsColumns(t *testing.T) {
	r := smallResults()
	r.Runs[0].Method = "a|b`c*d_e<f>\\"
	var b bytes.Buffer
	require.NoError(t, WriteMarkdown(&b, r))
	columns, widest := 0, 0
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "|") {
			columns = 0 // the next table may have others
			continue
		}
		n := strings.Count(strings.ReplaceAll(strings.ReplaceAll(line, `\\`, ""), `\|`, ""), "|")
		if columns == 0 {
			columns = n
		}
		assert.Equal(t, columns, n, line)
		widest = max(widest, n)
	}
	assert.Equal(t, 10, widest, "9 columns between 10 bars")
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
		assert.Equal(t, want, oneLine(in))
	}
	assert.Equal(t, maxText, utf8.RuneCountInString(oneLine(strings.Repeat("é", 10*maxText))))
}

// FuzzTable feeds any results.json to the writers of tables.
func FuzzTable(f *testing.F) {
	// Small seeds: `go test -fuzz` shrinks what it finds, which takes long for long texts.
	f.Add([]byte(`{"task":{"name":"ordered-mnist","steps":2,"states":5},"oracle":{"warnings":["weak"]},"runs":[{"method":"a","status":"ok","trained":true,"accuracy":[1,0.5]},{"method":"a","seed":1,"status":"failed","reason":"b"}]}`))
	f.Add([]byte(`{"task":{"steps":-3,"states":-1},"runs":[{},{"status":"ok","accuracy":[2,-1e308,1e308]},{"method":"a","exposed":"other"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var r benchmark.Results
		if json.Unmarshal(text, &r) != nil {
			return
		}
		for _, write := range writers {
			var b bytes.Buffer
			err := write(&b, &r)
			if len(r.Runs) == 0 {
				require.ErrorIs(t, err, core.ErrUnavailable)
				continue
			}
			require.NoError(t, err)
			require.True(t, utf8.Valid(b.Bytes()))
			require.NotContains(t, b.String(), "\x1b")
		}
	})
}
