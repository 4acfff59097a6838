package koopbench

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ofOneTask are words that stand in the folder of one task, and in no code that all tasks share.
var ofOneTask = regexp.MustCompile(`(?i)mnist|digit`)

// otherDigits are lines in which digits are those that a number or a name is written with.
var otherDigits = []struct {
	files, line *regexp.Regexp
	why         string
}{
	{pattern(``), pattern(`hexadecimal digits`), "hashes and escapes"},
	{pattern(``), pattern(`letters,? (and )?digits`), "rules for names"},
	{
		pattern(`^benchmark/report/`),
		pattern(`\b(three|four|nine|a|last|the) digits?\b|\bdigits (int\b|:=|<)|, digits\)|'f', digits,|power-digits|` +
			`\bdigits\+\+`),
		"how numbers are written",
	},
	{pattern(`^benchmark/report/analysis/modes.go$`), pattern(`digit rune|digit - '0'`), "indices as small numbers"},
	{pattern(`^benchmark/report/internal/fixture/`), pattern(`.*`), "made-up results for tests"},
}

func pattern(text string) *regexp.Regexp { return regexp.MustCompile(text) }

// TestWordsOfOneTask: what all tasks share knows none of them. In package cli one file gives the default task its short
// forms.
func TestWordsOfOneTask(t *testing.T) {
	found := map[string][]string{}
	for _, folder := range []string{"core", "registry", "benchmark", "plugin", "conformance", "cli"} {
		require.NoError(t, filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || strings.HasSuffix(path, "_test.go") ||
				!slices.Contains([]string{".go", ".js", ".html", ".css"}, filepath.Ext(path)) {
				return err
			}
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			if lines := wordsOfOneTask(filepath.ToSlash(path), string(text)); len(lines) > 0 {
				found[filepath.ToSlash(path)] = lines
			}
			return nil
		}))
	}
	assert.NotEmpty(t, found["cli/task.go"], "its flags are for one task")
	delete(found, "cli/task.go")
	assert.Empty(t, found)
}

// wordsOfOneTask are the lines of a file that have such a word.
func wordsOfOneTask(path, text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if !ofOneTask.MatchString(line) {
			continue
		}
		for _, o := range otherDigits {
			if o.files.MatchString(path) {
				line = o.line.ReplaceAllString(line, "")
			}
		}
		if ofOneTask.MatchString(line) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// TestWordsOfOneTaskAreFound: the rule catches what it is there for.
func TestWordsOfOneTaskAreFound(t *testing.T) {
	for _, line := range []string{
		"// States is the number of digits in Ordered MNIST.", "NumDigits int", `case "ordered-mnist":`,
		"const digitNames = []",
		"// letters, digits: the digit of an image", "digits := t.States",
	} {
		assert.Len(t, wordsOfOneTask("benchmark/run.go", line+"\n"), 1, line)
	}
	assert.Len(t, wordsOfOneTask("benchmark/report/page/page.js", "colourByDigit(states)\n"), 1)
	assert.Empty(t, wordsOfOneTask("core/option.go",
		"// 1 to 40 lower-case letters, digits and hyphens, a letter first\n"))
	assert.Empty(t, wordsOfOneTask("benchmark/hash.go", "// the first 16 hexadecimal digits\n"))
}
