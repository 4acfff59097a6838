package cli

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestRow(t *testing.T) {
	v := view{
		runName: runName{"vamp", 42}, methodWidth: 11, phase: "training", done: 560, total: 2350,
		epoch: core.Epoch{Number: 12, Train: -4.3101, Validation: -4.2}, epochs: 50,
		begun: noon.Add(-70 * time.Second), phaseBegun: noon.Add(-60 * time.Second),
	}
	for width, want := range map[int]string{
		140: "vamp         seed 42  training    epoch 12/50    " +
			"loss -4.31    ████████░░░░░░░░░░░░░░░░░░░░░░░░   23%   3m12s left",
		100: "vamp         seed 42  training    epoch 12/50    loss -4.31    ████░░░░░░░░░░░░░░   23%   3m12s left",
		90:  "vamp         seed 42  training    epoch 12/50    loss -4.31    ██░░░░░░   23%   3m12s left",
		89:  "vamp         seed 42  training    epoch 12/50    █████░░░░░░░░░░░░░░░░   23%   3m12s left",
		80:  "vamp         seed 42  training    epoch 12/50    ███░░░░░░░░░   23%   3m12s left",
		70:  "vamp         seed 42  epoch 12/50    ███░░░░░░░░░░░   23%   3m12s left",
		60:  "vamp         seed 42  █████░░░░░░░░░░░░░░   23%   3m12s left",
		45:  "vamp         seed 42   23%   3m12s left",
		30:  "vamp         seed 42   23%",
	} {
		assert.Equal(t, want, v.row(width, noon), width)
	}
	v.epoch, v.phaseBegun = core.Epoch{}, noon
	assert.Equal(t, "vamp         seed 42  training                   ███░░░░░░░░░   23%", v.row(80, noon))
	v.total, v.phase = 0, "fit"
	assert.Equal(t, "vamp         seed 42  fit                                            1m10s", v.row(80, noon))
}

// TestRowFits: a row is never wider than the terminal, once cut, and says the more the wider it is.
func TestRowFits(t *testing.T) {
	v := view{
		runName: runName{"a?epochs=20&lr=0.001", 123456}, methodWidth: 25, phase: "évaluation", done: 3, total: 7,
		epoch: core.Epoch{Number: 1, Train: 1e-9}, begun: noon.Add(-time.Hour), phaseBegun: noon.Add(-time.Hour),
	}
	before := 0
	for width := range 200 {
		row := cut(v.row(width, noon), width)
		require.LessOrEqual(t, utf8.RuneCountInString(row), width)
		if width < 33 {
			continue // cut within what is never left out
		}
		fields := len(regexp.MustCompile(`\S+`).FindAllString(row, -1))
		require.GreaterOrEqual(t, fields, before, "%d columns: %s", width, row)
		before = fields
	}
}

// TestTimeLeft: the time that is left is known from the runs that were made, and not from those
// that were there already.
func TestTimeLeft(t *testing.T) {
	n := tally{runs: 10}
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	says := func(want string, minutes int) {
		t.Helper()
		assert.Equal(t, want, n.text(time.Duration(minutes+1)*time.Minute, at(minutes)))
	}
	says("0 of 10 runs finished, 1m00s so far", 0)
	for range 4 {
		n.add(noon, true)
	}
	says("4 of 10 runs finished, 2m00s so far", 1)
	n.add(at(2), false)
	n.add(at(1), false)                                               // two at once
	says("6 of 10 runs finished, 6m00s so far, about 8m00s left", 5)  // two runs in 4 minutes
	says("6 of 10 runs finished, 7m00s so far, about 10m00s left", 6) // no other has ended since
	n.runs = 6
	says("6 of 6 runs finished, 7m00s so far", 6)
}

