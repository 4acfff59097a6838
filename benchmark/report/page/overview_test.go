package page

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/results"
)

// trickyOverview is of two tasks, with names that try to get out.
func trickyOverview(t testing.TB) *analysis.Overview {
	first, second := trickyResults(t).Content, fixture.MakeUp(t, fixture.Setting{Seeds: []int64{0, 1, 2}}).Content
	second.Task.Measure.Unit = trickyName
	return &analysis.Overview{
		Tasks: []*analysis.TaskScores{
			scoresOf(t, "second", "second?steps=3", second), scoresOf(t, trickyName, "javascript:alert(1)//"+trickyName, first),
		},
		Missing: [][2]string{{trickyName, trickyName}},
	}
}

func scoresOf(t testing.TB, name, folder string, r *results.Results) *analysis.TaskScores {
	s, err := analysis.ScoresOf(name, folder, true, r)
	require.NoError(t, err)
	return s
}

func overviewFile(t testing.TB, o *analysis.Overview) string {
	html, err := Overview(o)
	require.NoError(t, err)
	again, err := Overview(o)
	require.NoError(t, err)
	require.Equal(t, html, again)
	path := filepath.Join(t.TempDir(), "tasks.html")
	require.NoError(t, os.WriteFile(path, html, 0o644))
	return path
}

// TestOverviewInBrowser: nothing gets out, links lead to the pages of the tasks, and all can read it.
func TestOverviewInBrowser(t *testing.T) {
	b := openBrowser(t)
	path := overviewFile(t, trickyOverview(t))
	b.open(path, 1280, 900)
	assert.True(t, js[bool](b,
		`window.escaped === undefined && document.scripts.length === 2 && !document.querySelector("img")`))
	links := js[[]string](b, `[...document.querySelectorAll(".overview thead a")].map((a) => a.href)`)
	require.Len(t, links, 2)
	folder := "file://" + filepath.Dir(path) + "/"
	assert.Equal(t, folder+"second%3Fsteps=3/report.html", links[0])
	assert.True(t, strings.HasPrefix(links[1], folder+"javascript:alert%281%29%2F%2F%3C%2Fscript%3E"), links[1])
	assert.Equal(t, "–", js[string](b,
		`document.querySelector("abbr[title='this method has no run on this task']").textContent`))
	assert.True(t, js[bool](b, `[...document.querySelectorAll("td abbr")].some((a) => a.textContent === "–" &&
		a.title.startsWith("failed: fit: "))`))
	for _, scheme := range []string{"light", "dark"} {
		b.colours(scheme)
		assert.Empty(t, js[[]string](b, weakContrast), scheme)
	}
	js[int](b, `(() => { document.querySelector('input[value="light"]').click(); return 0 })()`)
	assert.Equal(t, "rgb(255, 255, 255)", js[string](b, `getComputedStyle(document.body).backgroundColor`))
	b.do(chromedp.KeyEvent(kb.Tab)) // from here on the browser shows where the focus is
	assert.Equal(t, []string{"the slider says nothing"}, js[[]string](b, accessibility), "it has no slider")
	for _, width := range []int64{1280, 768, 360} {
		b.open(path, width, 740)
		assert.Equal(t, int(width), js[int](b, `document.documentElement.scrollWidth`), "it does not scroll sideways")
	}
	b.noTroubles()

	b.open(overviewFile(t, &analysis.Overview{}), 1280, 900)
	assert.Equal(t, "No task has results yet.", js[string](b, `document.querySelector(".empty").textContent`))
	b.noTroubles()
}
