package methods_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/statefile"
	"github.com/koopbench/koopbench/methods/oracle"
)

// throughAFile returns a state as another process would read it.
func throughAFile(t *testing.T, thing any) *core.State {
	saver, ok := core.As[core.Saver](thing)
	require.True(t, ok)
	s, err := saver.Save(t.Context())
	require.NoError(t, err)
	data, err := statefile.Encode("test/1", nil, s)
	require.NoError(t, err)
	var none any
	s, err = statefile.Decode(data, "test/1", &none)
	require.NoError(t, err)
	return s
}

// trainedAlong are arrays that no loaded model needs: they were discarded after the training, or the operator has them.
var trainedAlong = []string{
	"embedding/evolution/weights", "embedding/lagged/weights", "embedding/forward/weights", "embedding/backward/weights",
}

// TestSavedModels: a model that was saved and loaded is the same to the bit, and a state with
// anything missing is refused.
func TestSavedModels(t *testing.T) {
	k := newTask(t)
	encoder := k.judge.(core.Encoder).Encoder()
	loaders := builtins()
	for name, m := range builtins() {
		t.Run(name, func(t *testing.T) {
			options := map[string]any{}
			if quick(m) != nil {
				options = map[string]any{"epochs": 2, "batch_size": 16}
			}
			if name == "linear" {
				options["centre"] = true
			}
			tr := k.training(m.Describe(), 5, options)
			tr.OracleEmbedding = encoder
			model, err := m.Fit(t.Context(), tr)
			require.NoError(t, err)
			s := throughAFile(t, model)
			loader, ok := core.As[core.ModelLoader](loaders[name])
			require.True(t, ok)
			loaded, err := loader.Load(t.Context(), &core.Saved{State: *s, OracleEmbedding: encoder})
			require.NoError(t, err)

			want, err := model.Predict(t.Context(), tr.Validation.Snapshots())
			require.NoError(t, err)
			got, err := loaded.Predict(t.Context(), tr.Validation.Snapshots())
			require.NoError(t, err)
			assert.Equal(t, want.Floats(), got.Floats())
			if name != "analogue" { // which has no operator
				assert.Equal(t, ability[core.Spectral](t, model).Eigenvalues(), ability[core.Spectral](t, loaded).Eigenvalues())
				left, err := ability[core.Spectral](t, model).LeftEigenfunctions(t.Context(), tr.Validation.Snapshots())
				require.NoError(t, err)
				again, err := ability[core.Spectral](t, loaded).LeftEigenfunctions(t.Context(), tr.Validation.Snapshots())
				require.NoError(t, err)
				assert.Equal(t, left, again)
			}
			report, kept := core.ReportOf(model), core.ReportOf(loaded)
			report.History, report.CompileSeconds, kept.CompileSeconds = nil, 0, 0
			assert.Equal(t, report, kept)
			assert.Equal(t, s, throughAFile(t, loaded), "what is loaded can be saved again")

			far := overWire[core.Method](t, m)[0]
			farLoader, ok := core.As[core.ModelLoader](far)
			require.True(t, ok)
			loaded, err = farLoader.Load(t.Context(), &core.Saved{State: *s, OracleEmbedding: encoder})
			require.NoError(t, err)
			got, err = loaded.Predict(t.Context(), tr.Validation.Snapshots())
			require.NoError(t, err)
			assert.Equal(t, want.Floats(), got.Floats(), "over the wire")
			assert.Equal(t, s, throughAFile(t, loaded), "over the wire")

			refused := func(why string, spoiled core.State) {
				t.Helper()
				_, err := loader.Load(t.Context(), &core.Saved{State: spoiled, OracleEmbedding: encoder})
				assert.Error(t, err, why)
				assert.NotErrorIs(t, err, core.ErrPanic, why)
			}
			refused("no facts", core.State{Arrays: s.Arrays})
			refused("facts of something else",
				core.State{Facts: []byte(`{"shape":[8,8],"embedding":{},"operator":{}}`), Arrays: s.Arrays})
			for missing, array := range s.Arrays {
				if slices.Contains(trainedAlong, missing) {
					continue
				}
				spoiled := core.State{Facts: s.Facts, Arrays: map[string]core.Array{}}
				for n, a := range s.Arrays {
					if n != missing {
						spoiled.Arrays[n] = a
					}
				}
				if missing != "operator/mean" { // without it the model is another one
					refused(missing, spoiled)
				}
				spoiled.Arrays[missing] = core.Array{Shape: append([]int{1, 1}, array.Shape...), Values: array.Values}
				refused("another shape of "+missing, spoiled)
			}
		})
	}
}

// TestSavedOracle: the same for the judge.
func TestSavedOracle(t *testing.T) {
	k := newTask(t)
	o := oracle.New(testRuntime, &oracle.Options{Network: small})
	loader, ok := core.As[core.JudgeLoader](o)
	require.True(t, ok)
	s := throughAFile(t, k.judge)
	loaded, err := loader.Load(t.Context(), &core.Saved{State: *s})
	require.NoError(t, err)
	tr := k.training(o.Describe(), 5, nil)
	want, err := k.judge.(core.Encoder).Encoder().Embed(t.Context(), tr.Validation.Snapshots())
	require.NoError(t, err)
	got, err := loaded.(core.Encoder).Encoder().Embed(t.Context(), tr.Validation.Snapshots())
	require.NoError(t, err)
	assert.Equal(t, want, got)
	loaded, err = oracle.New(testRuntime, nil).(core.JudgeLoader).Load(t.Context(), &core.Saved{State: *s})
	require.NoError(t, err, "the network is the one that was saved")
	got, err = loaded.(core.Encoder).Encoder().Embed(t.Context(), tr.Validation.Snapshots())
	require.NoError(t, err)
	assert.Equal(t, want, got)
}
