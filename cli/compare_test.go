package cli

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/report/analysis"
)

// seconds are times of the fakes.
var seconds = regexp.MustCompile(`\b\d(\.\d+)?e-\d\d\b|\b0\.0\d+`)

func TestCompare(t *testing.T) {
	data, base := dataFolder(t), t.TempDir()
	a, b, c := filepath.Join(base, "A"), filepath.Join(base, "B"), filepath.Join(base, "C")
	run := func(out string, more ...string) {
		require.Zero(t, call(t.Context(), newFakes().config(), tiny(data, out, more...)...).status)
	}
	run(a, "--methods", "template,other", "--seeds", "0..2")
	run(b, "--methods", "template?order=down,other", "--seeds", "0..2")
	run(c, "--methods", "template", "--oracle-seed", "7")
	folders := map[string]string{"A": a, "B": b, "C": c}
	for _, format := range []string{"text", "csv", "markdown"} {
		got := call(t.Context(), newFakes().config(), "compare", a, b, "--format", format)
		got.stdout = seconds.ReplaceAllString(got.stdout, "0.00")
		checkGolden(t, "compare/"+format, got, folders)
	}
	got := call(t.Context(), newFakes().config(), "compare", a, b, "--format", "json")
	require.Zero(t, got.status, got.stderr)
	var read report.Comparison
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &read))
	assert.Equal(t, analysis.VerdictSame, read.Sides[0].Rows[0].Verdict)

	checkGolden(t, "compare/refused", call(t.Context(), newFakes().config(), "compare", a, b, c), folders)
}
