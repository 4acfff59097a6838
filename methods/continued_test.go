package methods_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/oracle"
)

// states keeps what fits store, and ends a context after so many steps.
type states struct {
	core.Progress
	kept   map[string]*core.State
	steps  int
	cancel func()
}

func (s *states) Load(name string) *core.State         { return s.kept[name] }
func (s *states) Due() bool                            { return false }
func (s *states) Store(name string, state *core.State) { s.kept[name] = state }

func (s *states) Advance(int) {
	if s.steps--; s.steps == 0 {
		s.cancel()
	}
}

// TestContinuedFits: a fit that is interrupted, twice, and continued in what might be another process gives the same bits.
func TestContinuedFits(t *testing.T) {
	k := newTask(t)
	judge := oracle.New(testRuntime, &oracle.Options{Network: small})
	fits := map[string]func(ctx context.Context, tr *core.Training) (any, error){
		"cnn": func(ctx context.Context, tr *core.Training) (any, error) { return judge.Fit(ctx, tr) },
	}
	descriptions := map[string]core.Description{"cnn": judge.Describe()}
	for name, m := range builtins() {
		if d := m.Describe(); quick(m) != nil {
			fits[name] = func(ctx context.Context, tr *core.Training) (any, error) { return m.Fit(ctx, tr) }
			descriptions[name] = d
		}
	}
	require.Len(t, fits, 4)
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
				tr := make()
				tr.Progress, tr.Checkpoints = s, s
				_, err := fit(ctx, tr)
				require.ErrorIs(t, err, context.Canceled)
				require.Len(t, s.kept, 1)
			}
			tr := make()
			tr.Checkpoints = s
			got, err := fit(t.Context(), tr)
			require.NoError(t, err)

			expected, found := core.ReportOf(want), core.ReportOf(got)
			expected.CompileSeconds, found.CompileSeconds = 0, 0
			assert.Equal(t, expected, found)
			switch want := want.(type) {
			case core.Model:
				x, err := want.Predict(t.Context(), tr.Validation)
				require.NoError(t, err)
				y, err := got.(core.Model).Predict(t.Context(), tr.Validation)
				require.NoError(t, err)
				assert.Equal(t, x.Floats(), y.Floats())
			case core.Judge:
				x, err := want.(core.Encoder).Encoder().Embed(t.Context(), tr.Validation)
				require.NoError(t, err)
				y, err := got.(core.Encoder).Encoder().Embed(t.Context(), tr.Validation)
				require.NoError(t, err)
				assert.Equal(t, x, y)
			}
		})
	}
}
