package report

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/report/tasklist"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// tasksFolder is one of two tasks that have results, one that failed, one that never began, and what is of others.
func tasksFolder(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "out")
	list, err := tasklist.Claim(dir, []string{"shares", "errors?steps=2", "closed", "unbegun"})
	require.NoError(t, err)
	require.NoError(t, list.Fail("closed", "the data are gone\nreally"))
	shares := fixture.MakeUp(t, fixture.Setting{Seeds: []int64{0, 1, 2}, Test: 60, Steps: 3, Methods: []fixture.MadeUp{
		{Label: "linear", Half: 1, First: 0.5, Failed: []int64{1}}, {Label: "vamp", First: 0.98},
		{Label: "classifier", First: 0.95, Exposed: core.OracleExposed}, {Label: "=kernel", Failed: []int64{0, 1, 2}},
	}}).Content
	errors := scored(t).Content
	for folder, r := range map[string]*results.Results{"shares": shares, "errors,steps=2": errors, "by hand": shares} {
		store := results.OpenStore(filepath.Join(dir, folder))
		require.NoError(t, store.Prepare())
		require.NoError(t, store.WriteResults(r))
	}
	for name, text := range map[string]string{"notes/a.txt": "mine", "torn/results.json": "{", "shares/report.html": "x"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	require.NoError(t, os.Symlink(t.TempDir(), filepath.Join(dir, "elsewhere")))
	return dir
}

func TestOverview(t *testing.T) {
	dir := tasksFolder(t)
	o, err := WriteOverview(dir)
	require.NoError(t, err)
	var names, missing []string
	for _, task := range o.Tasks {
		names = append(names, task.Name)
	}
	for _, m := range o.Missing {
		missing = append(missing, m[0]+": "+m[1])
	}
	assert.Equal(t, []string{"shares", "errors?steps=2", "by hand"}, names)
	require.Len(t, missing, 5, "%q", missing)
	assert.Equal(t, "closed: the data are gone", missing[0])
	for i, says := range []string{"unbegun: ", "elsewhere: ", "notes: ", "torn: "} {
		assert.Contains(t, missing[i+1], says)
	}
	assert.Contains(t, missing[2], "a link out of the folder")

	var table strings.Builder
	require.NoError(t, WriteOverviewTable(&table, o, 0))
	for _, says := range []string{
		"\nvamp          ", "0.9", "closed: the data are gone\n", "shares: linear: 2/3 seeds ok", "#1",
		"shares: accuracy, higher is better, 60 test snapshots, 3 steps", "error (m), lower is better",
		"shares: =kernel: failed: fit: non-finite value", "classifier †", "persistence", "protocol  reencode",
		"do not compare or average scores of different tasks",
	} {
		assert.Contains(t, table.String(), says)
	}
	for _, width := range []int{20, 60, 80, 120} {
		var narrow strings.Builder
		require.NoError(t, WriteOverviewTable(&narrow, o, width))
		for line := range strings.Lines(strings.Split(narrow.String(), "\nscore ")[0]) {
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), max(width, 60), line)
		}
	}
	file, err := os.Open(filepath.Join(dir, "tasks.csv"))
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	n := 0
	for _, row := range rows[1:] {
		assert.Len(t, row, len(rows[0]))
		if row[0] == "shares" && row[2] == "'=kernel" {
			n++
			assert.Equal(t, []string{"", "", ""}, row[11:14])
			assert.Contains(t, row[14], "failed: ")
		}
	}
	assert.Equal(t, 1, n)
	html, err := os.ReadFile(filepath.Join(dir, OverviewPage))
	require.NoError(t, err)
	assert.Contains(t, string(html), `<a href="./shares/report.html">shares</a>`)
	assert.NotContains(t, string(html), "errors,steps=2/report.html", "it has no page")

	again, err := WriteOverview(dir)
	require.NoError(t, err)
	assert.Equal(t, o.Table(), again.Table())
	text, err := os.ReadFile(filepath.Join(dir, OverviewPage))
	require.NoError(t, err)
	assert.Equal(t, html, text, "the same bytes")
}

// TestOverviewRanks: a method counts as among the first where no test puts another before it, and only where it is
// ranked; one seed ranks nothing.
func TestOverviewRanks(t *testing.T) {
	dir := tasksFolder(t)
	o, err := WriteOverview(dir)
	require.NoError(t, err)
	for _, r := range o.Sections()[0].Rows {
		first, ranked := 0, 0
		for _, s := range r.Scores {
			if s != nil && s.Places.Ranked() {
				ranked++
				if s.Places.Best == 1 {
					first++
				}
			}
		}
		assert.Equal(t, [2]int{first, ranked}, [2]int{r.First, r.Ranked}, r.Name)
	}
	assert.True(t, o.Ranks())
	o.Tasks = o.Tasks[:1]
	for i := range o.Tasks[0].Scores {
		o.Tasks[0].Scores[i].Places.Best = 0
		o.Tasks[0].Scores[i].Score = math.NaN()
	}
	var table strings.Builder
	require.NoError(t, WriteOverviewTable(&table, o, 0))
	assert.NotContains(t, table.String(), "first")
	assert.Contains(t, table.String(), "a ranking needs at least 3 seeds")
}

func TestOverviewOfNoList(t *testing.T) {
	dir := t.TempDir()
	_, err := WriteOverview(dir)
	require.ErrorIs(t, err, tasklist.ErrList)
	assert.NoFileExists(t, filepath.Join(dir, OverviewPage))
}
