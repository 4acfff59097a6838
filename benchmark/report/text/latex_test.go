package text

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
)

// TestLaTeXEscapes: every printable character of ASCII stands for itself, and so does each pair of them.
func TestLaTeXEscapes(t *testing.T) {
	// What LaTeX shows as one character, and plain characters that mean nothing to it.
	token := regexp.MustCompile(`^(?:\\text[a-z]+\{\}|\\symbol\{34\}|\\[&%$#_{}]|\{\}|[^\\{}$&#_%^~<>|"'\x60])*$`)
	// Pairs of plain characters that fonts join.
	joined := regexp.MustCompile("--|,,|<<|>>|''|``|[?!]`")
	seen := map[string]string{}
	for a := ' '; a <= '~'; a++ {
		for b := ' '; b <= '~'; b++ {
			text := string(a) + string(b)
			escaped := escapeLaTeX(text)
			assert.Regexp(t, token, escaped, text)
			assert.NotRegexp(t, joined, escaped, text)
			assert.Empty(t, seen[escaped], "two texts look alike")
			seen[escaped] = text
		}
	}
	assert.Equal(t, `a?lr=1e-3\&x\_y=50\%`, escapeLaTeX("a?lr=1e-3&x_y=50%"))
	assert.Equal(t, "-{}-{}-", escapeLaTeX("---"))
}

// TestLaTeXKeepsItsColumns: whatever a method is called, rows have one cell for each column, and comments one line.
func TestLaTeXKeepsItsColumns(t *testing.T) {
	r := fixture.SmallResults()
	r.Runs[0].Method = "a&b\\\\c%d\n\\input{x}_e^f"
	var b bytes.Buffer
	require.NoError(t, WriteLaTeX(&b, r))
	form := regexp.MustCompile(`\\begin\{tabular\}\{([lr]+)\}`).FindStringSubmatch(b.String())
	require.NotNil(t, form)
	for line := range strings.Lines(b.String()) {
		if !strings.HasSuffix(line, `\\`+"\n") || strings.HasPrefix(line, `\multicolumn`) {
			assert.Regexp(t, `^(%|\\(begin|end|[a-z]+rule|multicolumn)\b)`, line)
			continue
		}
		assert.Equal(t, len(form[1])-1, strings.Count(strings.ReplaceAll(line, `\&`, ""), "&"), line)
	}
}
