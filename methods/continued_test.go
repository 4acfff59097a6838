package methods_test

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/oracle"
	"github.com/koopbench/koopbench/plugin"
)

// states keeps what fits store, and ends a context after so many steps.
type states struct {
	core.Progress
	kept   map[string]*core.State
	steps  int
	cancel func()
}

func (s *states) Names() []string                      { return slices.Collect(maps.Keys(s.kept)) }
func (s *states) Every() time.Duration                 { return time.Nanosecond }
func (s *states) Load(name string) *core.State         { return s.kept[name] }
func (s *states) Due() bool                            { return false }
func (s *states) Store(name string, state *core.State) { s.kept[name] = state }

func (s *states) Advance(int) {
	if s.steps--; s.steps == 0 {
		s.cancel()
	}
}

// stop is when fits stand still until their contexts are over: after so many steps, never at 0. A
// context that ends in another process reaches the fit only after a while, in which it could end.
type stop struct{ after atomic.Int64 }

// standing is the progress of a fit that stands still at its stop. Its count is its own: a fit that
// was cancelled over the wire may still be running when the next one begins.
type standing struct {
	core.Progress
	ctx  context.Context
	left *atomic.Int64
}

func (s standing) Advance(done int) {
	last := s.left.Add(-1) == 0
	s.Progress.Advance(done)
	if last {
		<-s.ctx.Done()
	}
}

func (s *stop) on(ctx context.Context, t *core.Training) *core.Training {
	left := &atomic.Int64{}
	left.Store(s.after.Load())
	stopping := *t
	stopping.Progress = standing{t.Progress, ctx, left}
	return &stopping
}

// stoppedMethod and stoppedOracle are fitted up to a stop.
type stoppedMethod struct {
	core.Method
	stop *stop
}

func (m stoppedMethod) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	return m.Method.Fit(ctx, m.stop.on(ctx, t))
}

type stoppedOracle struct {
	core.Oracle
	stop *stop
}

func (o stoppedOracle) Fit(ctx context.Context, t *core.Training) (core.Judge, error) {
	return o.Oracle.Fit(ctx, o.stop.on(ctx, t))
}

// overWire returns stand-ins for things, which pass through the wire format.
func overWire[T any](t *testing.T, things ...any) []T {
	loop, err := plugin.Loopback(things...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, loop.Close()) })
	var all []T
	for _, thing := range loop.Things {
		all = append(all, thing.(T))
	}
	return all
}

// beginning is told how far a fit had come when it first said so.
type beginning struct {
	core.Progress
	done int
}

func (b *beginning) Advance(done int) {
	if b.done == 0 {
		b.done = done
	}
}

// TestContinuedFits: a fit that is interrupted, twice, and continued in what might be another
// process gives the same bits; so does one over the wire.
func TestContinuedFits(t *testing.T) {
	k := newTask(t)
	var stop stop
	judge := stoppedOracle{oracle.New(testRuntime, &oracle.Options{Network: small}), &stop}
	fits := map[string]func(ctx context.Context, tr *core.Training) (any, error){
		"cnn": func(ctx context.Context, tr *core.Training) (any, error) { return judge.Fit(ctx, tr) },
	}
	descriptions := map[string]core.Description{"cnn": judge.Describe()}
	far := overWire[core.Oracle](t, judge)[0]
	fits["cnn, over the wire"] = func(ctx context.Context, tr *core.Training) (any, error) { return far.Fit(ctx, tr) }
	descriptions["cnn, over the wire"] = judge.Describe()
	for name, m := range builtins() {
		if d := m.Describe(); quick(m) != nil {
			m := stoppedMethod{m, &stop}
			fits[name] = func(ctx context.Context, tr *core.Training) (any, error) { return m.Fit(ctx, tr) }
			descriptions[name] = d
			far := overWire[core.Method](t, m)[0]
			fits[name+", over the wire"] = func(ctx context.Context, tr *core.Training) (any, error) { return far.Fit(ctx, tr) }
			descriptions[name+", over the wire"] = d
		}
	}
	require.Len(t, fits, 16)
	for name, fit := range fits {
		t.Run(name, func(t *testing.T) {
			make := func() *core.Training {
				return k.training(descriptions[name], 5, map[string]any{"epochs": 5, "batch_size": 16})
			}
			want, err := fit(t.Context(), make())
			require.NoError(t, err)
			s := &states{Progress: core.NoProgress, kept: map[string]*core.State{}}
			for _, steps := range []int{11, 9} { // of 8 an epoch
				ctx, cancel := context.WithCancel(t.Context())
				s.steps, s.cancel = steps, cancel
				stop.after.Store(int64(steps))
				tr := make()
				tr.Progress, tr.Checkpoints = s, s
				_, err := fit(ctx, tr)
				require.ErrorIs(t, err, context.Canceled)
				require.Len(t, s.kept, 1)
			}
			stop.after.Store(0)
			tr := make()
			begin := &beginning{Progress: core.NoProgress}
			tr.Progress, tr.Checkpoints = begin, s
			got, err := fit(t.Context(), tr)
			require.NoError(t, err)

			assert.Greater(t, begin.done, 1, "the training went on where it was")
			expected, found := core.ReportOf(want), core.ReportOf(got)
			expected.CompileSeconds, found.CompileSeconds = 0, 0
			assert.Equal(t, expected, found)
			switch want := want.(type) {
			case core.Model:
				x, err := want.Predict(t.Context(), tr.Validation.Snapshots())
				require.NoError(t, err)
				y, err := got.(core.Model).Predict(t.Context(), tr.Validation.Snapshots())
				require.NoError(t, err)
				assert.Equal(t, x.Floats(), y.Floats())
			case core.Judge:
				x, err := want.(core.Encoder).Encoder().Embed(t.Context(), tr.Validation.Snapshots())
				require.NoError(t, err)
				y, err := got.(core.Encoder).Encoder().Embed(t.Context(), tr.Validation.Snapshots())
				require.NoError(t, err)
				assert.Equal(t, x, y)
			}
		})
	}
}
