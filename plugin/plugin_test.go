//go:build unix

package plugin_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/plugin"
)

// The test binary is a plugin where it is started as one.
func TestMain(m *testing.M) {
	if os.Getenv("KOOPBENCH_PLUGIN") != "" {
		if os.Getenv(actVariable) != "" {
			misbehave()
		}
		plugin.Serve(linear.New(), linear.Pixels(), linalg.Ridge{})
	}
	if path := os.Getenv(hostVariable); path != "" {
		host(path)
	}
	os.Exit(m.Run())
}

func executable(t *testing.T) string {
	path, err := os.Executable()
	require.NoError(t, err)
	return path
}

func ramp(t testing.TB, n int) core.Snapshots {
	values := make([]float32, 4*n)
	for i := range values {
		values[i] = float32((i*7)%11) / 10
	}
	x, err := core.NewSnapshots(values, 2, 2)
	require.NoError(t, err)
	return x
}

func TestAMethodInAnotherProcess(t *testing.T) {
	p, err := plugin.Open(t.Context(), executable(t), nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, p.Close()) }()
	require.Len(t, p.Things, 3)
	assert.True(t, p.Info().Encrypted)
	remote := p.Things[0].(core.Method)
	local := linear.New()
	assert.Equal(t, local.Describe(), remote.Describe())

	ctx, scope := core.WithScope(t.Context())
	defer func() { assert.NoError(t, scope.Close()) }()
	for _, ctx := range []context.Context{ctx, t.Context()} {
		options, err := local.Describe().Resolve(nil)
		require.NoError(t, err)
		training := &core.Training{Train: ramp(t, 30), Validation: ramp(t, 12), Lag: 1, States: 2, Options: options, Name: "linear", Progress: core.NoProgress}
		want, err := local.Fit(ctx, training)
		require.NoError(t, err)
		got, err := remote.Fit(ctx, training)
		require.NoError(t, err)
		x, err := want.Predict(ctx, ramp(t, 9))
		require.NoError(t, err)
		y, err := got.Predict(ctx, ramp(t, 9))
		require.NoError(t, err)
		assert.Equal(t, x, y)
		assert.Equal(t, core.ReportOf(want), core.ReportOf(got))
	}
}
