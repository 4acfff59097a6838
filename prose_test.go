package koopbench

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// TestProseIsWrapped: paragraphs of Markdown have lines of at most 100 columns. Tables, code, headings
// and single words may be longer.
func TestProseIsWrapped(t *testing.T) {
	const most = 100
	files, err := exec.Command("git", "ls-files", "*.md", ":!:*testdata*").Output()
	if err != nil {
		t.Skip("not a checkout: git lists no files")
	}
	for name := range strings.Lines(string(files)) {
		name = strings.TrimSpace(name)
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		code := false
		for i, line := range strings.Split(string(text), "\n") {
			word := strings.TrimLeft(line, " ")
			if strings.HasPrefix(word, "```") {
				code = !code
			}
			if code || strings.HasPrefix(word, "|") || strings.HasPrefix(word, "#") || !strings.Contains(word, " ") {
				continue
			}
			if n := utf8.RuneCountInString(line); n > most {
				t.Errorf("%s:%d: %d columns; wrap the paragraph at %d", name, i+1, n, most)
			}
		}
	}
}
