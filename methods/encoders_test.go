package methods_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/autoencoder"
	"github.com/koopbench/koopbench/methods/consistent"
	"github.com/koopbench/koopbench/methods/contrastive"
	"github.com/koopbench/koopbench/methods/oracle"
	"github.com/koopbench/koopbench/methods/vamp"
	"github.com/koopbench/koopbench/nn"
)

// dense is an encoder and a decoder of fully connected layers, as an outsider would write them.
type dense struct {
	Hidden int `json:"hidden"`
}

var _ nn.Autoencoder = dense{}

func (d dense) CheckShape([]int) error {
	if d.Hidden < 1 {
		return fmt.Errorf("%w: %d hidden units; give at least 1", core.ErrOption, d.Hidden)
	}
	return nil
}

func (d dense) Encode(scope *model.Scope, x *graph.Node, features int) *graph.Node {
	x = graph.Reshape(x, x.Shape().Dim(0), -1)
	return nn.Linear(scope.At("out"), nn.ReLU(nn.Linear(scope.At("hidden"), x, d.Hidden)), features)
}

func (d dense) Decode(scope *model.Scope, z *graph.Node, shape ...int) *graph.Node {
	size := 1
	for _, n := range shape {
		size *= n
	}
	x := nn.Linear(scope.At("out"), nn.ReLU(nn.Linear(scope.At("hidden"), z, d.Hidden)), size)
	return graph.Reshape(x, append([]int{z.Shape().Dim(0)}, shape...)...)
}

// TestOtherEncoders: methods and the oracle take an encoder that is no CNN, learn with it, and
// their models are saved with what it was, so that one that is configured otherwise loads them to
// the same bits.
func TestOtherEncoders(t *testing.T) {
	k := newTask(t)
	for name, made := range map[string]func(network nn.Autoencoder) core.Method{
		"vamp": func(n nn.Autoencoder) core.Method { return vamp.New(testRuntime, &vamp.Options{Network: n}) },
		"contrastive": func(n nn.Autoencoder) core.Method {
			return contrastive.New(testRuntime, &contrastive.Options{Network: n})
		},
		"autoencoder": func(n nn.Autoencoder) core.Method {
			return autoencoder.New(testRuntime, &autoencoder.Options{Network: n})
		},
		"consistent": func(n nn.Autoencoder) core.Method {
			return consistent.New(testRuntime, &consistent.Options{Network: n})
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := made(dense{24})
			tr := k.training(m.Describe(), 3, quick(m))
			fitted, err := m.Fit(t.Context(), tr)
			require.NoError(t, err)
			assert.Greater(t, k.accuracy(t, fitted, tr, 1), 0.9)
			// Layers of 8×8 → 24 → 4 with biases, and W; with 4 → 24 → 64 besides in the
			// autoencoders, and B in "consistent".
			want := 64*24 + 24 + 24*4 + 4 + 4*4
			decoder := 4*24 + 24 + 24*64 + 64
			switch name {
			case "autoencoder":
				want += decoder
			case "consistent":
				want += decoder + 4*4
			}
			assert.Equal(t, want, core.ReportOf(fitted).Parameters)
			predicted, err := fitted.Predict(t.Context(), tr.Validation.Snapshots())
			require.NoError(t, err)

			s := throughAFile(t, fitted)
			assert.Contains(t, string(s.Facts), `"encoder":{"type":"methods_test.dense","fields":{"hidden":24}}`)
			for _, other := range []nn.Autoencoder{dense{3}, &dense{}} {
				loaded, err := made(other).(core.ModelLoader).Load(t.Context(), &core.Saved{State: *s})
				require.NoError(t, err)
				again, err := loaded.Predict(t.Context(), tr.Validation.Snapshots())
				require.NoError(t, err)
				assert.Equal(t, predicted.Floats(), again.Floats())
				assert.Equal(t, s, throughAFile(t, loaded))
			}
			_, err = made(small).(core.ModelLoader).Load(t.Context(), &core.Saved{State: *s})
			require.ErrorIs(t, err, core.ErrShape)
			assert.ErrorContains(t, err, `the model has the encoder "methods_test.dense"; this method has a nn.CNN`)

			_, err = made(dense{}).Fit(t.Context(), tr)
			assert.ErrorIs(t, err, core.ErrOption)
			_, err = made(&nn.CNN{Channels: []int{4}, Kernel: 2}).Fit(t.Context(), tr)
			assert.ErrorIs(t, err, core.ErrOption)
			assert.ErrorContains(t, err, "filters [4] of size 2; give 1 to 24 convolutions of at least 1 filter each")
		})
	}
}

// wide is dense with the option "hidden", and one of a name that the training has too.
type wide struct{ dense }

var _ nn.Configurable = wide{}

func (w wide) Options() []core.Option {
	return []core.Option{
		core.IntOption("hidden", w.Hidden, 1, 100, "hidden units"), core.IntOption("epochs", 1, 1, 9, "times hidden"),
	}
}

func (w wide) With(o core.Options) nn.Encoder { return wide{dense{o.Int("hidden") * o.Int("epochs")}} }

