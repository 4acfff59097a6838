package page

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

var (
	screenshots = flag.String("screenshots", "", "folder for screenshots of the page")
	resultsDir  = flag.String("results", "",
		"folder of results to take screenshots of; without it they are of results that are made up")
)

// browser is a tab of a headless browser, and what went wrong in it.
type browser struct {
	context.Context
	t *testing.T

	mu       sync.Mutex
	troubles []string
	requests []string
}

// openBrowser skips the test where there is no Chromium, unless the environment's REQUIRE_BROWSER is 1.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes seconds to start; run without -short")
	}
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		require.NotEqual(t, "1", os.Getenv("REQUIRE_BROWSER"),
			"REQUIRE_BROWSER is 1, and there is no Chromium or Chrome on the path; install it: apt-get install chromium")
		t.Skip("no Chromium or Chrome is on the path to open the page in")
	}
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options, chromedp.ExecPath(program), chromedp.WSURLReadTimeout(time.Minute))
	for _, flag := range []string{"disable-gpu", "disable-quic",
		"disable-component-update"} { // a browser that talks to nobody
		options = append(options, chromedp.Flag(flag, true))
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it refuses to run as root with it
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t: t}
	require.NoError(t, chromedp.Do(ctx)) // starts it
	b.Context, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.troubles = append(b.troubles, e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			if e.Type == "error" || e.Type == "warning" {
				b.troubles = append(b.troubles, fmt.Sprint(e.Args))
			}
		case *cdplog.EventEntryAdded:
			b.troubles = append(b.troubles, string(e.Entry.Level)+": "+e.Entry.Text)
		case *network.EventRequestWillBeSent:
			b.requests = append(b.requests, e.Request.URL)
		}
	}))
	command(b, network.Enable, network.EnableParams{})
	command(b, cdplog.Enable, cdp.Empty{})
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b, steps...))
}

func command[P, R any](b *browser, c cdp.Command[P, R], params P) {
	b.t.Helper()
	_, err := chromedp.Call(b, c, params)
	require.NoError(b.t, err)
}

// run is a subtest on the page as it stands.
func (b *browser) run(name string, test func(t *testing.T)) {
	outer := b.t
	defer func() { b.t = outer }()
	outer.Run(name, func(t *testing.T) {
		b.t = t
		test(t)
	})
}

func (b *browser) click(selector chromedp.CSS) {
	b.t.Helper()
	// A click goes to a place, so that the page must have come to rest there.
	js[bool](b, "(document.querySelector("+quote(string(selector))+
		`).scrollIntoView({ block: "center", behavior: "instant" }),
		new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))`)
	b.do(chromedp.Click(selector))
}

// js evaluates an expression in the page.
func js[T any](b *browser, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err)
	return v
}

func (b *browser) open(path string, width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height), chromedp.Navigate("file://"+path),
		chromedp.WaitReady(chromedp.CSS("footer")))
}

func (b *browser) noTroubles() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.Empty(b.t, b.troubles)
}

