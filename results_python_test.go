package koopbench

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pythonVariable names a Python that has the SDK and pandas.
const pythonVariable = "PYTHON_RESULTS"

// TestResultsInPython runs the Python of docs/results.md on the results of the command before it.
func TestResultsInPython(t *testing.T) {
	python := os.Getenv(pythonVariable)
	if python == "" {
		t.Skip("it needs a Python with the SDK and pandas, whose path is in " + pythonVariable + ": .ci/docs makes one")
	}
	text, err := os.ReadFile("docs/results.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```sh\nbench (run [^\n]*--save-predictions[^\n]*)\n```.*?```python\n(.*?)```")
	block := blocks.FindSubmatch(text)
	require.NotNil(t, block, "the page has no command that saves predictions before its Python")
	folder := t.TempDir()
	script := filepath.Join(folder, "results.py")
	require.NoError(t, os.WriteFile(script, block[2], 0o644))
	bench := filepath.Join(folder, "bench")
	for _, command := range []*exec.Cmd{
		exec.CommandContext(t.Context(), "go", "build", "-o", bench, "./cmd/bench"),
		exec.CommandContext(t.Context(), "sh", "-c", "exec "+bench+" "+string(block[1])+" --epochs 1"),
		exec.CommandContext(t.Context(), python, script),
	} {
		if command.Args[0] != "go" {
			command.Dir = folder
		}
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s\n%s", command, out)
		if command.Args[0] == python {
			assert.Contains(t, string(out), "reencode")
			assert.Contains(t, string(out), "linear")
		}
	}
}
