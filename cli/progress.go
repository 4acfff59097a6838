package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// display shows runs as they proceed. Any number of goroutines may use it.
type display interface {
	// begin shows a run; the display reads it whenever it likes.
	begin(r *runProgress)
	// changed is called after the run has changed.
	changed(r *runProgress)
	// end stops showing the run.
	end(r *runProgress)
	// Write shows whole lines beside the runs.
	io.Writer
	// close stops showing anything.
	close()
}

// newDisplay returns bars for a terminal and lines for anything else.
func newDisplay(stderr io.Writer, runs int) display {
	out := stderr
	if p, ok := stderr.(*printer); ok {
		out = p.to // bars steer the terminal themselves
	}
	if f, ok := out.(*os.File); ok && isTerminal(f) && os.Getenv("TERM") != "dumb" {
		return newBars(out, runs, func() (int, int) { return sizeOf(f) }, refresh)
	}
	return &lines{out: stderr}
}

// observer is the [benchmark.Observer] that shows a plan. It begins to show when the first run does: a plan that cannot
// run shows nothing but its error.
type observer struct {
	ctx     context.Context // of the runs: where it has ended, a run that failed was stopped
	stderr  io.Writer
	head    string                     // to show first
	count   int                        // of the runs
	epochs  map[string]int             // by method as written, 0 where a method has none
	width   struct{ method, seed int } // of the longest
	verbose bool                       // a line for every epoch

	libraries bool // what they log too

	started, stopped sync.Once
	display
	undo []func()

	mu   sync.Mutex
	runs map[runName]*runProgress
}

func newObserver(ctx context.Context, stderr io.Writer, p *benchmark.Plan, verbose, libraries bool) *observer {
	o := &observer{
		ctx: ctx, stderr: stderr, count: p.Size(), verbose: verbose, libraries: libraries,
		epochs: map[string]int{benchmark.OracleName: epochsOf(p.Oracle.Options)},
		runs:   map[runName]*runProgress{},
	}
	o.width.method, o.width.seed = len(benchmark.OracleName), len(fmt.Sprint(p.Oracle.Seed))
	for _, e := range p.Entries {
		o.epochs[e.Written] = epochsOf(e.Options)
		o.width.method = max(o.width.method, utf8.RuneCountInString(e.Written))
	}
	for _, seed := range p.Seeds {
		o.width.seed = max(o.width.seed, len(fmt.Sprint(seed)))
	}
	return o
}

// epochsOf is how many epochs the options ask for, 0 if they have no epochs.
func epochsOf(options core.Options) int {
	epochs, _ := options.Map()["epochs"].(int)
	return epochs
}

func (o *observer) open() {
	say(o.stderr, "%s", o.head)
	o.display = newDisplay(o.stderr, o.count)
	stop := context.AfterFunc(o.ctx, o.stopping)
	o.undo = append(o.undo, o.display.close, func() { stop() })
	if o.libraries {
		divertLogs(o)
		o.undo = append(o.undo, func() { divertLogs(io.Discard) })
	}
}

// stopping says that ctx has ended, before any run says that it was stopped.
func (o *observer) stopping() {
	o.stopped.Do(func() { say(o, "stopping; finished runs are kept. Press Ctrl-C again to stop at once.\n") })
}

// close stops showing; no run may be in progress.
func (o *observer) close() {
	for _, f := range slices.Backward(o.undo) {
		f()
	}
}

type runName struct {
	method string
	seed   int64
}

func (n runName) String() string { return fmt.Sprintf("%s, seed %d", n.method, n.seed) }

func (o *observer) Begin(method string, seed int64) core.Progress {
	o.started.Do(o.open)
	now := time.Now()
	r := &runProgress{observer: o, view: view{
		runName: runName{method, seed}, methodWidth: o.width.method, seedWidth: o.width.seed,
		phase: "fit", begun: now, phaseBegun: now, epochs: o.epochs[method],
	}}
	o.mu.Lock()
	o.runs[r.runName] = r
	o.mu.Unlock()
	o.begin(r)
	return r
}

