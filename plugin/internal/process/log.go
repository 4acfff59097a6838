package process

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
)

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

// entry is a line of a plugin's log as it is kept.
type entry struct {
	level   hclog.Level
	message string
	values  []any
}

// readEntry reads a line: one of hclog's JSON with its own level, any other with the given one.
func readEntry(level hclog.Level, line string) entry {
	var fields map[string]any
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &fields) != nil || fields["@message"] == nil {
		return entry{level: level, message: line}
	}
	e := entry{level: level}
	e.message, _ = fields["@message"].(string)
	name, _ := fields["@level"].(string)
	if l := hclog.LevelFromString(name); l != hclog.NoLevel {
		e.level = l
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if !strings.HasPrefix(key, "@") {
			e.values = append(e.values, key, fields[key])
		}
	}
	return e
}

// mostLogged is how many bytes of a process go to the log, and lineCost what a line has beside its
// text: time, level and name.
const (
	mostLogged = 16 << 20
	lineCost   = 64
)

// boundedLog writes entries to a log, the first [mostLogged] bytes of them.
type boundedLog struct {
	mu      sync.Mutex
	written int
}

func (b *boundedLog) write(log hclog.Logger, e entry, size int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.written > mostLogged {
		return
	}
	if b.written += size + lineCost; b.written > mostLogged {
		log.Warn(fmt.Sprintf("the rest is left out: this process has written more than %d MiB", mostLogged>>20))
		return
	}
	log.Log(e.level, e.message, e.values...)
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
