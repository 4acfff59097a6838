package koopbench

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/conformance/check"
)

// The pages for authors.
const (
	guide     = "docs/plugins.md"
	reference = "docs/plugin-reference.md"
	tasksPage = "docs/tasks.md"
)

// section is a part of a page.
type section struct{ page, heading string }

// tutorials are the sections whose files and commands make a row of the table together, in one empty folder. Every
// block of bash in the pages is in one of them.
var tutorials = map[string][]section{
	"Go": {{guide, "Before you begin"}, {guide, "A method in Go"}, {reference, "Finding and trusting plugins"}},

	"Python":      {{guide, "Before you begin"}, {guide, "A method in Python"}},
	"Python task": {{guide, "Before you begin"}, {tasksPage, "A task in Python"}},
}

// TestGuideInGo does what the guide tells an author in Go, to the letter.
func TestGuideInGo(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the benchmark and a plugin")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skipf("it needs the go tool: %v", err)
	}
	folder := follow(t, "Go", "GOFLAGS=")
	assert.Equal(t, map[string]string{"fourier": "ok", "fourier?width=20": "ok", "linear": "ok"}, statuses(t, folder))
	lock, err := os.ReadFile(filepath.Join(folder, "koopbench-plugins.json"))
	require.NoError(t, err)
	assert.Contains(t, string(lock), `"fourier"`)
}

// TestGuideInPython is the same for Python.
func TestGuideInPython(t *testing.T) {
	if os.Getenv("PYTHON_GUIDE") != "1" {
		t.Skip("it needs python3 and uv, and downloads numpy and grpcio; PYTHON_GUIDE=1 runs it, as .ci/docs does")
	}
	folder := follow(t, "Python")
	assert.Equal(t, map[string]string{"fourier-python": "ok", "linear": "ok"}, statuses(t, folder))
	folder = follow(t, "Python task")
	assert.Equal(t, map[string]string{"linear": "ok"}, statuses(t, folder))
}

// follow writes the files of a tutorial into an empty folder and runs its commands there, all in the order of the text.
func follow(t *testing.T, tutorial string, environment ...string) string {
	t.Helper()
	var steps strings.Builder
	blocks, folder := t.TempDir(), t.TempDir()
	for i, b := range guideBlocks(t, tutorials[tutorial]...) {
		if b.file == "" {
			steps.WriteString(b.text)
			continue
		}
		stored := filepath.Join(blocks, fmt.Sprint(i))
		require.NoError(t, os.WriteFile(stored, []byte(b.text), 0o644))
		fmt.Fprintf(&steps, "cp '%s' '%s'\n", stored, b.file)
	}
	root, err := os.Getwd()
	require.NoError(t, err)
	bin := filepath.Join(blocks, "bin")
	bash := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", steps.String())
	bash.Dir = folder
	bash.Env = append(os.Environ(), "KOOPBENCH="+root, "GOBIN="+bin, "PATH="+bin+string(os.PathListSeparator)+
		os.Getenv("PATH"),
		"XDG_DATA_HOME="+filepath.Join(blocks, "data"), "KOOPBENCH_PLUGIN_PATH=")
	bash.Env = append(bash.Env, environment...)
	out, err := bash.CombinedOutput()
	require.NoError(t, err, "%s\n%s", steps.String(), out)
	return folder
}

// statuses are those of the runs in the results of a tutorial, by method.
func statuses(t *testing.T, folder string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "results", "results.json"))
	require.NoError(t, err)
	var results struct {
		Runs []struct{ Method, Status string }
	}
	require.NoError(t, json.Unmarshal(text, &results))
	statuses := map[string]string{}
	for _, r := range results.Runs {
		statuses[r.Method] = r.Status
	}
	return statuses
}

// guideBlock is commands, or a file: a block of Go or Python whose name the text before it gives.
type guideBlock struct{ file, text string }

var (
	fence    = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")
	fileName = regexp.MustCompile("`([a-z_]+\\.(?:go|py))`:\n\n$")
)

// guideBlocks returns the commands and files of those sections, in the order of the text.
func guideBlocks(t *testing.T, sections ...section) []guideBlock {
	t.Helper()
	var blocks []guideBlock
	for _, s := range sections {
		text, err := os.ReadFile(s.page)
		require.NoError(t, err)
		_, section, found := strings.Cut(string(text), "\n## "+s.heading+"\n")
		require.True(t, found, "%s has no section %q", s.page, s.heading)
		section, _, _ = strings.Cut(section, "\n## ")
		for _, at := range fence.FindAllStringSubmatchIndex(section, -1) {
			b := guideBlock{text: section[at[4]:at[5]]}
			if language := section[at[2]:at[3]]; language != "bash" {
				name := fileName.FindStringSubmatch(section[:at[0]])
				require.NotNil(t, name, "which file is this?\n%s", b.text)
				b.file = name[1]
			}
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// TestGuideIsExecuted: each block of the pages is in a tutorial, but for what is an example's and
// for what .ci/docs runs.
func TestGuideIsExecuted(t *testing.T) {
	executed := map[string]bool{}
	for _, sections := range tutorials {
		for _, b := range guideBlocks(t, sections...) {
			executed[b.text] = true
		}
	}
	for page, others := range map[string][]string{guide: nil, reference: nil, tasksPage: {"go", "sh"}} {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		all := fence.FindAllStringSubmatch(string(text), -1)
		assert.Equal(t, 2*len(all), strings.Count(string(text), "```"))
		for _, block := range all {
			assert.True(t, executed[block[2]] || slices.Contains(others, block[1]), "nothing runs this block of %s:\n%s",
				page, block[2])
		}
	}
}

// TestReferenceListsTheChecks: the reference's table of checks is the catalogue.
func TestReferenceListsTheChecks(t *testing.T) {
	text, err := os.ReadFile(reference)
	require.NoError(t, err)
	checks := map[check.Kind]string{}
	for _, e := range check.Catalogue() {
		checks[e.Kind] += ", `" + e.Check + "`"
	}
	require.Len(t, checks, 7)
	for kind, names := range checks {
		assert.Contains(t, string(text), fmt.Sprintf("\n| %s | %s |\n", kind.Title(), strings.TrimPrefix(names, ", ")))
	}
}
