package check

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/koopbench/koopbench/core"
)

// typed reports whether an error is one of those with which package core says that an input cannot be used.
func typed(err error) bool {
	for _, bad := range []error{core.ErrPanic, core.ErrCrashed, core.ErrContract} {
		if errors.Is(err, bad) {
			return false
		}
	}
	for _, kind := range []error{
		core.ErrShape, core.ErrNonFinite, core.ErrTooShort, core.ErrLabel, core.ErrOption, core.ErrUnavailable,
		core.ErrUnknown,
	} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// refusal is a call that must return an error of that kind; nil for any kind.
type refusal struct {
	call string // "Predict for snapshots of another shape"
	kind error
	do   func() error
	hint string // how, beyond the error that must be returned
}

func (r refusal) check() error {
	err := safely(r.do)
	remedy := "return one of the errors of package core, wrapped by %w"
	if r.kind != nil {
		remedy = fmt.Sprintf("return the error %q of package core, wrapped by %%w", r.kind)
	}
	remedy += r.hint
	switch {
	case err == nil:
		return wrong(remedy, "%s returned no error", r.call)
	case errors.Is(err, context.DeadlineExceeded):
		return err
	case r.kind != nil && !errors.Is(err, r.kind), errors.Is(err, core.ErrPanic), r.kind == nil && !typed(err):
		return wrong(remedy, "%s returned the error: %v", r.call, err)
	}
	return nil
}

func checkRefusals(refusals []refusal) error {
	for _, r := range refusals {
		if err := r.check(); err != nil {
			return err
		}
	}
	return nil
}

// interruption is a call whose context ends.
type interruption struct {
	name  string
	grace time.Duration
	// after is when the context ends: at once where it is 0.
	after time.Duration
	// strict says that the call must return the context's error; others may finish instead.
	strict bool
	call   func(ctx context.Context, end func()) error // end ends the context
}

// check makes the call, ends its context and looks at what comes back, and when.
func (i interruption) check(ctx context.Context) error {
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	if i.after == 0 {
		cancel()
	}
	done := make(chan error, 1)
	go func() {
		if i.after > 0 {
			timer := time.AfterFunc(i.after, cancel)
			defer timer.Stop()
		}
		done <- safely(func() error { return i.call(limited, cancel) })
	}()
	var err error
	select {
	case err = <-done:
	case <-limited.Done():
		select {
		case err = <-done:
		case <-time.After(i.grace):
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return &problem{
				found:     fmt.Sprintf("%s was still at work %v after its context had ended", i.name, i.grace),
				remedy:    "look at ctx.Err() in every step of a loop, and return it",
				abandoned: true,
			}
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.Canceled) && !errors.Is(err, core.ErrPanic):
		return nil
	case err == nil && !i.strict:
		return nil
	case err == nil:
		return wrong("begin with: if err := ctx.Err(); err != nil { return …, err }",
			"%s succeeded although its context had ended before the call", i.name)
	}
	return wrong("return ctx.Err(), alone or wrapped by %w", "%s returned, after its context had ended, the error: %v",
		i.name, err)
}

// together runs calls at the same time and returns the first error.
func together(calls ...func() error) error {
	var wait sync.WaitGroup
	errs := make([]error, len(calls))
	start := make(chan struct{})
	for i, call := range calls {
		wait.Go(func() {
			<-start
			errs[i] = safely(call)
		})
	}
	close(start)
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// watch is a [core.Progress] that notes whether it is used as it must be.
type watch struct {
	mu     sync.Mutex
	inside int
	ended  bool
	phase  string
	total  int
	done   int
	epochs int
	found  string       // what is wrong
	onStep func(string) // called at every call; nil for nothing
}

var _ core.Progress = (*watch)(nil)

func (w *watch) call(name string, note func() string) {
	w.mu.Lock()
	found := ""
	if w.inside++; w.inside > 1 {
		found = name + " was called while another call was under way: one goroutine at a time may report"
	}
	if w.ended {
		found = name + " was called after Fit had returned"
	}
	if noted := note(); found == "" {
		found = noted
	}
	w.found = orElse(w.found, found)
	step := w.onStep
	w.mu.Unlock()
	runtime.Gosched() // so that a call on another goroutine is noticed
	if step != nil {
		step(name)
	}
	w.mu.Lock()
	w.inside--
	w.mu.Unlock()
}

func (w *watch) Phase(name string, total int) {
	w.call("Phase", func() string {
		w.phase, w.total, w.done = name, total, 0
		if name == "" || total < 0 {
			return fmt.Sprintf("Phase got the name %q and %d units; a phase has a name and at least 0 units", name, total)
		}
		return ""
	})
}

func (w *watch) Advance(done int) {
	w.call("Advance", func() string {
		switch {
		case w.phase == "":
			return "Advance was called before any Phase"
		case done < w.done:
			return fmt.Sprintf("Advance went back from %d to %d in the phase %q", w.done, done, w.phase)
		case done > w.total:
			return fmt.Sprintf("Advance reported that %d units of %d of the phase %q are complete", done, w.total, w.phase)
		}
		w.done = done
		return ""
	})
}

func (w *watch) Epoch(core.Epoch) {
	w.call("Epoch", func() string {
		w.epochs++
		return ""
	})
}

func (w *watch) end() (found string, epochs int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	return w.found, w.epochs
}
