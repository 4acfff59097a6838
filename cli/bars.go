package cli

import (
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/internal/foreign"
)

// bars is the display of a terminal: a row for each run under way, below them one for the whole, and lines above.
type bars struct {
	progress *mpb.Progress
	out      io.Writer
	whole    *mpb.Bar

	mu    sync.Mutex
	count tally
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

func newBars(out io.Writer, runs int, options ...mpb.ContainerOption) *bars {
	b := &bars{out: out, progress: mpb.New(append(options, mpb.WithOutput(out))...)}
	begun := time.Now()
	b.count.runs = runs
	b.whole = b.add(func(int) string {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.count.text(time.Since(begun), time.Now())
	}, mpb.BarPriority(math.MaxInt))
	return b
}

func (b *bars) begin(r *runProgress) {
	r.bar = b.add(func(width int) string { return r.look().row(width, time.Now()) })
}

func (b *bars) changed(*runProgress) {}

func (b *bars) end(r *runProgress) {
	remove(r.bar)
	if r.method == benchmark.OracleName || r.method == benchmark.ScoreName {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count.add(r.look().begun, r.reused)
}

// close waits until the lines that were written are drawn: mpb draws once more for a row that goes,
// and the row of the whole is the last to go.
func (b *bars) close() {
	remove(b.whole)
	b.progress.Wait()
}

// Write shows lines above the rows.
func (b *bars) Write(text []byte) (int, error) {
	shown := []byte(foreign.Printable(string(text)))
	if _, err := b.progress.Write(append([]byte(lineStart), shown...)); err != nil { // closed
		_, err = b.out.Write(shown)
		return len(text), err
	}
	return len(text), nil
}

// lineStart goes before rows and lines: the echo of a Ctrl-C has moved the cursor away from where mpb left it.
const lineStart = "\r"

// add shows a row that is drawn anew at every refresh; it returns nil once the bars are closed.
func (b *bars) add(row func(width int) string, options ...mpb.BarOption) *mpb.Bar {
	filler := mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
		line := strings.ReplaceAll(foreign.Printable(row(s.AvailableWidth)), "\n", " ")
		_, err := io.WriteString(w, lineStart+cut(line, s.AvailableWidth))
		return err
	})
	bar, err := b.progress.Add(0, filler, append(options, mpb.BarFillerTrim())...)
	if err != nil {
		return nil
	}
	return bar
}

func remove(bar *mpb.Bar) {
	if bar != nil {
		bar.Abort(true)
	}
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
