package methods_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/conformance"
	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods"
	"github.com/koopbench/koopbench/methods/oracle"
	"github.com/koopbench/koopbench/registry"
)

// conformanceOptions are those under which a thing of that description learns small images in a second, which it must.
func conformanceOptions(t *testing.T, d core.Description) *conformance.Options {
	o := &conformance.Options{Shape: []int{8, 8}, Snapshots: 160, Observe: func(r check.Result) {
		if r.Check == "learns" || r.Check == "lag" || r.Check == "forecast-steps" {
			assert.Equal(t, check.Pass, r.Status, r.Explanation())
		}
	}}
	if _, neural := d.Option("epochs"); neural {
		o.Epochs = 100
		o.Settings = map[string]any{"batch_size": 16, "lr": 0.01}
	}
	return o
}

func builtin(t *testing.T) *registry.Registry {
	r, err := methods.Builtin(testRuntime)
	require.NoError(t, err)
	return r
}

// TestMethodsConform checks the built-in methods as they are registered, but for their network, which is small.
func TestMethodsConform(t *testing.T) {
	small := builtins()
	names := builtin(t).Methods.Names()
	require.Len(t, small, len(names))
	for _, name := range names {
		m := small[name]
		require.NotNil(t, m, name)
		t.Run(name, func(t *testing.T) {
			if testing.Short() && (name == "contrastive" || name == "autoencoder") {
				t.Skip("trains for seconds; vamp goes the same way")
			}
			conformance.RunMethodSuite(t, func() core.Method { return m }, conformanceOptions(t, m.Describe()))
		})
	}
}

func TestEmbeddersConform(t *testing.T) {
	set := builtin(t).Embedders
	for _, name := range set.Names() {
		t.Run(name, func(t *testing.T) {
			e, err := set.Get(name)
			require.NoError(t, err)
			conformance.RunEmbedderSuite(t, func() core.Embedder { return e }, conformanceOptions(t, e.Describe()))
		})
	}
}

func TestOperatorsConform(t *testing.T) {
	set := builtin(t).Operators
	for _, name := range set.Names() {
		t.Run(name, func(t *testing.T) {
			operator, err := set.Get(name)
			require.NoError(t, err)
			conformance.RunOperatorSuite(t, func() core.EvolutionOperator { return operator }, nil)
		})
	}
}

func TestLossesConform(t *testing.T) {
	set := builtin(t).Losses
	for _, name := range set.Names() {
		t.Run(name, func(t *testing.T) {
			l, err := set.Get(name)
			require.NoError(t, err)
			conformance.RunLossSuite(t, func() core.Loss { return l }, nil)
		})
	}
}

func TestOraclesConform(t *testing.T) {
	require.Equal(t, []string{"cnn"}, builtin(t).Oracles.Names())
	o := oracle.New(testRuntime, &oracle.Options{Network: small})
	conformance.RunOracleSuite(t, func() core.Oracle { return o }, conformanceOptions(t, o.Describe()))
}
