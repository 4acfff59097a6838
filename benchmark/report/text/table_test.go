package text

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
	"gonum.org/v1/gonum/stat"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestTableGolden(t *testing.T) {
	weakJudge := fixture.MakeUp(t, fixture.Setting{Steps: 1, Test: 20, Methods: fixture.FiveMethods()[:1]}).Content
	weakJudge.Oracle.TestAccuracy = 0.71
	weakJudge.Oracle.Warnings = []string{"a weak judge: it labels 71.0% of the test snapshots correctly"}
	powers := fixture.MakeUp(t, fixture.Setting{Steps: 3, Test: 40, Methods: fixture.FiveMethods()[:1]}).Content
	for i := range powers.Runs {
		powers.Runs[i].Evaluations[0].Protocol = results.ProtocolPowers
	}
	powers.RankBy(results.ProtocolPowers)
	onlyExposed := fixture.SmallResults()
	onlyExposed.Runs = onlyExposed.Runs[:1]
	for name, r := range map[string]*results.Results{
		"five":    fixture.MakeUp(t, fixture.Setting{}).Content,
		"seeds":   fixture.MakeUp(t, fixture.SeedsSetting).Content,
		"remarks": fixture.SmallResults(),
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

// TestSeedsGolden: means and deviations over seeds at the steps that are asked for, by both protocols.
func TestSeedsGolden(t *testing.T) {
	r := fixture.MakeUp(t, fixture.SeedsSetting).Content
	var b bytes.Buffer
	require.NoError(t, WriteSeeds(&b, r, []int{1, 3}))
	golden(t, "seeds.seeds.md", b.Bytes())
	all, err := analysis.Summarize(r)
	require.NoError(t, err)
	var scores []float64
	for _, run := range all[0].OK {
		scores = append(scores, run.Ranked.Score[2])
	}
	require.Greater(t, len(scores), 1)
	assert.Contains(t, b.String(), fmt.Sprintf(" %.3f ± %.3f |", stat.Mean(scores, nil), stat.StdDev(scores, nil)))

	b.Reset()
	require.NoError(t, WriteSeeds(&b, fixture.MakeUp(t, fixture.Setting{}).Content, nil))
	assert.NotContains(t, b.String(), "|  ±", "one seed deviates from nothing")
	for _, step := range []int{0, 1000} {
		assert.ErrorIs(t, WriteSeeds(&b, r, []int{step}), core.ErrOption)
	}
	assert.ErrorIs(t, WriteSeeds(&b, &results.Results{}, nil), core.ErrUnavailable)
}

var writers = map[string]func(w *bytes.Buffer, r *results.Results) error{
	".txt":  func(w *bytes.Buffer, r *results.Results) error { return WriteTable(w, r) },
	".md":   func(w *bytes.Buffer, r *results.Results) error { return WriteMarkdown(w, r) },
	".csv":  func(w *bytes.Buffer, r *results.Results) error { return WriteCSV(w, r) },
	".json": func(w *bytes.Buffer, r *results.Results) error { return WriteJSON(w, r) },
	".tex":  func(w *bytes.Buffer, r *results.Results) error { return WriteLaTeX(w, r) },
}

func golden(t *testing.T, name string, got []byte) {
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "make it with: go test ./benchmark/report/text -update")
	assert.Equal(t, string(want), string(got))
}

// Labels that contradict the accuracy are no evidence.
func TestContradictingLabels(t *testing.T) {
	r := fixture.MakeUp(t, fixture.Setting{Seeds: []int64{0, 1}, Methods: fixture.FiveMethods()[:2], Test: 40,
		Steps: 3}).Content
	r.Runs[0].Ranked.Score[1] += 0.1
	all, err := analysis.Summarize(r)
	require.NoError(t, err)
	for _, s := range all {
		assert.Equal(t, s.Label != r.Runs[0].Method, s.Total != nil, s.Label)
	}
	var b bytes.Buffer
	require.NoError(t, WriteTable(&b, r))
	assert.Contains(t, b.String(), "without interval\n  "+r.Runs[0].Method+":")
}

// The table is no wider than a terminal, whatever the names and numbers.
func TestTableWidth(t *testing.T) {
	s := fixture.SeedsSetting
	s.Methods = append(s.Methods, fixture.MadeUp{Label: strings.Repeat("x", 200), First: 1})
	for _, r := range []*results.Results{fixture.MakeUp(t, s).Content, fixture.MakeUp(t, fixture.Setting{}).Content,
		fixture.SmallResults()} {
		tab, err := analysis.NewTable(r)
		require.NoError(t, err)
		tab.Notes = nil
		for line := range strings.Lines(plain(tab, maxWidth)) {
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), maxWidth, line)
		}
	}
	assert.Equal(t, []string{"operator:kernel", "?bandwidth=12.5", "&landmarks=300"},
		breakName("operator:kernel?bandwidth=12.5&landmarks=300", 18))
	assert.Equal(t, []string{"abcd", "ef"}, breakName("abcdef", 4))
}

