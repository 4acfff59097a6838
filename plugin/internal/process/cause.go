package process

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// tail keeps the last lines of a log, and the line by which a program says why it ends: the panic
// of a Go program, however long the stacks after it are, or the exception of a Python program, with
// its place.
type tail struct {
	// file is that of the plugin: of the places in a stack, its own are what its author knows.
	file string

	mu     sync.Mutex
	lines  []string
	cause  cause
	reader traceReader
}

// cause is the line that says why a program ends.
type cause struct {
	text  string
	place string // file and line, "" if the log does not say
	lasts bool   // it stays the cause, however much comes after it, as stacks do
	age   int    // lines since
}

// What is kept: so many lines, and so many bytes of each.
const (
	tailLines = 20
	tailWidth = 500
)

// add adds the lines of a text.
func (t *tail) add(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		t.addLine(cut(line, tailWidth))
	}
}

func (t *tail) addLine(line string) {
	t.cause.age++
	found, ok := t.reader.read(line, t.file)
	switch {
	case ok && (found.lasts || !t.cause.lasts):
		t.cause = found
	case t.cause.lasts && t.cause.place == "":
		t.cause.place = t.reader.goPlace
	}
	if len(t.lines) == tailLines {
		t.lines = t.lines[1:]
	}
	t.lines = append(t.lines, line)
}

// words are the cause on one line, or else the last line that is not empty; "" for an empty log.
func (t *tail) words() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cause.text != "" && (t.cause.lasts || t.cause.age < tailLines) {
		if t.cause.place != "" {
			return fmt.Sprintf("%s (%s)", t.cause.text, t.cause.place)
		}
		return t.cause.text
	}
	for _, line := range slices.Backward(t.lines) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}

// more are the last lines, on lines of their own, "" if words are all that there is.
func (t *tail) more() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) < 2 {
		return ""
	}
	text := "\nits last lines:\n"
	if t.cause.lasts && t.cause.age >= len(t.lines) {
		text += t.cause.text + "\n…\n"
	}
	return text + strings.Join(t.lines, "\n")
}

// cut is the beginning of a text, of about so many bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// traceReader finds the ends of programs in their logs, line by line.
type traceReader struct {
	frames  bool   // the last lines are frames of Python
	own     string // the last place in the plugin's folder
	deepest string // the last place
	goPlace string // the first place of a Go program after a panic
}

var (
	pythonFrame = regexp.MustCompile(`^\s+File "(.+)", line (\d+)`)
	goFrame     = regexp.MustCompile(`^\t(/.+\.go):(\d+)`)
)

// read reads a line, and returns the cause if the line is one.
func (r *traceReader) read(line, plugin string) (cause, bool) {
	for _, last := range []string{"panic: ", "fatal error: ", "Fatal Python error: "} {
		if strings.HasPrefix(line, last) {
			*r = traceReader{}
			return cause{text: line, lasts: true}, true
		}
	}
	if at := goFrame.FindStringSubmatch(line); at != nil && r.goPlace == "" && !strings.Contains(at[1], "/src/runtime/") {
		r.goPlace = placeWords(at[1], at[2])
	}
	if at := pythonFrame.FindStringSubmatch(line); at != nil {
		if r.frames = true; strings.HasPrefix(at[1], "<") { // of Python's own
			return cause{}, false
		}
		r.deepest = placeWords(at[1], at[2])
		if isOwn(at[1], plugin) {
			r.own = r.deepest
		}
		return cause{}, false
	}
	switch {
	case strings.HasPrefix(line, "Traceback (most recent call last)"):
		*r = traceReader{frames: true}
	case r.frames && line != "" && !strings.HasPrefix(line, " "): // what comes after the frames
		found := cause{text: line, place: r.own}
		if found.place == "" {
			found.place = r.deepest
		}
		*r = traceReader{}
		return found, true
	}
	return cause{}, false
}

func placeWords(file, line string) string { return filepath.Base(file) + ", line " + line }

// isOwn reports whether a file of Python is the plugin or lies beside it, and belongs to no package
// that is installed there.
func isOwn(file, plugin string) bool {
	return strings.HasPrefix(file, filepath.Dir(plugin)+string(filepath.Separator)) &&
		!strings.Contains(file, "site-packages") && !strings.Contains(file, "dist-packages")
}
