package benchmark

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestPausesDoNotCount: each beat lasts an hour, as if the process was stopped in it, and the limit
// is reached after the time that was asked to be waited for, and no sooner.
func TestPausesDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAwake()
		var waited time.Duration
		beats := 0
		a.after = func(d time.Duration) <-chan time.Time {
			beats++
			waited += d
			return time.After(time.Hour)
		}
		limit, over := 90*time.Second+300*time.Millisecond, false
		a.run(t.Context(), &limit, func() { over = true })
		assert.True(t, over)
		assert.Equal(t, limit, waited)
		assert.Equal(t, 91, beats)
		assert.Equal(t, limit, a.elapsed())
	})
}

// TestAwakeCounts: without pauses it is the time of the clock, between two beats too.
func TestAwakeCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a := newAwake()
		go a.run(ctx, nil, func() { t.Error("there is no limit") })
		time.Sleep(10*time.Second + 250*time.Millisecond)
		assert.Equal(t, 10250*time.Millisecond, a.elapsed())
		cancel()
	})
}

// TestTimeThatIsOver: what has used up its time in earlier processes has none left.
func TestTimeThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &harness{Plan: Plan{Timeout: time.Minute}}
		for earlier, want := range map[float64]time.Duration{
			0: time.Minute, 45.5: 14500 * time.Millisecond, 60: 0, 61: 0,
		} {
			begun := time.Now()
			ctx, cancel := h.bounded(t.Context(), newAwake(), earlier)
			<-ctx.Done()
			assert.Equal(t, want, time.Since(begun))
			assert.EqualError(t, h.tooLong(ctx, nil), "it took more than 1m0s; give more with --timeout")
			cancel()
		}
	})
}
