package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
)

// manyRuns is a folder of runs of so many methods with the benchmark's sizes. Of each method the arrays of all seeds are
// those of the first, which is what takes long to make up; every tenth run has a warning of its own.
func manyRuns(t testing.TB, methods, seeds int) string {
	var made []madeUp
	for i := range methods {
		made = append(made, madeUp{label: fmt.Sprintf("method-%d", i), first: 0.9, half: float64(i % 11), rank: 5, losses: true, noise: 0.2})
	}
	m := makeUp(t, setting{test: 1000, methods: made})
	dir := t.TempDir()
	m.writeTo(t, dir)
	first := m.results.Runs
	m.results.Runs = nil
	for seed := range seeds {
		for i, run := range first {
			from := run.Key
			run.Seed, run.Key = int64(seed), fmt.Sprintf("%s-s%d", run.Method, seed)
			if (seed+i)%10 == 0 {
				run.Warnings = []string{fmt.Sprintf("1 of 5 directions was dropped: σ² is %de-07", 1+seed)}
			}
			m.results.Runs = append(m.results.Runs, run)
			require.NoError(t, os.Link(filepath.Join(dir, "runs", from+".npz"), filepath.Join(dir, "runs", run.Key+".npz")))
		}
	}
	require.NoError(t, benchmark.OpenStore(dir).WriteResults(m.results))
	return dir
}

// The limits for a thousand runs. Those of time are held patience times as long; the benchmarks below say how long it takes.
const (
	mostPageBytes  = 20 << 20
	longestWriting = 10 * time.Second
	longestOpening = 5 * time.Second
	longestAnswer  = 200 * time.Millisecond
)

// TestPageOfThousandRuns: the page of twenty methods at fifty seeds is made in time, is not too large, opens, and answers at once.
func TestPageOfThousandRuns(t *testing.T) {
	b := openBrowser(t)
	dir := manyRuns(t, 20, 50)
	start := time.Now()
	var page bytes.Buffer
	require.NoError(t, WritePage(&page, benchmark.OpenStore(dir), nil, nil))
	took := time.Since(start)
	t.Logf("written in %v; %.1f MB", took.Round(time.Millisecond), float64(page.Len())/1e6)
	assert.Less(t, page.Len(), mostPageBytes)
	assert.Less(t, took, patience*longestWriting)

	path := filepath.Join(t.TempDir(), Page)
	require.NoError(t, os.WriteFile(path, page.Bytes(), 0o644))
	b.open(path, 1280, 900)
	// A click on the last legend entry is answered: the script has run and the first picture is there.
	ready := time.Duration(js[float64](b, painted(`document.querySelector("#image")`)+`.then(() => performance.now())`) * float64(time.Millisecond))
	t.Logf("opened in %v", ready.Round(time.Millisecond))
	assert.Less(t, ready, patience*longestOpening)
	for name, action := range map[string]string{
		"hide a curve": `document.querySelector("input[data-series]").click()`,
		"show none":    `document.querySelector("button[data-show=none]").click()`,
		"show all":     `document.querySelector("button[data-show=all]").click()`,
		"next image":   `(() => { const s = document.querySelector("#image"); s.value = Number(s.value) + 1; s.dispatchEvent(new Event("input")); })()`,
		"next seed":    `(() => { const s = document.querySelector("#seed"); s.selectedIndex++; s.dispatchEvent(new Event("change")); })()`,
		"sort":         `document.querySelector(".ranking thead th:nth-child(2) button").click()`,
		"sort runs":    `document.querySelector(".runs thead th:nth-child(5) button").click()`,
		"dark":         `document.querySelector("input[value=dark]").click()`,
	} {
		js[bool](b, `(document.querySelector("#rollout").scrollIntoView({ behavior: "instant" }), true)`)
		answer := time.Duration(js[float64](b, `(() => { const begun = performance.now(); return `+painted(action)+`.then(() => performance.now() - begun); })()`) * float64(time.Millisecond))
		t.Logf("%s: %v", name, answer.Round(100*time.Microsecond))
		assert.Less(t, answer, patience*longestAnswer, name)
	}
	b.do(chromedp.WaitReady(chromedp.CSS("footer")))
	assert.Contains(t, js[string](b, `[...document.querySelectorAll("#rollout .note")].at(-1).textContent`), "of 1000 runs")
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
			dir := manyRuns(b, of[0], of[1])
			for b.Loop() {
				var page bytes.Buffer
				require.NoError(b, WritePage(&page, benchmark.OpenStore(dir), nil, nil))
				b.ReportMetric(float64(page.Len())/1e6, "MB")
			}
		})
	}
}

// BenchmarkReportOfThousandRuns is all of `bench report`: figures and page.
func BenchmarkReportOfThousandRuns(b *testing.B) {
	dir := manyRuns(b, 20, 50)
	for b.Loop() {
		require.NoError(b, Write(dir))
	}
}
