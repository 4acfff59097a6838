package cli

import (
	"bytes"
	"io"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/koopbench/koopbench/internal/foreign"
)

// maxLine is the most bytes that a line on stderr has: it may be of a file or a plugin.
const maxLine = 8 << 10

// printer writes what is for the user: nothing in it steers a terminal, whoever it is from, and lines
// have at most most bytes, 0 for any number. Any number of goroutines may use it.
type printer struct {
	to   io.Writer
	most int

	mu   sync.Mutex
	rest []byte // the beginning of a character
	line int    // bytes of the line so far
}

// Write implements [io.Writer].
func (p *printer) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	whole := slices.Concat(p.rest, text)
	end := len(whole)
	for i := 1; i < utf8.UTFMax && i <= len(whole); i++ {
		if b := whole[len(whole)-i]; utf8.RuneStart(b) {
			if !utf8.FullRune(whole[len(whole)-i:]) {
				end = len(whole) - i
			}
			break
		}
	}
	p.rest = bytes.Clone(whole[end:])
	if _, err := p.to.Write(p.cut([]byte(foreign.Printable(string(whole[:end]))))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// cut ends lines that are too long.
func (p *printer) cut(text []byte) []byte {
	if p.most == 0 {
		return text
	}
	var kept []byte
	for line := range bytes.Lines(text) {
		content, ended := bytes.CutSuffix(line, []byte("\n"))
		if room := max(p.most-p.line, 0); len(content) > room {
			if p.line <= p.most {
				kept = append(kept, foreign.Shorten(string(content), room)...)
			}
			p.line = p.most + 1
		} else {
			kept, p.line = append(kept, content...), p.line+len(content)
		}
		if ended {
			kept, p.line = append(kept, '\n'), 0
		}
	}
	return kept
}
