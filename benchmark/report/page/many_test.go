package page

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/results"
)

// The limits for a thousand runs are on work, which is the same on a busy machine: the bytes of the
// page, its elements, and how many of their changes answer an action. The benchmark below measures
// the time.
const (
	mostPageBytes = 20 << 20
	mostElements  = 30_000
	mostChanges   = 3_000
)

// TestPageOfThousandRuns: the page of twenty methods at fifty seeds is not too large, opens, and
// answers with little work.
func TestPageOfThousandRuns(t *testing.T) {
	b := openBrowser(t)
	dir := fixture.ManyRuns(t, 20, 50)
	var page bytes.Buffer
	require.NoError(t, Write(&page, results.OpenStore(dir), nil, nil))
	t.Logf("%.1f MB", float64(page.Len())/1e6)
	assert.Less(t, page.Len(), mostPageBytes)

	path := filepath.Join(t.TempDir(), analysis.PageFile)
	require.NoError(t, os.WriteFile(path, page.Bytes(), 0o644))
	b.open(path, 1280, 900)
	js[bool](b, painted(`document.querySelector("#image")`)+`.then(() => true)`)
	elements := js[float64](b, `document.querySelectorAll("*").length`)
	t.Logf("%.0f elements", elements)
	assert.Less(t, elements, float64(mostElements))
	for _, act := range [][2]string{
		{"hide a curve", `document.querySelector("input[data-series]").click()`},
		{"show none", `document.querySelector("button[data-show=none]").click()`},
		{"show all", `document.querySelector("button[data-show=all]").click()`},
		{"next image",
			`(() => { const s = document.querySelector("#image"); s.value = Number(s.value) + 1; ` +
				`s.dispatchEvent(new Event("input")); })()`},
		{"next seed",
			`(() => { const s = document.querySelector("#seed"); s.selectedIndex++; s.dispatchEvent(new Event("change")); })()`},
		{"sort", `document.querySelector(".ranking thead th:nth-child(2) button").click()`},
		{"sort runs", `document.querySelector(".runs thead th:nth-child(5) button").click()`},
		{"dark", `document.querySelector("input[value=dark]").click()`},
	} {
		name, action := act[0], act[1]
		js[bool](b, `(document.querySelector("#rollout").scrollIntoView({ behavior: "instant" }), true)`)
		changes := js[float64](b, `(() => {
			const changes = new MutationObserver(() => {});
			changes.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
			let n = 0;
			return `+painted(action+"; n += changes.takeRecords().length")+`.then(() => n + changes.takeRecords().length);
		})()`)
		t.Logf("%s: %.0f changes", name, changes)
		assert.Positive(t, changes, name)
		assert.Less(t, changes, float64(mostChanges), name)
	}
	b.do(chromedp.WaitReady(chromedp.CSS("footer")))
	assert.Contains(t, js[string](b, `[...document.querySelectorAll("#rollout .note")].at(-1).textContent`),
		"of 1000 runs")
	b.noTroubles()
}

// painted is a promise that is kept when what an expression changed has been painted.
func painted(expression string) string {
	return `new Promise((done) => { ` + expression + `; requestAnimationFrame(() => requestAnimationFrame(done)); })`
}

// BenchmarkPageOfThousandRuns reports the size of the page in MB besides the time.
func BenchmarkPageOfThousandRuns(b *testing.B) {
	for name, of := range map[string][2]int{"5x200": {5, 200}, "20x50": {20, 50}} {
		b.Run(name, func(b *testing.B) {
			dir := fixture.ManyRuns(b, of[0], of[1])
			for b.Loop() {
				var page bytes.Buffer
				require.NoError(b, Write(&page, results.OpenStore(dir), nil, nil))
				b.ReportMetric(float64(page.Len())/1e6, "MB")
			}
		})
	}
}
