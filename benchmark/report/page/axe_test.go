package page

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPageWithAxe holds the page to all rules of axe-core, among them WCAG 2.2 A and AA, in both
// themes, the one wide and the other narrow. The environment's AXE_CORE names its axe.min.js, which
// .ci/browser fetches.
func TestPageWithAxe(t *testing.T) {
	name := os.Getenv("AXE_CORE")
	if name == "" {
		t.Skip("AXE_CORE does not name axe-core's axe.min.js; .ci/browser fetches it")
	}
	axe, err := os.ReadFile(name)
	require.NoError(t, err)
	b := openBrowser(t)
	path := pageFile(t, trickyResults(t))
	for scheme, width := range map[string]int64{"light": 1280, "dark": 360} {
		b.colours(scheme)
		b.open(path, width, 900)
		js[int](b, `document.querySelectorAll("details").forEach((d) => { d.open = true; }), 0`)
		js[int](b, string(axe)+"; 0")
		assert.Empty(t, js[[]string](b, broken), "%s, %d pixels wide", scheme, width)
		assert.Greater(t, js[int](b, `axe.getRules().length`), 50)
	}
	// It does find what is wrong.
	js[int](b,
		`document.querySelector("#image").labels[0].replaceWith(document.querySelector("#image")), `+
			`document.querySelector(".lead").setAttribute("role", "nothing"), 0`)
	found := strings.Join(js[[]string](b, broken), "\n")
	assert.Contains(t, found, "aria-roles: ")
	assert.Contains(t, found, "label: ")
}

// broken lists the rules that the page breaks.
const broken = `axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations.map((v) => v.id + ": " ` +
	`+ v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120) + " " + n.failureSummary).join(" | ")))`