func (b *browser) colours(scheme string) {
	b.t.Helper()
	command(b, emulation.SetEmulatedMedia,
		emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// trickyResults are several methods and seeds, with failures and names that try to get out.
func trickyResults(t testing.TB) *fixture.Made {
	m := fixture.MakeUp(t, fixture.Setting{Test: 60, Seeds: []int64{0, 1, 2}, Methods: []fixture.MadeUp{
		{Label: "linear", Half: 5, First: 0.85, Rank: 5, Noise: 0.6, Failed: []int64{1}},
		{Label: "classifier", Half: 6, First: 0.95, Rank: 5, Noise: 0.25, Exposed: core.OracleExposed},
		{Label: trickyName, First: 0.98, Rank: 5, Losses: true, Noise: 0.05},
		{Label: "autoencoder", Half: 2, First: 0.9, Rank: 4, Losses: true, Noise: 0.2, Untaught: []int64{0, 2}},
		{Label: "kernel", Failed: []int64{0, 1, 2}},
		{Label: "mean", First: 0.2},
	}})
	for i := range m.Content.Runs { // a key is the name of a file
		run := &m.Content.Runs[i]
		if run.Method == trickyName {
			key := fmt.Sprintf("tricky-%d", run.Seed)
			m.Arrays[key] = m.Arrays[run.Key]
			delete(m.Arrays, run.Key)
			run.Key = key
		}
	}
	m.Content.Environment = results.Environment{
		Version: "v1.2.3", Command: []string{"bench", "run", "--methods", "vamp?epochs=20&lr=1e-3", "--out", "it's here"},
		Go: "go1.26", OS: "linux/amd64", CPU: "a processor", Cores: 2, MemoryBytes: 8 << 30, Backend: "cpu",
	}
	return m
}

const trickyName = `</script><script>window.escaped=1</script><img src=x onerror="window.escaped=2">'"&`

func pageFile(t testing.TB, s analysis.Source) string {
	text := pageOf(t, s)
	path := filepath.Join(t.TempDir(), analysis.PageFile)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func TestPageInBrowser(t *testing.T) {
	b := openBrowser(t)
	path := pageFile(t, trickyResults(t))
	b.open(path, 1280, 900)

	b.run("nothing gets out or in", func(t *testing.T) {
		assert.True(t,
			js[bool](b,
				`window.escaped === undefined && document.scripts.length === 2 && !document.querySelector("img[onerror]")`))
		assert.True(t, js[bool](b, `JSON.parse(document.querySelector("#data").textContent).names[0] === `+quote(trickyName)))
		// The policy stops what a script would fetch or run. Its complaint on the console is the one expected.
		assert.Equal(t, "blocked", js[string](b, `fetch("http://127.0.0.1:9/").then(() => "fetched", (e) => "blocked")`+""))
		for _, url := range b.requests {
			assert.True(t, strings.HasPrefix(url, "file://"+path) || strings.HasPrefix(url, "data:") ||
				url == "http://127.0.0.1:9/", "requested %s", url)
		}
	})
	b.mu.Lock()
	for _, trouble := range b.troubles {
		assert.Contains(t, trouble, "127.0.0.1:9", "only the forbidden request is complained about")
	}
	b.troubles = nil
	b.mu.Unlock()

	b.run("legend", func(t *testing.T) {
		shown := `getComputedStyle(document.querySelector('.wide g[data-series="1"]')).display`
		assert.Equal(t, "inline", js[string](b, shown))
		b.click(`input[data-series="1"]`)
		assert.Equal(t, "none", js[string](b, shown))
		b.do(chromedp.Focus(chromedp.CSS(`input[data-series="1"]`)), chromedp.KeyEvent(" "))
		assert.Equal(t, "inline", js[string](b, shown), "by keyboard")
		visible := `new Set([...document.querySelectorAll(".wide g.series")].filter((g) => ` +
			`getComputedStyle(g).display !== "none").map((g) => g.dataset.series)).size`
		before := js[int](b, visible)
		assert.Equal(t, 8, before, "five methods, the oracle, persistence and chance")
		b.click(`button[data-show="none"]`)
		assert.Zero(t, js[int](b, visible))
		b.click(`button[data-show="all"]`)
		assert.Equal(t, before, js[int](b, visible))
	})
	b.run("readout", func(t *testing.T) {
		b.do(chromedp.ScrollIntoView(chromedp.CSS(".chart .wide")))
		js[int](b, `(() => { const s = document.querySelector(".chart .wide"), r = s.getBoundingClientRect();
			s.dispatchEvent(new PointerEvent("pointermove", { clientX: r.left +
				Number(s.dataset.left) * r.width / s.viewBox.baseVal.width, clientY: r.top + 50 })); return 0 })()`)
		assert.Equal(t, "t = 1", js[string](b, `document.querySelector("#legend-step").textContent`))
		assert.Equal(t, js[string](b, `JSON.parse(document.querySelector("#data").textContent).scores[1][0]`),
			js[string](b, `document.querySelector('.value[data-value="1"]').textContent`))
		js[bool](b, `document.querySelector(".chart .wide").dispatchEvent(new PointerEvent("pointerleave"))`)
		rest := js[string](b, `document.querySelector("#legend-step").textContent`)
		assert.Equal(t, "t = 14", rest, "the last column of the table")
	})
	b.run("slider", func(t *testing.T) {
		b.do(chromedp.Focus(chromedp.CSS("#image")), chromedp.KeyEvent(kb.ArrowRight+kb.ArrowRight))
		assert.Equal(t, "3", js[string](b, `document.querySelector("#image").value`))
		assert.Equal(t, "Image 3 of 10, glyph 2; seed 0", js[string](b, `document.querySelector("#image-text").textContent`))
		assert.Equal(t, "-56", js[string](b, `document.querySelector(".rollout tbody tr .cell use").getAttribute("y")`))
		assert.Equal(t, "3", js[string](b, `document.querySelector('.truth [data-column="0"]').textContent`))
		// What a cell says is what the results hold.
		m := trickyResults(t)
		labels := labelsOf(t, m, "mean-0")
		for column := range labels {
			want := fmt.Sprint(labels[column][2])
			assert.Contains(t,
				js[string](b, fmt.Sprintf(`document.querySelectorAll('.rollout tr[data-method="5"] .seen')[%d].textContent`,
					column)), want)
		}
	})
	b.run("seed", func(t *testing.T) {
		href := `document.querySelector("#sprite-5").getAttribute("href")`
		before := js[string](b, href)
		b.do(chromedp.SetValue(chromedp.CSS("#seed"), "1"))
		js[bool](b, `document.querySelector("#seed").dispatchEvent(new Event("change"))`)
		assert.NotEqual(t, before, js[string](b, href))
		assert.Equal(t, "seed 1: failed", js[string](b,
			`document.querySelector('.rollout tr[data-method="4"] .which').textContent`))
		assert.Equal(t, "hidden", js[string](b,
			`getComputedStyle(document.querySelector('.rollout tr[data-method="4"] .cell')).visibility`))
		b.do(chromedp.SetValue(chromedp.CSS("#seed"), "0"))
		js[bool](b, `document.querySelector("#seed").dispatchEvent(new Event("change"))`)
		assert.Equal(t, before, js[string](b, href))
	})
	b.run("sorting", func(t *testing.T) {
		names := `[...document.querySelectorAll(".ranking tbody:first-of-type th .name > span")].map((x) => x.textContent)`
		before := js[[]string](b, names)
		require.Len(t, before, 5)
		b.click(".ranking thead th:nth-child(2) button")
		assert.Equal(t, []string{trickyName, "autoencoder", "kernel", "linear", "mean"}, js[[]string](b, names))
		assert.Equal(t, "ascending", js[string](b,
			`document.querySelector(".ranking thead th:nth-child(2)").getAttribute("aria-sort")`))
		b.click(".ranking thead th:nth-child(4) button")
		byScore := js[[]string](b, names)
		assert.Equal(t, "kernel", byScore[4], "what was never evaluated is last")
		assert.Equal(t, trickyName, byScore[0])
		b.click(".ranking thead th:nth-child(4) button")
		assert.Equal(t, "kernel", js[[]string](b, names)[4], "and so it is the other way round")
		b.click(".ranking thead th:nth-child(1) button")
		if js[string](b, `document.querySelector(".ranking thead th").getAttribute("aria-sort")`) != "ascending" {
			b.click(".ranking thead th:nth-child(1) button")
		}
		assert.Equal(t, before, js[[]string](b, names))
	})
	b.run("themes", func(t *testing.T) {
		paper := `getComputedStyle(document.body).backgroundColor`
		for _, scheme := range []string{"light", "dark"} {
			b.colours(scheme)
			assert.Empty(t, js[[]string](b, weakContrast), scheme)
		}
		assert.Equal(t, "rgb(20, 23, 26)", js[string](b, paper))
		b.do(chromedp.Focus(chromedp.CSS("input[name=theme]")))
		js[int](b, `(() => { document.querySelector('input[value="light"]').click(); return 0 })()`)
		assert.Equal(t, "rgb(255, 255, 255)", js[string](b, paper), "the reader's choice goes before the system's")
		js[int](b, `(() => { document.querySelector('input[value="auto"]').click(); return 0 })()`)
		b.colours("light")
	})
	b.run("structure", func(t *testing.T) {
		assert.Empty(t, js[[]string](b, accessibility))
	})
	b.run("less motion", func(t *testing.T) {
		command(b, emulation.SetEmulatedMedia,
			emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion",
				Value: "reduce"}}})
		assert.Equal(t, "auto none", js[string](b,
			`getComputedStyle(document.documentElement).scrollBehavior + " " + `+
				`getComputedStyle(document.querySelector(".series")).transitionProperty`))
	})
	b.run("narrow", func(t *testing.T) {
		for _, width := range []int64{1280, 768, 360} {
			b.open(path, width, 740)
			assert.Equal(t, int(width), js[int](b, `document.documentElement.scrollWidth`),
				"at a width of %d the page does not scroll sideways", width)
		}
		assert.Equal(t, "none block", js[string](b,
			`[".wide", ".narrow"].map((c) => getComputedStyle(document.querySelector(".chart " + c)).display).join(" ")`))
	})
	b.run("print", func(t *testing.T) {
		b.colours("dark")
		b.open(path, 1280, 900)
		pdf, err := chromedp.Run(b, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground()))
		require.NoError(t, err)
		assert.True(t, bytes.HasPrefix(pdf, []byte("%PDF-")))
		pages := bytes.Count(pdf, []byte("/Type /Page\n")) + bytes.Count(pdf, []byte("/Type /Page/")) +
			bytes.Count(pdf, []byte("/Type /Page "))
		assert.Greater(t, pages, 1)
		command(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		assert.Zero(t,
			js[int](b,
				`[...document.querySelectorAll(".needs-script, nav, details")].filter((e) => e.getClientRects().length).length`),
			"no control on paper")
		assert.Equal(t, "rgb(255, 255, 255) none",
			js[string](b,
				`getComputedStyle(document.body).backgroundColor + " " + getComputedStyle(document.querySelector("nav")).display`))
		command(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
	})
	b.run("without script", func(t *testing.T) {
		command(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		b.open(path, 1280, 900)
		command(b, emulation.SetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: false}) // of this document it stays disabled
		assert.False(t, js[bool](b, `document.documentElement.classList.contains("scripted")`))
		assert.Zero(t,
			js[int](b, `[...document.querySelectorAll(".needs-script")].filter((e) => e.getClientRects().length).length`),
			"no control that would do nothing")
		assert.Equal(t, 9, js[int](b, `document.querySelectorAll(".ranking tbody th[scope=row]").length`),
			"six methods and three baselines")
		assert.Positive(t, js[float64](b, `document.querySelector(".rollout .cell svg").getBoundingClientRect().height`))
		assert.Positive(t, js[float64](b, `document.querySelector(".chart .wide").getBoundingClientRect().height`))
	})
	b.noTroubles()
}

// TestLivePage: a page that is served takes in what is new, and keeps what the reader has chosen,
// opened and scrolled to.
// A long word, the name of a file for instance, makes no page wider.
func TestLongSourceInBrowser(t *testing.T) {
	b := openBrowser(t)
	s := unjudged(t)
	s.Content.Task.Source = strings.Repeat("x", 300)
	path := pageFile(t, s)
	for _, width := range []int64{1280, 360} {
		b.open(path, width, 740)
		assert.Equal(t, int(width), js[int](b, `document.documentElement.scrollWidth`))
	}
	b.noTroubles()
}

// The row of the truth moves with the others.
func TestTrueImagesInBrowser(t *testing.T) {
	b := openBrowser(t)
	b.open(pageFile(t, unjudged(t)), 1280, 900)
	b.do(chromedp.Focus(chromedp.CSS("#image")), chromedp.KeyEvent(kb.ArrowRight+kb.ArrowRight))
	rows := `[...document.querySelectorAll(".rollout tbody tr")].map((row) => [...row.querySelectorAll("use")]` +
		`.map((u) => u.getAttribute("y")).join())`
	assert.Equal(t, []string{"-56,-56,-56", "-56,-56,-56", "-56,-56,-56"}, js[[]string](b, rows))
	assert.Equal(t, "visible",
		js[string](b, `getComputedStyle(document.querySelector(".rollout tbody .cell")).visibility`))
	b.noTroubles()
}

// A page of errors, without states and labels, answers as others do.
func TestPageOfErrorsInBrowser(t *testing.T) {
	b := openBrowser(t)
	b.open(pageFile(t, fixture.Scored(t, fixture.Setting{Both: true, Test: 20, Steps: 4, Shape: []int{3},
		Seeds: []int64{0, 1}, Methods: []fixture.MadeUp{{Label: "poor", First: 0.2, Rank: 2}, {Label: "good", First: 0.9},
			{Label: "alone", First: 0.5, Plugin: true}}})), 1280, 900)
	b.do(chromedp.Focus(chromedp.CSS("#image")), chromedp.KeyEvent(kb.ArrowRight+kb.ArrowRight))
	assert.Equal(t, "Snapshot 3 of 10; seed 0", js[string](b, `document.querySelector("#image-text").textContent`))
	assert.Equal(t, "-80", js[string](b, `document.querySelector(".rollout tbody tr .cell use").getAttribute("y")`))
	assert.Empty(t, js[string](b, `[...document.querySelectorAll(".seen, .truth")].map((x) => x.textContent).join("")`))
	names := `[...document.querySelectorAll(".ranking tbody:first-of-type th .name > span")].map((x) => x.textContent)`
	assert.Equal(t, []string{"good", "alone", "poor"}, js[[]string](b, names))
	for _, first := range []string{"good", "poor"} { // the first click on the mean has the lowest first
		b.click(".ranking thead th:nth-child(4) button")
		assert.Equal(t, first, js[[]string](b, names)[0])
	}
	b.noTroubles()
}

func TestLivePage(t *testing.T) {
	b := openBrowser(t)
	s := trickyResults(t)
	m, err := analysis.Gather(s)
	require.NoError(t, err)
	var version atomic.Int32
	live := func() *Live {
		return &Live{Version: fmt.Sprint(version.Load()), Text: fmt.Sprintf("state %d", version.Load())}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/progress":
			_ = json.NewEncoder(w).Encode(live())
		case version.Load() == 0:
			_ = Write(w, nil, &results.Results{Task: s.Content.Task}, live())
		default:
			_ = write(w, m, s, live())
		}
	}))
	t.Cleanup(server.Close)
	b.do(chromedp.Navigate(server.URL), chromedp.WaitReady(chromedp.CSS("footer")))
	assert.Contains(t, js[string](b, `document.querySelector("main").textContent`), "as they finish")
	version.Add(1)
	b.do(chromedp.WaitReady(chromedp.CSS(".rollout")))
	assert.Equal(t, "ordered-glyphs – koopbench", js[string](b, `document.title`))
	assert.Equal(t, 1, js[int](b, `document.querySelectorAll("nav").length`))
	b.click(`input[data-series="1"]`)
	b.click(".costs thead th:nth-child(1) button")
	js[int](b, `(() => {
		const s = document.querySelector("#image"); s.value = 3; s.dispatchEvent(new Event("input"));
		document.querySelector("details:has(.numbers)").open = true;
		document.querySelector("#training").scrollIntoView({ behavior: "instant" });
		document.querySelector("#seed").focus({ preventScroll: true });
		document.querySelector(".ranking").closest(".scroll").scrollLeft = 5;
		window.same = true;
		return 0;
	})()`)
	top := `Math.round(document.querySelector("#training").getBoundingClientRect().top)`
	was := js[int](b, top)
	js[bool](b, `dispatchEvent(new PointerEvent("pointerdown"))`)
	version.Add(1)
	time.Sleep(3 * time.Second)
	assert.Equal(t, "1", js[string](b, `document.body.dataset.version`), "nothing changes under a pointer that is down")
	js[bool](b, `dispatchEvent(new PointerEvent("pointerup"))`)
	b.do(chromedp.WaitReady(chromedp.CSS(`body[data-version="2"] #image-text`)))
	assert.Eventually(t, func() bool {
		return js[string](b,
			`document.querySelector("#live").textContent`) == "state 2"
	}, 5*time.Second, 50*time.Millisecond)
	assert.True(t, js[bool](b, `window.same`), "it is not loaded anew")
	assert.False(t, js[bool](b, `document.querySelector('input[data-series="1"]').checked`))
	assert.Equal(t, "none", js[string](b, `getComputedStyle(document.querySelector('.wide g[data-series="1"]')).display`))
	assert.Equal(t, "ascending", js[string](b, `document.querySelector(".costs thead th").getAttribute("aria-sort")`))
	assert.Equal(t, "3", js[string](b, `document.querySelector("#image").value`))
	assert.True(t, js[bool](b, `document.querySelector("details:has(.numbers)").open`))
	assert.Equal(t, "seed", js[string](b, `document.activeElement.id`))
	assert.InDelta(t, was, js[int](b, top), 1, "the page has not moved")
	b.click(`input[data-series="1"]`)
	assert.Equal(t, "inline",
		js[string](b, `getComputedStyle(document.querySelector('.wide g[data-series="1"]')).display`), "what is new answers")
	b.noTroubles()
}

