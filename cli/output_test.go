package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOutputFails: that the result of a command cannot be written, on a full disk for instance, is
// an error of each, and keeps nothing else from being made.
func TestOutputFails(t *testing.T) {
	data, out, joined := dataFolder(t), filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "joined")
	drawn := 0
	config := newFakes().config()
	config.draw = func(string) error { drawn++; return nil }
	t.Chdir(t.TempDir())
	run := tiny(data, out, "--methods", "template", "-q")
	for _, args := range [][]string{
		run, {"merge", "--out", joined, "-q", out}, {"report", out}, {"compare", out, out},
		{"verify", out, "--data", data, "-q"}, {"verify", out, "--data", data}, {"list"}, {"info", "template"},
		{"version"}, {"licences"}, {"completion", "bash"}, {"help"}, {"help", "run"}, {"--help"},
		{"run", "--help"}, {"--version"},
		{"plugin"}, {"plugin", "check", "none"}, {"plugin", "check", "none", "--json"}, {"serve", out},
	} {
		var stderr strings.Builder
		status := Main(t.Context(), args, nil, failingWriter{}, &stderr, config)
		if args[0] == "verify" && args[len(args)-1] == "-q" {
			assert.Zero(t, status, "it has nothing to say")
			continue
		}
		assert.Equal(t, exitFailure, status, "%v", args)
		const says = "cannot write the result to standard output: no space left\n"
		assert.Contains(t, stderr.String(), says, "%v", args)
	}
	require.Len(t, resultsIn(t, out).Runs, 1)
	require.Len(t, resultsIn(t, joined).Runs, 1)
	assert.Equal(t, 3, drawn, "by run, merge and report")
}
