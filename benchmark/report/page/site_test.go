package page

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSiteWithAxe holds the main pages of the site in the environment's SITE to axe-core, as
// [TestPageWithAxe] does the report. The search finds pages from a folder, without a request to
// elsewhere. `.ci/site` builds the site.
func TestSiteWithAxe(t *testing.T) {
	site, name := os.Getenv("SITE"), os.Getenv("AXE_CORE")
	if site == "" || name == "" {
		t.Skip("SITE and AXE_CORE do not name the site and axe-core's axe.min.js; .ci/browser and .ci/site make them")
	}
	axe, err := os.ReadFile(name)
	require.NoError(t, err)
	b := openBrowser(t)
	for _, page := range []string{
		"index.html", "gallery.html", "methods.html", "tasks.html", "tasks/duffing.html", "plugins.html",
		"protocol.html", "design/index.html",
	} {
		for scheme, width := range map[string]int64{"default": 1280, "slate": 360} {
			b.open(filepath.Join(site, page), width, 900)
			js[int](b, `new Promise((done) => setTimeout(() => done(0), 300,
				document.body.dataset.mdColorScheme = `+quote(scheme)+`))`)
			js[int](b, string(axe)+"; 0")
			assert.Empty(t, js[[]string](b, broken), "%s, %s, %d pixels wide", page, scheme, width)
		}
	}
	b.open(filepath.Join(site, "index.html"), 1280, 900)
	b.click(".md-search__input")
	b.do(chromedp.KeyEvent("timescale"), chromedp.WaitVisible(chromedp.CSS(".md-search-result__item")))
	assert.Contains(t, js[string](b, `document.querySelector(".md-search-result__list").textContent`), "timescale")
	for _, url := range b.requests {
		assert.True(t, strings.HasPrefix(url, "file://") || strings.HasPrefix(url, "data:") ||
			strings.HasPrefix(url, "blob:") || url == "about:blank" || url == "about:srcdoc", "requested %s", url)
	}
}
