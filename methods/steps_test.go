package methods_test

import (
	"cmp"
	"context"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/backend/cpu/blas"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/dataset"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/methods"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/nn"
)

// benchRuntime is the backend that GOMLX_BACKEND names, "cpu" by default, "xla:/path/to/plugin.so" with -tags xla.
func benchRuntime() *nn.Runtime { return nn.NewRuntime(cmp.Or(os.Getenv("GOMLX_BACKEND"), "cpu")) }

// BenchmarkStep times a training step of each neural method, and of the oracle, with the reference
// network: 64 pairs or images of Ordered MNIST a batch. Compilation is left out.
func BenchmarkStep(b *testing.B) {
	r, err := methods.Builtin(benchRuntime())
	require.NoError(b, err)
	for _, name := range []string{"vamp", "contrastive", "autoencoder", "consistent"} {
		m, err := r.Methods.Get(name)
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			benchmarkStep(b, orderedMNIST(b, m.Describe(), 46*64+1, 1000), func(ctx context.Context, t *core.Training) error {
				_, err := m.Fit(ctx, t)
				return err
			})
		})
	}
	m, err := r.Methods.Get("contrastive")
	require.NoError(b, err)
	b.Run("contrastive-33000", func(b *testing.B) { // images, eleven times as many
		benchmarkStep(b, orderedMNIST(b, m.Describe(), 515*64+1, 1000), func(ctx context.Context, t *core.Training) error {
			_, err := m.Fit(ctx, t)
			return err
		})
	})
	judge, err := r.Oracles.Get("cnn")
	require.NoError(b, err)
	b.Run("oracle", func(b *testing.B) {
		benchmarkStep(b, orderedMNIST(b, judge.Describe(), 46*64, 1000), func(ctx context.Context, t *core.Training) error {
			_, err := judge.Fit(ctx, t)
			return err
		})
	})
}

// BenchmarkEmbed times the features of 1000 images by the reference encoder.
func BenchmarkEmbed(b *testing.B) {
	r, err := methods.Builtin(benchRuntime())
	require.NoError(b, err)
	oracle, err := r.Oracles.Get("cnn")
	require.NoError(b, err)
	t := orderedMNIST(b, oracle.Describe(), 1000, 1)
	images := t.Train.At(0)
	t.Train, t.TrainLabels = core.OneTrajectory(images.Slice(0, 64)), t.TrainLabels[:64]
	judge, err := oracle.Fit(b.Context(), t)
	require.NoError(b, err)
	encoder, ok := core.As[core.Encoder](judge)
	require.True(b, ok)
	for b.Loop() {
		_, err := encoder.Encoder().Embed(b.Context(), images)
		require.NoError(b, err)
	}
}

// BenchmarkRidge times the reduced-rank regression of the method "linear" on 3000 images of 784
// standardised pixels. Products of matrices are those of the cpu backend where that is the backend,
// as in the command bench, and gonum's otherwise.
func BenchmarkRidge(b *testing.B) {
	backend, err := benchRuntime().Backend()
	require.NoError(b, err)
	if own, ok := backend.(*cpu.Backend); ok {
		products, err := blas.New(&blas.Options{Set: own.Kernels()})
		require.NoError(b, err)
		blas64.Use(products)
		b.Cleanup(func() { blas64.Use(gonum.Implementation{}) })
	}
	t := orderedMNIST(b, linear.New().Describe(), 3000, 0)
	pixels, err := linear.Pixels().Fit(b.Context(), t)
	require.NoError(b, err)
	x, err := pixels.Embed(b.Context(), t.Train.Snapshots())
	require.NoError(b, err)
	for b.Loop() {
		_, err := linalg.FitRidge(b.Context(), x, nil, t.Lag, &linalg.RidgeOptions{Rank: 5})
		require.NoError(b, err)
	}
}

// orderedMNIST has the first n images to train on, and hardly any to validate on. epochs is an
// option where it is not 0.
func orderedMNIST(b *testing.B, d core.Description, n, epochs int) *core.Training {
	b.Helper()
	set, err := dataset.MNIST()
	require.NoError(b, err)
	const digits, validation = 5, 3
	s, err := set.Ordered(digits, n+validation)
	require.NoError(b, err)
	values := map[string]any{}
	if epochs > 0 {
		values["epochs"] = epochs
	}
	options, err := d.Resolve(values)
	require.NoError(b, err)
	return &core.Training{
		Train:       core.OneTrajectory(s.Snapshots.Slice(0, n)),
		Validation:  core.OneTrajectory(s.Snapshots.Slice(n, n+validation)),
		TrainLabels: s.Labels[:n], ValidationLabels: s.Labels[n:],
		Lag: 1, States: digits, Options: options, Seed: 1, Name: d.Name, Progress: core.NoProgress,
	}
}

// benchmarkStep runs one long fit, of which each training step is an iteration.
func benchmarkStep(b *testing.B, t *core.Training, fit func(ctx context.Context, t *core.Training) error) {
	ctx, cancel := context.WithCancel(b.Context())
	steps, end := make(chan struct{}), make(chan error, 1)
	t.Progress = stepper{core.NoProgress, func() {
		select {
		case steps <- struct{}{}:
		case <-ctx.Done():
		}
	}}
	go func() { end <- fit(ctx, t) }()
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
