package methods_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/conformance"
	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/methods/oracle"
	"github.com/koopbench/koopbench/plugin"
	"github.com/koopbench/koopbench/registry"
)

// conformanceOptions are those under which a thing of that description learns small snapshots in a
// second, which it must.
func conformanceOptions(t *testing.T, d core.Description, shape ...int) *conformance.Options {
	_, neural := d.Option("epochs")
	o := &conformance.Options{Shape: shape, Snapshots: 160, Observe: func(r check.Result) {
		must := []string{"learns", "lag"}
		if d.Name != "analogue" { // which has no operator to take powers of
			must = append(must, "forecast-steps")
		}
		if d.Name != "consistent" { // which refuses trajectories of one pair each: it learns from triples
			must = append(must, "trajectories")
		}
		if slices.Contains(must, r.Check) || r.Check == "continued" && neural {
			assert.Equal(t, check.Pass, r.Status, r.Explanation())
		}
	}}
	if neural {
		o.Epochs = 100
		o.Settings = map[string]any{"batch_size": 16, "lr": 0.01}
	}
	if _, ofDictionary := d.Option("frequencies"); ofDictionary {
		o.Settings = map[string]any{"frequencies": 1} // those of 64 values are many functions
	}
	return o
}

func builtin(t *testing.T) *registry.Registry {
	r, err := methods.Builtin(testRuntime)
	require.NoError(t, err)
	return r
}

// The test binary is a plugin where it is started as one: it serves what the tests below check.
func TestMain(m *testing.M) {
	if os.Getenv("KOOPBENCH_PLUGIN") != "" {
		things, err := things()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		plugin.Serve(things...)
	}
	os.Exit(m.Run())
}

// things are the built-in things as they are registered, but for their networks, which are small.
func things() ([]any, error) {
	r, err := methods.Builtin(testRuntime)
	if err != nil {
		return nil, err
	}
	methodsByName := builtins()
	var all []any
	for _, name := range r.Methods.Names() {
		all = append(all, methodsByName[name])
	}
	for _, name := range r.Embedders.Names() {
		e, err := r.Embedders.Get(name)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	for _, name := range r.Operators.Names() {
		o, err := r.Operators.Get(name)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	for _, name := range r.Losses.Names() {
		l, err := r.Losses.Get(name)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return append(all, oracle.New(testRuntime, &oracle.Options{Network: small})), nil
}

// TestConformance checks what is built in three ways: in this process, through the wire format in
// memory, and in another process. What the last two give equals, to the bit, what the first gives.
func TestConformance(t *testing.T) {
	local, err := things()
	require.NoError(t, err)
	t.Run("in process", func(t *testing.T) { conform(t, local, nil) })
	t.Run("in memory", func(t *testing.T) {
		loop, err := plugin.Loopback(local...)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, loop.Close()) })
		conform(t, loop.Things, local)
	})
	t.Run("in another process", func(t *testing.T) {
		self, err := os.Executable()
		require.NoError(t, err)
		p, err := plugin.Open(t.Context(), self, nil)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, p.Close()) })
		conform(t, p.Things, local)
	})
}

// conform runs the suite of each thing. Its outputs must equal those of the reference, if there are any.
func conform(t *testing.T, things, references []any) {
	r := builtin(t)
	names := slices.Concat(r.Methods.Names(), r.Embedders.Names(), r.Operators.Names(), r.Losses.Names(),
		r.Oracles.Names())
	require.Len(t, things, len(names))
	for i, thing := range things {
		d := thing.(interface{ Describe() core.Description }).Describe()
		require.Equal(t, names[i], d.Name)
		t.Run(fmt.Sprintf("%s %s", core.KindOf(thing), d.Name), func(t *testing.T) {
			if testing.Short() && slices.Contains([]string{"contrastive", "autoencoder", "consistent"}, d.Name) {
				t.Skip("trains for seconds; vamp goes the same way")
			}
			o := conformanceOptions(t, d, 8, 8)
			if references != nil {
				o.Reference = references[i]
				observe := o.Observe
				o.Observe = func(r check.Result) {
					observe(r)
					if r.Check == "same-outputs" {
						assert.Equal(t, check.Pass, r.Status, r.Explanation())
					}
				}
			}
			conformance.RunSuite(t, func() any { return thing }, o)
		})
	}
}

// TestConformanceOnVectors: what is fitted to snapshots keeps the same rules where they are no images.
func TestConformanceOnVectors(t *testing.T) {
	r := builtin(t)
	var all []any
	for _, name := range r.Methods.Names() {
		m, err := r.Methods.Get(name)
		require.NoError(t, err)
		all = append(all, m)
	}
	all = append(all, linear.Pixels(), methods.Reference(testRuntime), oracle.New(testRuntime, nil))
	for _, thing := range all {
		d := thing.(interface{ Describe() core.Description }).Describe()
		t.Run(fmt.Sprintf("%s %s", core.KindOf(thing), d.Name), func(t *testing.T) {
			o := conformanceOptions(t, d, 12)
			if _, ok := d.Option("width"); ok {
				if o.Settings == nil {
					o.Settings = map[string]any{}
				}
				o.Settings["width"] = 24
			}
			conformance.RunSuite(t, func() any { return thing }, o)
		})
	}
}
