package process

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
)

// tail keeps the last lines of a log, and the line by which a Go program says why it ends, however long the stacks after it are.
type tail struct {
	mu    sync.Mutex
	last  string
	lines []string
}

// What is kept: so many lines, and so many bytes of each.
const (
	tailLines = 20
	tailWidth = 500
)

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(line) > tailWidth {
		line = strings.ToValidUTF8(line[:tailWidth], "") + "…"
	}
	if len(t.lines) == tailLines {
		if isLastWord(t.lines[0]) {
			t.last = t.lines[0]
		}
		t.lines = t.lines[1:]
	}
	t.lines = append(t.lines, line)
}

func isLastWord(line string) bool {
	return strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
}

// String returns the lines, each on a line of its own, empty for none.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == 0 {
		return ""
	}
	text := "; its last lines:\n"
	if t.last != "" {
		text += t.last + "\n…\n"
	}
	return text + strings.Join(t.lines, "\n")
}

// longestLine is where lines of a log are broken.
const longestLine = 64 << 10

// eachLine calls do with the lines of r, broken where they are too long, until r ends.
func eachLine(r io.Reader, do func(line string)) {
	buffered := bufio.NewReaderSize(r, longestLine)
	for {
		line, _, err := buffered.ReadLine()
		if err != nil {
			return
		}
		do(string(line))
	}
}

// logLine logs a line of a plugin: one of hclog's JSON at its level, any other at the given one.
func logLine(log hclog.Logger, level hclog.Level, line string) {
	var entry map[string]any
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &entry) != nil || entry["@message"] == nil {
		log.Log(level, line)
		return
	}
	message, _ := entry["@message"].(string)
	name, _ := entry["@level"].(string)
	if l := hclog.LevelFromString(name); l != hclog.NoLevel {
		level = l
	}
	var values []any
	for key, value := range entry {
		if !strings.HasPrefix(key, "@") {
			values = append(values, key, value)
		}
	}
	log.Log(level, message, values...)
}

// lineWriter logs what is written to it, line by line.
type lineWriter struct {
	mu      sync.Mutex
	partial []byte
	do      func(line string)
}

func (w *lineWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range text {
		if b == '\n' || len(w.partial) == longestLine {
			w.do(string(w.partial))
			w.partial = w.partial[:0]
		}
		if b != '\n' {
			w.partial = append(w.partial, b)
		}
	}
	return len(text), nil
}
