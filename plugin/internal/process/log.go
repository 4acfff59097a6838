package process

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
)

// tail keeps the last lines of a log.
type tail struct {
	mu    sync.Mutex
	lines []string
}

const tailLines = 20

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == tailLines {
		t.lines = t.lines[1:]
	}
	t.lines = append(t.lines, line)
}

// String returns the lines, each on a line of its own, empty for none.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == 0 {
		return ""
	}
	return "; its last lines:\n" + strings.Join(t.lines, "\n")
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