// TestScreenshots is for looking at the page, of results or, without them, of what is made up:
//
//	go test ./benchmark/report/page -run Screenshots -results results -screenshots /tmp
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("it takes screenshots for whoever asks with -screenshots, and -results or not")
	}
	require.NoError(t, os.MkdirAll(*screenshots, 0o755))
	b := openBrowser(t)
	shoot := func(path, name string, width int64, scale float64) {
		b.do(chromedp.EmulateViewport(width, 900, chromedp.EmulateScale(scale)), chromedp.Navigate("file://"+path),
			chromedp.WaitReady(chromedp.CSS("footer")))
		all, err := chromedp.Run(b, chromedp.FullScreenshot(100))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(*screenshots, name+".png"), all, 0o644))
	}
	if *resultsDir == "" {
		for name, setting := range fixture.Situations() {
			shoot(pageFile(t, fixture.MakeUp(t, setting)), name, 1280, 1)
		}
		shoot(pageFile(t, trickyResults(t)), "tricky", 1280, 1)
		return
	}
	var page bytes.Buffer
	require.NoError(t, Write(&page, results.OpenStore(*resultsDir), nil, nil))
	path := filepath.Join(t.TempDir(), analysis.PageFile)
	require.NoError(t, os.WriteFile(path, page.Bytes(), 0o644))
	for _, scheme := range []string{"light", "dark"} {
		b.colours(scheme)
		shoot(path, scheme, 1280, 1)
		shoot(path, scheme+"-narrow", 360, 2)
	}
	pdf, err := chromedp.Run(b, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground()))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(*screenshots, "print.pdf"), pdf, 0o644))
}