func TestLine(t *testing.T) {
	v := view{runName: runName{"vamp", 42}, phase: "training", done: 560, total: 2350,
		epoch: core.Epoch{Number: 2, Train: 0.5}, epochs: 50, phaseBegun: noon.Add(-time.Minute)}
	assert.Equal(t, "vamp, seed 42: training 23%, epoch 2/50, loss 0.5, 3m12s left", v.line(noon))
	assert.Equal(t, "x, seed 1: fit", view{runName: runName{"x", 1}, phase: "fit", phaseBegun: noon}.line(noon))
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		250 * time.Millisecond:   "0.25s",
		4100 * time.Millisecond:  "4.1s",
		43 * time.Second:         "43s",
		185 * time.Second:        "3m05s",
		130 * time.Minute:        "2h10m",
		9990 * time.Millisecond:  "10s",
		59900 * time.Millisecond: "1m00s",
	} {
		assert.Equal(t, want, duration(d))
	}
}

// TestLinesAreFew: a run that reports all the time gets a line every few seconds.
func TestLinesAreFew(t *testing.T) {
	r := &runProgress{view: view{begun: noon}}
	told := 0
	for tick := range 600 { // a minute
		if _, due := r.due(noon.Add(time.Duration(tick) * 100 * time.Millisecond)); due {
			told++
		}
	}
	assert.Equal(t, 11, told)
}

// TestBars draws on something that takes itself for a terminal.
func TestBars(t *testing.T) {
	var out lockedBuffer
	o := &observer{ctx: t.Context(), epochs: map[string]int{"vamp": 5}, runs: map[runName]*runProgress{}, count: 2}
	o.width.method = 6
	b := newBars(&out, 2, func() (int, int) { return 80, 24 }, time.Millisecond)
	o.display = b
	o.started.Do(func() {})
	shows := func(texts ...string) {
		t.Helper()
		for _, want := range texts {
			require.Eventually(t, func() bool { return strings.Contains(out.String(), want) }, hangs, time.Millisecond, "%q",
				want)
		}
	}
	var both sync.WaitGroup
	for _, method := range []string{"vamp", "linear"} {
		both.Go(func() {
			p := o.Begin(method, 1)
			p.Phase("training", 5)
			for e := range 6 {
				p.Advance(e)
				p.Epoch(core.Epoch{Number: e, Train: 1 / float64(e)})
			}
		})
	}
	both.Wait()
	shows("vamp    seed 1  training    epoch 5/5", "linear  seed 1  training    epoch 5 ", "0 of 2 runs finished")
	o.End("vamp", 1, benchmark.Outcome{Status: results.StatusOK, Seconds: 1.5})
	shows("vamp, seed 1: done in 1.5s\n", "1 of 2 runs finished")
	o.End("linear", 1, benchmark.Outcome{Status: results.StatusFailed, Reason: "no", Seconds: 1.5})
	b.close()
	shows("linear, seed 1: failed after 1.5s: no\n")
	say(b, "after the end\n")
	text := out.String()
	assert.True(t, strings.HasSuffix(text, "after the end\n"))
	last := text[strings.LastIndex(text, "\x1b[J")+len("\x1b[J"):]
	assert.NotContains(t, last, "█", "no bar is left behind")
	assert.NotContains(t, last, "of 2 runs")
}

// TestBarsInALowTerminal: there are no more rows than fit above the line of the cursor, so that it
// can go back to the first one.
func TestBarsInALowTerminal(t *testing.T) {
	var out bytes.Buffer
	b := newBars(&out, 5, func() (int, int) { return 40, 4 }, time.Hour)
	defer b.close()
	for seed := range int64(5) {
		b.begin(&runProgress{view: view{runName: runName{"x", seed}, phase: "fit", begun: noon, phaseBegun: noon}})
	}
	say(b, "a line\n")
	lines := strings.Split(out.String(), "\n")
	require.Len(t, lines, 5)
	assert.Equal(t, "a line", lines[0])
	assert.Contains(t, lines[1], "seed 3")
	assert.Contains(t, lines[2], "seed 4")
	assert.Contains(t, lines[3], "0 of 5 runs finished")
	assert.Empty(t, lines[4])
	out.Reset()
	say(b, "another\n")
	assert.True(t, strings.HasPrefix(out.String(), "\r\x1b[3A\x1b[Janother\n"), "%q", out.String())
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(text)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
