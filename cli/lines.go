package cli

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// lineEvery is how often a run that is in progress gets a line.
const lineEvery = 5 * time.Second

// lines is the display of anything that is not a terminal, a log file for instance.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lines) begin(*runProgress) {}
func (l *lines) end(*runProgress)   {}
func (l *lines) close()             {}

func (l *lines) changed(r *runProgress) {
	now := time.Now()
	v, due := r.due(now)
	if due {
		say(l, "%s\n", v.line(now))
	}
}

func (l *lines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(text)
}

// due returns the run as it is and whether it is time for a line about it.
func (r *runProgress) due(now time.Time) (view, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told.IsZero() {
		r.told = r.begun
	}
	if now.Sub(r.told) < lineEvery {
		return r.view, false
	}
	r.told = now
	return r.view, true
}

// line says in one line how far a run has come.
func (v view) line(now time.Time) string {
	text := fmt.Sprintf("%v: %s", v.runName, v.phase)
	if v.total > 0 {
		text += fmt.Sprintf(" %d%%", v.percent())
	}
	if v.epoch.Number > 0 {
		text += fmt.Sprintf(", epoch %s, loss %.4g", v.epochText(), v.epoch.Train)
	}
	if left, ok := v.left(now); ok {
		text += fmt.Sprintf(", %s left", wholeSeconds(left))
	}
	return text
}
