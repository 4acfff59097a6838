package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/internal/foreign"
)

// bars is the display of a terminal: lines, below them a row for each run in progress, and at the foot
// one for the whole. The rows are drawn again in their place.
type bars struct {
	out   io.Writer
	size  func() (columns, lines int) // of the terminal
	begun time.Time
	stop  func() // drawing at intervals

	mu     sync.Mutex
	runs   []*runProgress
	count  tally
	drawn  int // rows
	closed bool
}

// tally is how far all runs have come together.
type tally struct {
	runs, finished int
	made           int       // of those finished, here rather than by an earlier command
	begun          time.Time // when the first of these began
}

// add counts a run that has ended, which began then or was there before.
func (n *tally) add(begun time.Time, reused bool) {
	n.finished++
	if reused {
		return
	}
	if n.made == 0 || begun.Before(n.begun) {
		n.begun = begun
	}
	n.made++
}

// text is the row of the whole. The time that is left is that of the runs so far, which were as
// many at once.
func (n tally) text(elapsed time.Duration, now time.Time) string {
	text := fmt.Sprintf("%d of %d runs finished, %s so far", n.finished, n.runs, wholeSeconds(elapsed))
	left := n.runs - n.finished
	if n.made == 0 || left == 0 {
		return text
	}
	each := float64(now.Sub(n.begun)) / float64(n.made)
	return text + fmt.Sprintf(", about %s left", wholeSeconds(max(time.Duration(each*float64(left)), time.Second)))
}

// refresh is how often a person sees the rows change.
const refresh = 150 * time.Millisecond

func newBars(out io.Writer, runs int, size func() (columns, lines int), every time.Duration) *bars {
	b := &bars{out: out, size: size, begun: time.Now(), count: tally{runs: runs}}
	ticker, stop := time.NewTicker(every), make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() {
		for {
			select {
			case <-ticker.C:
				b.locked(func() { b.draw("") })
			case <-stop:
				return
			}
		}
	})
	b.stop = func() {
		ticker.Stop()
		close(stop)
		drawing.Wait()
	}
	return b
}

func (b *bars) locked(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

func (b *bars) begin(r *runProgress) { b.locked(func() { b.runs = append(b.runs, r) }) }

func (b *bars) changed(*runProgress) {}

func (b *bars) end(r *runProgress) {
	b.locked(func() {
		b.runs = slices.DeleteFunc(b.runs, func(other *runProgress) bool { return other == r })
		if r.method != benchmark.OracleName && r.method != benchmark.ScoreName {
			b.count.add(r.look().begun, r.reused)
		}
	})
}

// close removes the rows.
func (b *bars) close() {
	b.stop()
	b.locked(func() {
		b.closed = true
		b.draw("")
	})
}

// Write shows lines above the rows.
func (b *bars) Write(text []byte) (int, error) {
	b.locked(func() { b.draw(foreign.Printable(string(text))) })
	return len(text), nil
}

// draw puts lines in place of the rows, and the rows below them. A Ctrl-C may have been echoed
// where the cursor is, so it goes to the start of its line first.
func (b *bars) draw(above string) {
	var text strings.Builder
	if b.drawn > 0 {
		fmt.Fprintf(&text, "\r\x1b[%dA\x1b[J", b.drawn)
	}
	text.WriteString(above)
	rows := b.rows()
	for _, row := range rows {
		text.WriteString(row + "\n")
	}
	b.drawn = len(rows)
	_, _ = io.WriteString(b.out, text.String()) // a terminal that is gone stops no run
}

// rows are what the terminal has lines for, the row of the whole last, and none once b is closed. The last column
// stays free, since some terminals begin a line after it.
func (b *bars) rows() (rows []string) {
	if b.closed {
		return nil
	}
	columns, lines := b.size()
	if columns < 1 || lines < 1 { // it does not say
		columns, lines = 80, 24
	}
	now := time.Now()
	for _, r := range b.runs {
		rows = append(rows, r.look().row(columns-1, now))
	}
	rows = append(rows, b.count.text(now.Sub(b.begun), now))
	for i, row := range rows {
		rows[i] = cut(strings.ReplaceAll(foreign.Printable(row), "\n", " "), columns-1)
	}
	return rows[max(len(rows)-max(lines-1, 1), 0):]
}

// row is the run in one line of at most width columns. The fields of all rows are as wide, so that
// rows align; where the terminal is narrow, the bar shrinks first, then what says least is left
// out.
func (v view) row(width int, now time.Time) string {
	epoch, loss, percent, time := "", "", "", wholeSeconds(now.Sub(v.begun))
	if v.epoch.Number > 0 {
		epoch, loss = "epoch "+v.epochText(), fmt.Sprintf("loss %.4g", v.epoch.Train)
	}
	if v.total > 0 {
		percent, time = fmt.Sprintf("%3d%%", v.percent()), ""
		if left, ok := v.left(now); ok {
			time = fmt.Sprintf("%6s left", wholeSeconds(left))
		}
	}
	fields := []field{
		{text: fmt.Sprintf("%-*s  seed %*d", v.methodWidth, v.method, v.seedWidth, v.seed), rank: 0},
		{text: v.phase, width: 10, rank: 4},
		{text: epoch, width: 13, rank: 3},
		{text: loss, width: 12, rank: 5},
		{rank: 2, bar: true},
		{text: percent, width: 4, rank: 0},
		{text: time, width: 11, rank: 1},
	}
	free, fields := choose(fields, width)
	texts := make([]string, len(fields))
	for i, f := range fields {
		switch {
		case f.bar && v.total > 0:
			f.text = bar(free, float64(v.done)/float64(v.total))
		case f.bar:
			f.width = free
		}
		texts[i] = f.text + strings.Repeat(" ", max(f.width-utf8.RuneCountInString(f.text), 0))
	}
	return strings.TrimRight(strings.Join(texts, strings.Repeat(" ", fieldGap)), " ")
}

// field is a part of a row: at least so wide, and the sooner left out the higher its rank.
type field struct {
	text  string
	width int
	rank  int
	bar   bool
}

const (
	fieldGap     = 2
	leastBarSize = 8
	mostBarSize  = 32
)

// choose returns the fields that fit into width columns, and how many columns there are for the bar among them.
func choose(fields []field, width int) (bar int, chosen []field) {
	for rank := 5; rank >= 0; rank-- {
		chosen, bar = nil, -1
		free := width + fieldGap
		for _, f := range fields {
			if f.rank > rank {
				continue
			}
			if f.bar {
				bar = leastBarSize
				free -= leastBarSize
			}
			free -= max(f.width, utf8.RuneCountInString(f.text)) + fieldGap
			chosen = append(chosen, f)
		}
		if free >= 0 {
			return min(bar+free, mostBarSize), chosen
		}
	}
	return 0, chosen
}

// bar draws a bar of that many columns, the share done of it full.
func bar(size int, done float64) string {
	full := int(math.Round(done * float64(size)))
	return strings.Repeat("█", full) + strings.Repeat("░", size-full)
}

// cut shortens a line to width columns.
func cut(line string, width int) string {
	runes := []rune(line)
	switch {
	case len(runes) <= width:
		return line
	case width < 1:
		return ""
	}
	return string(runes[:width-1]) + "…"
}
