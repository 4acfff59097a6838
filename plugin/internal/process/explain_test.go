package process

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
)

// TestTail: the last lines are kept, and a Go program's reason to end before them.
func TestTail(t *testing.T) {
	var last tail
	assert.Empty(t, last.words())
	assert.Empty(t, last.more())
	last.add("panic: the sky is falling")
	assert.Empty(t, last.more(), "all is said")
	for i := range 50 {
		last.add(fmt.Sprint("line ", i))
	}
	last.add(strings.Repeat("ä", 100000))
	assert.Equal(t, "panic: the sky is falling", last.words())
	lines := strings.Split(last.more(), "\n")
	assert.Equal(t, []string{"", "its last lines:", "panic: the sky is falling", "…", "line 31"}, lines[:5])
	assert.Len(t, lines, 4+tailLines)
	assert.Less(t, len(last.more()), 2*tailWidth)
	assert.True(t, utf8.ValidString(last.more()))
}

// TestCause: of a log, the line that says why the program has ended, with its place.
func TestCause(t *testing.T) {
	const traceback = "Traceback (most recent call last):\n"
	for name, c := range map[string]struct{ log, want string }{
		"nothing":       {"\n\n", ""},
		"the last line": {"Loading\nno licence\n \n", "no licence"},
		"a syntax error": {"  File \"/a/far.py\", line 2\n    def f(:\n          ^\nSyntaxError: invalid syntax\n",
			"SyntaxError: invalid syntax (far.py, line 2)"},
		"the plugin's own place": {traceback + "  File \"/a/far.py\", line 3, in <module>\n    import torch\n" +
			"  File \"<frozen importlib._bootstrap>\", line 1, in _load\n" +
			"  File \"/a/.venv/lib/site-packages/torch/__init__.py\", line 239, in <module>\n    raise ImportError(text)\n" +
			"ImportError: libc10.so: no such file\n\nIMPORTANT: please read this\n", "ImportError: libc10.so: no such file " +
			"(far.py, line 3)"},
		"another place": {traceback + "  File \"/lib/x.py\", line 7, in f\n    f()\nValueError: no\n",
			"ValueError: no (x.py, line 7)"},
		"the last exception": {traceback + "  File \"/a/far.py\", line 1, in f\nKeyError: 1\n\nDuring handling of the " +
			"above exception, another exception occurred:\n\n" +
			traceback + "  File \"/a/far.py\", line 9, in g\nTypeError: 2\n", "TypeError: 2 (far.py, line 9)"},
		"an exception long ago": {traceback + "  File \"/a/far.py\", line 1, in f\nKeyError: 1\n" +
			strings.Repeat("epoch\n", 30) + "Killed\n", "Killed"},
		"a panic of Go": {"panic: no\n\ngoroutine 1 [running]:\npanic({0x1})\n\t/go/src/runtime/panic.go:770 " +
			"+0x1\nmain.main()\n\t/a/main.go:12 +0x18\nexit status 2\n",
			"panic: no (main.go, line 12)"},
		"a crash of Python": {"Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n " +
			" File \"/a/far.py\", line 4 in <module>\n\n" +
			"Extension modules: numpy\n", "Fatal Python error: Segmentation fault"},
	} {
		t.Run(name, func(t *testing.T) {
			last := tail{file: "/a/far.py"}
			eachLine(strings.NewReader(c.log), last.add)
			assert.Equal(t, c.want, last.words())
		})
	}
	last := tail{file: "/a/far.py"} // as one record of Python's logging
	last.add(readEntry(hclog.Info, `{"@level":"error","@message":"it failed\nTraceback (most recent call last):\n`+
		`  File \"/a/far.py\", line 5, in f\nOSError: no"}`).message)
	assert.Equal(t, "OSError: no (far.py, line 5)", last.words())
}

// TestBoundedLog: a process fills no disk, and the log says that it is cut.
func TestBoundedLog(t *testing.T) {
	var written bytes.Buffer
	log := hclog.New(&hclog.LoggerOptions{Name: "far", Output: &written})
	for _, line := range []string{"", strings.Repeat("x", 100), strings.Repeat("x", longestLine)} {
		written.Reset()
		var b boundedLog
		for range 2 * mostLogged / (len(line) + lineCost) {
			b.write(log, entry{level: hclog.Info, message: line}, len(line))
		}
		assert.Greater(t, written.Len(), mostLogged/2)
		assert.Less(t, written.Len(), mostLogged+mostLogged/8)
		last := written.Bytes()[bytes.LastIndexByte(written.Bytes()[:written.Len()-1], '\n')+1:]
		assert.Contains(t, string(last), "[WARN]  far: the rest is left out: this process has written more than 16 MiB")
		assert.Equal(t, 1, bytes.Count(written.Bytes(), []byte("left out")))
	}
}

func TestLineWriter(t *testing.T) {
	var lines []string
	w := &lineWriter{do: func(line string) { lines = append(lines, line) }}
	for _, text := range []string{"a", "b\nc\n\n", strings.Repeat("x", longestLine+1)} {
		n, err := w.Write([]byte(text))
		assert.NoError(t, err)
		assert.Equal(t, len(text), n)
	}
	assert.Equal(t, []string{"ab", "c", "", strings.Repeat("x", longestLine)}, lines)
}

// FuzzHandshake: every first line is a handshake or has a short explanation.
func FuzzHandshake(f *testing.F) {
	for _, line := range []string{
		"1|1|unix|/tmp/x|grpc", "1|2|unix|/tmp/x|grpc", "", "|", "1|1", "9|1|unix|x|grpc", "1|1|tcp|127.0.0.1:1|grpc|cert",
		"hello", strings.Repeat("ä", 1000),
		"1|" + strings.Repeat("7", 1000) + "|unix|x",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		why := badHandshake(line)
		assert.Less(t, len(why), 1000)
		if parts := strings.Split(line, "|"); why == "" {
			assert.GreaterOrEqual(t, len(parts), 4)
			assert.Equal(t, []string{"1", "1"}, parts[:2])
		}
	})
}

// FuzzLog: whatever a plugin writes can be logged.
func FuzzLog(f *testing.F) {
	for _, text := range []string{"plain\n", `{"@level":"warn","@message":"far","n":1}` + "\n", `{"@message":7}`, "{",
		`{"@message":"m","@level":{}}`, "\x00\xff"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var written bytes.Buffer
		log := hclog.New(&hclog.LoggerOptions{Output: &written, Level: hclog.Trace})
		lines := 0
		eachLine(bytes.NewReader(text), func(line string) {
			lines++
			e := readEntry(hclog.Info, line)
			(&boundedLog{}).write(log, e, len(line))
			(&tail{}).add(e.message)
		})
		if len(text) > 0 {
			assert.Positive(t, lines)
			assert.NotEmpty(t, written.String())
		}
	})
}