func (o *observer) End(method string, seed int64, outcome benchmark.Outcome) {
	o.mu.Lock()
	r := o.runs[runName{method, seed}]
	delete(o.runs, runName{method, seed})
	o.mu.Unlock()
	r.reused = outcome.Reused
	o.end(r)
	if o.ctx.Err() != nil {
		o.stopping()
	}
	say(o, "%s\n", o.ending(r.runName, outcome))
}

// ending is the line of a finished run.
func (o *observer) ending(name runName, outcome benchmark.Outcome) string {
	took := duration(time.Duration(outcome.Seconds * float64(time.Second)))
	reason := outcome.Reason
	if !o.verbose {
		reason = firstLine(reason)
	}
	switch {
	case outcome.Reused:
		return fmt.Sprintf("%v: already finished", name)
	case outcome.Status != results.StatusOK && o.ctx.Err() != nil:
		return fmt.Sprintf("%v: stopped after %s", name, took)
	case outcome.Status != results.StatusOK:
		return fmt.Sprintf("%v: %s after %s: %s", name, outcome.Status, took, reason)
	}
	return fmt.Sprintf("%v: done in %s", name, took)
}

// runProgress is a run that is in progress. It is the [core.Progress] of its fit.
type runProgress struct {
	*observer
	mu sync.Mutex
	view
	told time.Time // for lines: when the last one was

	reused bool // once it has ended: an earlier command had made it
}

// view is how far a run has come.
type view struct {
	runName
	methodWidth int
	seedWidth   int
	phase       string
	done, total int // units of the phase; a total of 0 where they are not known
	epoch       core.Epoch
	epochs      int
	begun       time.Time
	phaseBegun  time.Time
}

func (r *runProgress) update(change func(v *view)) {
	r.mu.Lock()
	change(&r.view)
	r.mu.Unlock()
	r.changed(r)
}

func (r *runProgress) look() view {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.view
}

func (r *runProgress) Phase(name string, total int) {
	r.update(func(v *view) { v.phase, v.done, v.total, v.phaseBegun = name, 0, max(total, 0), time.Now() })
}

func (r *runProgress) Advance(done int) {
	r.update(func(v *view) { v.done = min(max(done, 0), v.total) })
}

func (r *runProgress) Epoch(e core.Epoch) {
	r.update(func(v *view) { v.epoch = e })
	if r.verbose {
		say(r.observer, "%v: epoch %s, loss %.6g, validation %.6g\n", r.runName, r.look().epochText(), e.Train,
			e.Validation)
	}
}

// epochText is the number of the last epoch, and of how many if that is known.
func (v view) epochText() string {
	if v.epochs == 0 {
		return fmt.Sprint(v.epoch.Number)
	}
	return fmt.Sprintf("%d/%d", v.epoch.Number, v.epochs)
}

// percent is the share of the phase that is done.
func (v view) percent() int { return 100 * v.done / max(v.total, 1) }

// left is the time that the phase still takes if it goes on as it did, and whether that can be told.
func (v view) left(now time.Time) (time.Duration, bool) {
	elapsed := now.Sub(v.phaseBegun)
	if v.done == 0 || v.done == v.total || elapsed < time.Second {
		return 0, false
	}
	left := time.Duration(float64(elapsed) / float64(v.done) * float64(v.total-v.done))
	return max(left, time.Second), true
}

// duration writes how long something took, for people: 0.25s, 4.1s, 43s, 3m05s, 2h10m.
func duration(d time.Duration) string {
	switch {
	case d < 995*time.Millisecond:
		return fmt.Sprintf("%.2fs", d.Seconds())
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return wholeSeconds(d)
}

// wholeSeconds is duration without tenths, for what changes as it is read.
func wholeSeconds(d time.Duration) string {
	seconds := int(d.Round(time.Second).Seconds())
	switch {
	case seconds < 60:
		return fmt.Sprintf("%ds", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%dm%02ds", seconds/60, seconds%60)
	}
	return fmt.Sprintf("%dh%02dm", seconds/3600, seconds/60%60)
}
