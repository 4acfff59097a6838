package methods_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/synthetic"
	"github.com/koopbench/koopbench/methods"
)

// BenchmarkStep times a training step of each neural method, and of the oracle, with the reference network: 28×28 images, 64
// pairs or images a batch. Compilation is left out.
func BenchmarkStep(b *testing.B) {
	r, err := methods.Builtin(testRuntime)
	require.NoError(b, err)
	for _, name := range []string{"vamp", "contrastive", "autoencoder"} {
		m, err := r.Methods.Get(name)
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			benchmarkStep(b, m.Describe(), func(ctx context.Context, t *core.Training) error {
				_, err := m.Fit(ctx, t)
				return err
			})
		})
	}
	judge, err := r.Oracles.Get("cnn")
	require.NoError(b, err)
	b.Run("oracle", func(b *testing.B) {
		benchmarkStep(b, judge.Describe(), func(ctx context.Context, t *core.Training) error {
			_, err := judge.Fit(ctx, t)
			return err
		})
	})
}

// benchmarkStep runs one long fit, of which each training step is an iteration.
func benchmarkStep(b *testing.B, d core.Description, fit func(ctx context.Context, t *core.Training) error) {
	tr, err := synthetic.Training(d, 4100, 28, 5, 1, map[string]any{"epochs": 1000})
	require.NoError(b, err)
	tr.Validation, tr.ValidationLabels = tr.Validation.Slice(0, 2), tr.ValidationLabels[:2]
	ctx, cancel := context.WithCancel(b.Context())
	steps, end := make(chan struct{}), make(chan error, 1)
	tr.Progress = stepper{core.NoProgress, func() {
		select {
		case steps <- struct{}{}:
		case <-ctx.Done():
		}
	}}
	go func() { end <- fit(ctx, tr) }()
	step := func() {
		select {
		case <-steps:
		case err := <-end:
			b.Fatal(err)
		}
	}
	step() // compiles
	for b.Loop() {
		step()
	}
	cancel()
	if err := <-end; !errors.Is(err, context.Canceled) {
		b.Fatal(err)
	}
}

// stepper calls step after every training step.
type stepper struct {
	core.Progress
	step func()
}

func (s stepper) Advance(int) { s.step() }