// TestEncoderOptions: options of an encoder are options of the method, and a model that was saved
// with others than the defaults is loaded without being told them.
func TestEncoderOptions(t *testing.T) {
	k := newTask(t)
	m := vamp.New(testRuntime, &vamp.Options{Network: wide{dense{24}}})
	require.NoError(t, m.Describe().Validate())
	tr := k.training(m.Describe(), 3, map[string]any{"epochs": 2, "batch_size": 16, "hidden": 5, "encoder_epochs": 2})
	fitted, err := m.Fit(t.Context(), tr)
	require.NoError(t, err)
	assert.Len(t, core.ReportOf(fitted).History, 2)
	assert.Equal(t, 64*10+10+10*4+4+4*4, core.ReportOf(fitted).Parameters)
	want, err := fitted.Predict(t.Context(), tr.Validation.Snapshots())
	require.NoError(t, err)
	loaded, err := m.(core.ModelLoader).Load(t.Context(), &core.Saved{State: *throughAFile(t, fitted)})
	require.NoError(t, err)
	got, err := loaded.Predict(t.Context(), tr.Validation.Snapshots())
	require.NoError(t, err)
	assert.Equal(t, want.Floats(), got.Floats())
}

// TestSpoiledEncoders: fields that a file got wrong are errors, and a state of before encoders were
// kept is loaded with the encoder of the method.
func TestSpoiledEncoders(t *testing.T) {
	k := newTask(t)
	s := throughAFile(t, k.judge)
	load := func(facts []byte) error {
		_, err := oracle.New(testRuntime, &oracle.Options{Network: small}).(core.JudgeLoader).
			Load(t.Context(), &core.Saved{State: core.State{Facts: facts, Arrays: s.Arrays}})
		return err
	}
	kept := []byte(`"encoder":{"type":"nn.CNN","fields":{"Channels":[4,8],"Kernel":3}}`)
	require.Contains(t, string(s.Facts), string(kept))
	for fields, want := range map[string]error{
		`{"Channels":[4,8],"Kernel":3,"Depth":2}`:                                   core.ErrShape,
		`{"Channels":"4","Kernel":3}`:                                               core.ErrShape,
		`{"Channels":[4],"Kernel":3}`:                                               core.ErrShape,
		`{"Channels":[4,8,8,8,8],"Kernel":3}`:                                       core.ErrShape,
		`{"Channels":[],"Kernel":3}`:                                                core.ErrOption,
		`{"Channels":[4,9223372036854775807],"Kernel":3}`:                           core.ErrShape,
		`{"Channels":[4,8],"Kernel":9223372036854775807}`:                           core.ErrShape,
		`{"Channels":[` + string(bytes.Repeat([]byte("1,"), 70)) + `1],"Kernel":3}`: core.ErrOption,
		`null`: core.ErrOption,
	} {
		spoiled := bytes.Replace(s.Facts, []byte(`{"Channels":[4,8],"Kernel":3}`), []byte(fields), 1)
		require.NotEqual(t, s.Facts, spoiled)
		err := load(spoiled)
		assert.ErrorIs(t, err, want, fields)
		assert.NotErrorIs(t, err, core.ErrPanic, fields)
	}
	require.NoError(t, load(s.Facts))
	old := bytes.Replace(s.Facts, append([]byte(","), kept...), nil, 1)
	assert.JSONEq(t, `{"shape":[8,8],"features":4}`, string(old))
	require.NoError(t, load(old))
}

// TestModelsOfOtherOptions: whatever options a model was fitted with, it is loaded without being
// told them, to the same bits.
func TestModelsOfOtherOptions(t *testing.T) {
	k := newTask(t)
	all := builtins()
	for _, c := range []struct {
		method  string
		options map[string]any
	}{
		{"linear", map[string]any{"variant": "full", "alpha": 1e-2}},
		{"linear", map[string]any{"variant": "principal-components", "rank": 3}},
		{"linear", map[string]any{"rank": 2, "centre": true}},
		{"classifier", map[string]any{"variant": "full", "centre": true}},
		{"vamp", map[string]any{
			"schatten": 1, "centre": true, "ridge": 0.1, "rank": 2,
			"variant": "principal-components",
		}},
		{"vamp", map[string]any{"normalise": "batch", "lagged": "encoder", "constant": true, "features": 6,
			"optimiser": "adam"}},
		{"dpnets", map[string]any{"normalise": "rows", "lagged": "linear", "patience": 1, "schedule": "one-cycle",
			"clip": 1.0}},
		{"lora", map[string]any{"nesting": "none", "constant": false, "centre": true, "lagged": "none",
			"schedule": "cosine"}},
		{"contrastive", map[string]any{"variant": "full", "centre": true}},
		{"autoencoder", map[string]any{"linearity": 0.0, "reconstruction": 3.0, "variant": "full", "centre": true}},
	} {
		t.Run(fmt.Sprint(c.method, slices.Sorted(maps.Keys(c.options))), func(t *testing.T) {
			m := all[c.method]
			if quick(m) != nil {
				c.options["epochs"], c.options["batch_size"] = 2, 16
			}
			tr := k.training(m.Describe(), 5, c.options)
			encoder := k.judge.(core.Encoder).Encoder()
			tr.OracleEmbedding = encoder
			fitted, err := m.Fit(t.Context(), tr)
			require.NoError(t, err)
			want, err := ability[core.Forecaster](t, fitted).Forecast(t.Context(), tr.Validation.Snapshots(), 3)
			require.NoError(t, err)
			loader, ok := core.As[core.ModelLoader](builtins()[c.method])
			require.True(t, ok)
			saved := &core.Saved{State: *throughAFile(t, fitted), OracleEmbedding: encoder}
			loaded, err := loader.Load(t.Context(), saved)
			require.NoError(t, err)
			got, err := ability[core.Forecaster](t, loaded).Forecast(t.Context(), tr.Validation.Snapshots(), 3)
			require.NoError(t, err)
			assert.Equal(t, want.Floats(), got.Floats())
			assert.Equal(t, ability[core.Spectral](t, fitted).Eigenvalues(), ability[core.Spectral](t, loaded).Eigenvalues())
		})
	}
}
