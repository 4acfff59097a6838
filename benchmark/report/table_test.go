package report

import (
	"bytes"
	"encoding/json"
	"flag"
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

func TestTableGolden(t *testing.T) {
	weakJudge := makeUp(t, setting{steps: 1, test: 20, methods: fiveMethods()[:1]}).results
	weakJudge.Oracle.TestAccuracy = 0.71
	weakJudge.Oracle.Warnings = []string{"a weak judge: it labels 71.0 % of the test snapshots rightly"}
	onlyExposed := smallResults()
	onlyExposed.Runs = onlyExposed.Runs[:1]
	for name, r := range map[string]*benchmark.Results{
		"five":    makeUp(t, setting{}).results,
		"remarks": smallResults(),
		"weak":    weakJudge,
		"exposed": onlyExposed,
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
		"accuracy at the last step decides; who was never evaluated is last; exposed methods come apart")

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
		return benchmark.RunResult{Method: method, Seed: seed, Status: benchmark.StatusOK, Accuracy: []float64{first, 0.2}}
	}
	// The mean of three times 0.2 is a little more than 0.2.
	all, err := summarize(&benchmark.Results{Runs: []benchmark.RunResult{
		run("thrice", 0, 0.3), run("thrice", 1, 0.3), run("thrice", 2, 0.3), run("once", 0, 0.9),
	}})
	require.NoError(t, err)
	assert.Equal(t, "once", all[0].label, "at equal accuracy in the end the mean over the steps decides")
}

func TestAggregate(t *testing.T) {
	all, err := summarize(smallResults())
	require.NoError(t, err)
	vamp := all[0]
	assert.InDelta(t, 0.97, vamp.mean[0], 1e-12)
	assert.InDelta(t, 0.02/math.Sqrt2, vamp.sd[0], 1e-12, "the sample standard deviation")
	assert.Equal(t, 0.96, vamp.least[0])
	assert.Equal(t, 0.98, vamp.most[0])
	auto := all[1]
	assert.Len(t, auto.ok, 1)
	assert.True(t, math.IsNaN(auto.sd[0]), "one run has no deviation")
	assert.Equal(t, "1/2 ok", auto.status())
	assert.Equal(t, []string{"1/2 seeds ok", "untrained"}, auto.remarks())
	assert.Equal(t, "kernel (timeout)", all[2].name())
	assert.Equal(t, "classifier (sees the oracle)", all[4].name())
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
	assert.Equal(t, []int{1}, shownSteps(1))
	assert.Equal(t, []int{1, 3}, shownSteps(3))
	assert.Equal(t, []int{1, 5}, shownSteps(5))
	assert.Equal(t, []int{1, 5, 10, 15}, shownSteps(15))
	assert.Equal(t, []int{1, 5, 10, 200}, shownSteps(200))
}

func TestMarkdownKeepsItsColumns(t *testing.T) {
	r := smallResults()
	r.Runs[0].Method = "a|b`c*d_e<f>\\"
	var b bytes.Buffer
	require.NoError(t, WriteMarkdown(&b, r))
	columns := 0
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "|") {
			n := strings.Count(strings.ReplaceAll(strings.ReplaceAll(line, `\\`, ""), `\|`, ""), "|")
			if columns == 0 {
				columns = n
			}
			assert.Equal(t, columns, n, line)
		}
	}
	assert.Equal(t, 11, columns, "10 columns between 11 bars")
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