func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

// weakContrast lists the texts whose contrast is below 4.5, or 3 for large ones: WCAG 2.2, success criterion 1.4.3.
const weakContrast = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const rgb = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1,
		1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const light = ([r, g, b]) => { const f = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v +
		0.055) / 1.055) ** 2.4; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
	const weak = new Set();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const node = walker.currentNode, element = node.parentElement;
		if (!node.data.trim() || !element.getClientRects().length || element.closest("script, .unseen, .skip")) continue;
		const style = getComputedStyle(element);
		let behind = element;
		while (behind && rgb(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
		const text = light(rgb(element instanceof SVGElement ? style.fill : style.color));
		const paper = light(rgb(getComputedStyle(behind ?? document.body).backgroundColor));
		const contrast = (Math.max(text, paper) + 0.05) / (Math.min(text, paper) + 0.05);
		if (contrast < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) weak.add(element.tagName + "." +
			element.getAttribute("class") + " " + contrast.toFixed(2));
	}
	return [...weak];
})()`

// accessibility lists what a reader without a mouse or without sight would miss.
const accessibility = `(() => {
	const wrong = [], ids = new Set();
	const all = (s) => [...document.querySelectorAll(s)];
	const named = (e) => e.getAttribute("aria-label") || (e.getAttribute("aria-labelledby") &&
		document.getElementById(e.getAttribute("aria-labelledby"))) || e.textContent.trim();
	for (const e of all("[id]")) { if (ids.has(e.id)) wrong.push("id twice: " + e.id); ids.add(e.id); }
	for (const e of all("[aria-labelledby], [aria-describedby]")) {
		const named = e.getAttribute("aria-labelledby") ?? e.getAttribute("aria-describedby");
		for (const id of named.split(" ")) if (!ids.has(id)) wrong.push("no such id: " + id);
	}
	for (const e of all("img")) if (!e.alt) wrong.push("image without text");
	for (const e of all("svg")) if (!(e.getAttribute("role") === "img" && e.getAttribute("aria-label")) &&
		e.getAttribute("aria-hidden") !== "true") wrong.push("drawing without text");
	for (const e of all("input, select")) if (!e.labels.length ||
		!e.closest("label").textContent.trim()) wrong.push("control without label: " + e.outerHTML);
	for (const e of all("button, a, summary, [role=region], section, nav")) if (!named(e)) wrong.push("without name: " +
		e.outerHTML.slice(0, 80));
	for (const e of all("table")) if (!e.caption?.textContent.trim()) wrong.push("table without caption");
	for (const e of all("th")) if (!e.scope) wrong.push("header without scope: " + e.outerHTML.slice(0, 80));
	for (const s of ["main", "header", "nav", "footer", "h1"]) if (all(s).length !== 1) wrong.push(s + " is there " +
		all(s).length + " times");
	let level = 0;
	for (const h of all("h1, h2, h3, h4")) { const n = Number(h.tagName[1]); if (n > level +
		1) wrong.push("heading skips a level: " + h.textContent); level = n; }
	const slider = document.querySelector("#image-text");
	if (slider?.getAttribute("aria-live") !== "polite") wrong.push("the slider says nothing");
	for (const e of all("button, a, input, select, summary, [tabindex='0']")) {
		if (!e.checkVisibility()) continue;
		e.focus({ preventScroll: true, focusVisible: true });
		if (document.activeElement !== e) { wrong.push("no focus: " + e.outerHTML.slice(0, 80)); continue; }
		const shown = e.name === "theme" ? e.nextElementSibling : e;
		if (getComputedStyle(shown).outlineStyle === "none") wrong.push("focus cannot be seen: " + e.outerHTML.slice(0, 80));
	}
	return wrong;
})()`
