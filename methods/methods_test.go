package methods_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/synthetic"
	"github.com/koopbench/koopbench/methods"
	"github.com/koopbench/koopbench/methods/analogue"
	"github.com/koopbench/koopbench/methods/autoencoder"
	"github.com/koopbench/koopbench/methods/classifier"
	"github.com/koopbench/koopbench/methods/consistent"
	"github.com/koopbench/koopbench/methods/contrastive"
	"github.com/koopbench/koopbench/methods/dmd"
	"github.com/koopbench/koopbench/methods/dpnets"
	"github.com/koopbench/koopbench/methods/edmd"
	"github.com/koopbench/koopbench/methods/kernel"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/methods/lora"
	"github.com/koopbench/koopbench/methods/oracle"
	"github.com/koopbench/koopbench/methods/randomnetwork"
	"github.com/koopbench/koopbench/methods/vamp"
	"github.com/koopbench/koopbench/nn"
)

var (
	testRuntime = nn.NewRuntime("cpu")
	small       = &nn.CNN{Channels: []int{4, 8}, Kernel: 3}
)

func TestBuiltin(t *testing.T) {
	// Nothing runs until something is fitted, so any runtime will do.
	r, err := methods.Builtin(nn.NewRuntime("none"))
	require.NoError(t, err)
	assert.Equal(t, []string{
		"analogue",
		"autoencoder",
		"classifier",
		"consistent",
		"contrastive",
		"dmd",
		"dpnets",
		"dpnets-relaxed",
		"edmd",
		"kernel",
		"linear",
		"lora",
		"random-network",
		"vamp",
	}, r.Methods.Names())
	assert.Equal(t, []string{"dictionary", "kernel-features", "pixels", "random-features"}, r.Embedders.Names())
	assert.Equal(t, []string{"ridge"}, r.Operators.Names())
	assert.Equal(t, []string{"dpnets", "dpnets-relaxed", "lora", "spectral-contrastive", "vamp"}, r.Losses.Names())
	assert.Equal(t, []string{"cnn"}, r.Oracles.Names())
	for _, d := range r.Methods.Descriptions() {
		assert.NotEmpty(t, d.Doc, d.Name)
		assert.Equal(t, d.Name == "classifier", d.Exposure == core.OracleExposed, d.Name)
	}
	for _, name := range []string{"vamp", "contrastive", "autoencoder"} {
		m, err := r.Methods.Get(name)
		require.NoError(t, err)
		options, err := m.Describe().Resolve(nil)
		require.NoError(t, err)
		assert.Equal(
			t,
			nn.Schedule{Epochs: 50, BatchSize: 64, LearningRate: 2e-3, WeightDecay: 0.01, Optimiser: nn.AdamW,
				Rates: nn.ConstantRate},
			nn.ReadSchedule(options),
		)
		assert.InDelta(t, 1e-6, options.Float("alpha"), 0)
		assert.Zero(t, options.Int("rank"))
	}
	m, err := r.Methods.Get("consistent")
	require.NoError(t, err)
	options, err := m.Describe().Resolve(nil)
	require.NoError(t, err)
	assert.Equal(t,
		nn.Schedule{Epochs: 50, BatchSize: 64, LearningRate: 1e-3, Optimiser: nn.Adam, Rates: nn.ConstantRate},
		nn.ReadSchedule(options))
	judge, err := r.Oracles.Get("cnn")
	require.NoError(t, err)
	options, err = judge.Describe().Resolve(nil)
	require.NoError(t, err)
	assert.Equal(
		t,
		nn.Schedule{Epochs: 20, BatchSize: 64, LearningRate: 8e-4, WeightDecay: 0.01, Optimiser: nn.AdamW,
			Rates: nn.ConstantRate},
		nn.ReadSchedule(options),
	)
	assert.Equal(t, "contrastive", methods.Reference(testRuntime).Describe().Name)
}

// task is a small ordered sequence with its judge.
type task struct {
	training func(d core.Description, seed int64, options map[string]any) *core.Training
	judge    core.Judge
}

func newTask(t testing.TB) task {
	o := oracle.New(testRuntime, &oracle.Options{Network: small})
	make := func(d core.Description, seed int64, options map[string]any) *core.Training {
		tr, err := synthetic.Training(d, 160, 8, 4, seed, options)
		require.NoError(t, err)
		return tr
	}
	judge, err := o.Fit(t.Context(), make(o.Describe(), 1, map[string]any{"epochs": 15, "batch_size": 16, "lr": 0.01}))
	require.NoError(t, err)
	return task{make, judge}
}

// accuracy is the share of validation snapshots whose prediction, steps times fed back, the judge labels rightly.
func (k task) accuracy(t testing.TB, m core.Model, tr *core.Training, steps int) float64 {
	x := tr.Validation.Snapshots()
	var err error
	for range steps {
		x, err = m.Predict(t.Context(), x)
		require.NoError(t, err)
		require.True(t, x.SameShape(tr.Validation.At(0)))
	}
	labels, err := k.judge.Classify(t.Context(), x)
	require.NoError(t, err)
	right := 0.0
	for i, label := range labels {
		if label == (tr.ValidationLabels[i]+steps)%tr.States {
			right++
		}
	}
	return right / float64(len(labels))
}

