package benchmark

import (
	"context"
	"errors"
	"sync"
	"time"
)

// awake counts the time in which this process could work on something. It counts beats of a second,
// each of which is over once the process has waited for it: the time in which the process is
// stopped (SIGSTOP), or the machine asleep, is longer and counts as one beat at most. Any number of
// goroutines may use it.
type awake struct {
	mu      sync.Mutex
	counted time.Duration // of the beats that are over
	beat    time.Duration // that is in progress
	begun   time.Time     // when it began

	after func(time.Duration) <-chan time.Time // time.After
}

// beat is the longest time for which a pause is not noticed.
const beat = time.Second

func newAwake() *awake { return &awake{beat: beat, begun: time.Now(), after: time.After} }

// run counts until ctx ends, or the limit is reached: then it calls over. A limit of nil is none.
func (a *awake) run(ctx context.Context, limit *time.Duration, over func()) {
	for {
		wait := beat
		if limit != nil {
			wait = min(wait, *limit-a.elapsed())
		}
		if wait <= 0 {
			over()
			return
		}
		a.begin(wait)
		select {
		case <-ctx.Done():
			return
		case <-a.after(wait):
			a.end()
		}
	}
}

func (a *awake) begin(wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.beat, a.begun = wait, time.Now()
}

func (a *awake) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counted += a.beat
	a.beat, a.begun = 0, time.Now()
}

// elapsed is the time that has been counted since newAwake.
func (a *awake) elapsed() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.counted + min(time.Since(a.begun), a.beat)
}

// bounded returns a context that ends with the cause [overtime] once the plan's limit for what
// has taken so many seconds in earlier processes is over, and the clock that counts it. The caller
// must call the function that it returns.
func (h *harness) bounded(ctx context.Context, clock *awake, earlier float64) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	var limit *time.Duration
	if h.Timeout > 0 {
		left := h.Timeout - time.Duration(earlier*float64(time.Second))
		limit = &left
	}
	over := func() { cancel(overtime(h.Timeout)) }
	if limit != nil && *limit <= 0 {
		over() // before anything begins
	}
	go clock.run(ctx, limit, over)
	return ctx, func() { cancel(nil) }
}

// tooLong is err, or the error of a bounded context whose time is over.
func (h *harness) tooLong(ctx context.Context, err error) error {
	if late := overtime(0); errors.As(context.Cause(ctx), &late) {
		return late
	}
	return err
}