// TestTableFitsTerminals: a narrow terminal gets fewer columns, those of middle steps first, and is
// told which; ranks, methods and means stay.
func TestTableFitsTerminals(t *testing.T) {
	r := fixture.MakeUp(t, fixture.SeedsSetting).Content
	before := math.MaxInt
	for _, width := range []int{maxWidth, 100, 80, 60, 40, 20} {
		tab, err := analysis.NewTable(r)
		require.NoError(t, err)
		all := tab.Columns
		leaveOut(tab, width)
		if width >= 40 {
			var b strings.Builder
			grid(tab, &b, width)
			grid(tab.Costs, &b, width)
			for line := range strings.Lines(b.String()) {
				assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), width, line)
			}
		}
		assert.LessOrEqual(t, len(tab.Columns), before, "no more columns where there is less room")
		before = len(tab.Columns)
		for _, c := range all {
			if c.Excess > 0 && !slices.Contains(tab.Columns, c) {
				says := `(?m)^left out  .*` + c.Name + `.*; see report.html, or use a wider terminal$`
				assert.Regexp(t, says, plain(tab, width))
			}
		}
		assert.Subset(t, tab.Columns, []analysis.Column{{Name: "rank"}, {Name: "method"}, {Name: "mean"}})
		for _, s := range tab.Sections {
			for _, row := range s.Rows {
				assert.Len(t, row.Cells, len(tab.Columns))
			}
		}
	}
	assert.Equal(t, 3, before)
	var whole, wide strings.Builder
	require.NoError(t, WriteTable(&whole, r))
	require.NoError(t, WriteTableWithin(&wide, r, 200))
	assert.Equal(t, whole.String(), wide.String())
}

func TestNoRuns(t *testing.T) {
	for _, r := range []*results.Results{nil, {}, {Runs: []results.Run{}}} {
		for _, write := range writers {
			var b bytes.Buffer
			assert.ErrorIs(t, write(&b, r), core.ErrUnavailable)
			assert.Empty(t, b.String())
		}
	}
}

func TestMarkdownKeepsItsColumns(t *testing.T) {
	r := fixture.SmallResults()
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

// FuzzTable feeds any results.json to the writers of tables.
func FuzzTable(f *testing.F) {
	// Small seeds: `go test -fuzz` shrinks what it finds, which takes long for long texts.
	f.Add([]byte(`{"protocol":"p","task":{"name":"t","steps":2,"measure":{"name":"e","lower_is_better":true}},` +
		`"oracle":{"warnings":["weak"]},"runs":[{"method":"a","evaluations":[{"protocol":"p","status":"ok","score":[1,` +
		`-50]},{"protocol":"powers","status":"skipped"}]},{"method":"a","seed":1,"status":"failed","reason":"b"}]}`))
	f.Add([]byte(`{"task":{"steps":-3,"states":-1},"runs":[{},{"evaluations":[{"status":"ok","score":[2,-1e308,` +
		`1e308]}]},{"method":"a","exposed":"other"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var r results.Results
		if json.Unmarshal(text, &r) != nil {
			return
		}
		r.RankBy(r.Protocol)
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