func builtins() map[string]core.Method {
	return map[string]core.Method{
		"analogue":       analogue.New(),
		"linear":         linear.New(),
		"dmd":            dmd.New(),
		"edmd":           edmd.New(),
		"kernel":         kernel.New(),
		"classifier":     classifier.New(),
		"random-network": randomnetwork.New(testRuntime, &randomnetwork.Options{Network: small}),
		"vamp":           vamp.New(testRuntime, &vamp.Options{Network: small}),
		"contrastive":    contrastive.New(testRuntime, &contrastive.Options{Network: small}),
		"autoencoder":    autoencoder.New(testRuntime, &autoencoder.Options{Network: small}),
		"consistent":     consistent.New(testRuntime, &consistent.Options{Network: small}),
		"dpnets":         dpnets.New(testRuntime, &dpnets.Options{Network: small}),
		"dpnets-relaxed": dpnets.NewRelaxed(testRuntime, &dpnets.Options{Network: small}),
		"lora":           lora.New(testRuntime, &lora.Options{Network: small}),
	}
}

// quick are options with which a neural method learns the small task in a second.
func quick(m core.Method) map[string]any {
	if _, neural := m.Describe().Option("epochs"); !neural {
		return nil
	}
	return map[string]any{"epochs": 40, "batch_size": 16, "lr": 0.01}
}

func TestMethodsLearnTheSmallTask(t *testing.T) {
	k := newTask(t)
	encoder, ok := core.As[core.Encoder](k.judge)
	require.True(t, ok)
	for name, m := range builtins() {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && slices.Contains([]string{"contrastive", "autoencoder", "consistent"}, name) {
				t.Skip("trains for seconds; vamp goes the same way, and the tests of the autoencoders train them")
			}
			d := m.Describe()
			require.NoError(t, d.Validate())
			assert.Equal(t, name, d.Name)
			seed := int64(3)
			if name == "consistent" {
				seed = 7 // at 3 the small network is dead from the start
			}
			tr := k.training(d, seed, quick(m))
			tr.TrainLabels, tr.ValidationLabels = nil, nil
			if d.Exposure == core.OracleExposed {
				tr.OracleEmbedding = encoder.Encoder()
			}
			model, err := m.Fit(t.Context(), tr)
			require.NoError(t, err)
			tr = k.training(d, seed, quick(m))
			report := core.ReportOf(model)
			assert.Empty(t, report.Untrained)
			if name != "edmd" { // whose operator is that of all its functions
				assert.LessOrEqual(t, report.Rank, 4)
			}
			if quick(m) != nil {
				require.Len(t, report.History, 40)
				assert.Less(t, report.History[39].Validation, report.History[0].Validation)
				assert.Positive(t, report.Parameters)
			} else {
				assert.Empty(t, report.History)
				assert.Equal(t, name == "random-network", report.CompileSeconds > 0)
			}
			assert.Greater(t, k.accuracy(t, model, tr, 1), 0.95)
			if name != "autoencoder" && name != "consistent" { // latents follow the images, and need not span all states
				assert.Greater(t, k.accuracy(t, model, tr, 6), 0.7)
			}

			spectral, ok := core.As[core.Spectral](model)
			require.Equal(t, name != "analogue", ok, "it has no operator")
			if !ok {
				return
			}
			if name != "autoencoder" {
				assert.GreaterOrEqual(t, report.Rank, 4)
			}
			left, err := spectral.LeftEigenfunctions(t.Context(), tr.Validation.Snapshots())
			require.NoError(t, err)
			rows, columns := left.Dims()
			assert.Equal(t, []int{tr.Validation.Len(), len(spectral.Eigenvalues())}, []int{rows, columns})
		})
	}
}

func TestMethodsRefuseUnsuitableData(t *testing.T) {
	x, err := core.NewSnapshots(make([]float32, 20*3*9), 3, 9)
	require.NoError(t, err)
	for name, m := range builtins() {
		if quick(m) == nil {
			continue
		}
		options, err := m.Describe().Resolve(nil)
		require.NoError(t, err)
		_, err = m.Fit(t.Context(), &core.Training{
			Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x),
			Lag: 1, States: 2, Options: options, Name: name, Progress: core.NoProgress,
		})
		require.ErrorIs(t, err, core.ErrShape, name)
		assert.ErrorContains(t, err, "3×9", name)
		assert.ErrorContains(t, err, "at least 4", name)
	}
}

func TestMethodsAreCancelled(t *testing.T) {
	k := newTask(t)
	for name, m := range builtins() {
		ctx, cancel := context.WithCancel(t.Context())
		tr := k.training(m.Describe(), 1, nil)
		tr.OracleEmbedding = k.judge.(core.Encoder).Encoder()
		tr.Progress = canceller{core.NoProgress, cancel}
		_, err := m.Fit(ctx, tr)
		if quick(m) != nil {
			require.ErrorIs(t, err, context.Canceled, name)
		}
		cancel()
	}
}

// canceller ends a context at the first step of training.
type canceller struct {
	core.Progress
	cancel func()
}

func (c canceller) Advance(int) { c.cancel() }

// TestConcurrentFits: fits at the same time give what they give one by one.
func TestConcurrentFits(t *testing.T) {
	k := newTask(t)
	m := builtins()["autoencoder"]
	fit := func() []float32 {
		tr := k.training(m.Describe(), 1, map[string]any{"epochs": 2})
		model, err := m.Fit(context.Background(), tr)
		if !assert.NoError(t, err) {
			return nil
		}
		x, err := model.Predict(context.Background(), tr.Validation.Snapshots())
		assert.NoError(t, err)
		return x.Floats()
	}
	want := fit()
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() { assert.Equal(t, want, fit()) })
	}
	wait.Wait()
}

// ability returns what a thing must have.
func ability[T any](t *testing.T, thing any) T {
	t.Helper()
	has, ok := core.As[T](thing)
	require.True(t, ok)
	return has
}
