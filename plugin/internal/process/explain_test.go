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
	assert.Empty(t, last.String())
	last.add("panic: the sky is falling")
	for i := range 50 {
		last.add(fmt.Sprint("line ", i))
	}
	last.add(strings.Repeat("ä", 100000))
	lines := strings.Split(last.String(), "\n")
	assert.Equal(t, []string{"; its last lines:", "panic: the sky is falling", "…", "line 31"}, lines[:4])
	assert.Len(t, lines, 3+tailLines)
	assert.Less(t, len(last.String()), 2*tailWidth)
	assert.True(t, utf8.ValidString(last.String()))
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
		"1|1|unix|/tmp/x|grpc", "1|2|unix|/tmp/x|grpc", "", "|", "1|1", "9|1|unix|x|grpc", "1|1|tcp|127.0.0.1:1|grpc|cert", "hello", strings.Repeat("ä", 1000),
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
	for _, text := range []string{"plain\n", `{"@level":"warn","@message":"far","n":1}` + "\n", `{"@message":7}`, "{", `{"@message":"m","@level":{}}`, "\x00\xff"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var written bytes.Buffer
		log := hclog.New(&hclog.LoggerOptions{Output: &written, Level: hclog.Trace})
		lines := 0
		eachLine(bytes.NewReader(text), func(line string) {
			lines++
			logLine(log, hclog.Info, line)
		})
		if len(text) > 0 {
			assert.Positive(t, lines)
			assert.NotEmpty(t, written.String())
		}
	})
}
