package koopbench

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadmeShowsTheExample: the method that the README shows is the compiled one, comments aside.
func TestReadmeShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	example, err := os.ReadFile("examples/method/nearest.go")
	require.NoError(t, err)
	_, block, ok := strings.Cut(string(readme), "```go\n")
	require.True(t, ok, "the README has no block of Go")
	block, _, _ = strings.Cut(block, "```")

	_, source, _ := strings.Cut(string(example), ")\n") // the imports
	var shown []string
	for line := range strings.Lines(source) {
		if !strings.HasPrefix(line, "//") && !strings.HasPrefix(line, "var _") {
			shown = append(shown, strings.Fields(line)...)
		}
	}
	assert.Equal(t, strings.Join(shown, " "), strings.Join(strings.Fields(block), " "))
}

// TestPagesShowTheExamples: every block of Go in a page is in its example.
func TestPagesShowTheExamples(t *testing.T) {
	for page, example := range map[string]struct {
		folder string
		blocks int
	}{"docs/nn.md": {"encoder", 6}, "docs/tasks.md": {"task", 4}} {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		files, err := filepath.Glob("examples/" + example.folder + "/*.go")
		require.NoError(t, err)
		var source strings.Builder
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			source.Write(text)
		}
		blocks := strings.Split(string(text), "```go\n")[1:]
		require.Len(t, blocks, example.blocks, page)
		for _, block := range blocks {
			block, _, _ = strings.Cut(block, "```")
			assert.True(t, strings.Contains(source.String(), block), "%s, not in examples/%s:\n%s", page, example.folder, block)
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)#]*)(?:#([^)]*))?\)`)
	block   = regexp.MustCompile("(?ms)^```.*?^```")
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped = regexp.MustCompile(`\]\([^)]*\)|[^\p{L}\p{N} _-]`)
)

// anchors are what links to the headings of a page are called.
func anchors(t *testing.T, page string) (names []string) {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	for _, match := range heading.FindAllSubmatch(block.ReplaceAll(text, nil), -1) {
		name := strings.ToLower(string(dropped.ReplaceAll(match[1], nil)))
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

// TestLinks: the files and headings of this repository that the documentation links to are there.
func TestLinks(t *testing.T) {
	pages := 0
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if path == ".tools" { // what others wrote
			return fs.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		pages++
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			target, anchor := filepath.Join(filepath.Dir(path), match[1]), match[2]
			if match[1] == "" {
				target = path
			}
			if strings.Contains(match[1], "://") {
				continue
			}
			_, err := os.Stat(target)
			if assert.NoError(t, err, "%s links to %s", path, target) && anchor != "" && filepath.Ext(target) == ".md" {
				assert.Contains(t, anchors(t, target), anchor, "%s links to %s", path, target)
			}
		}
		return nil
	}))
	assert.Greater(t, pages, 5)
}
