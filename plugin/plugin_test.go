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
		serveProducts()
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
		training := &core.Training{
			Train: core.OneTrajectory(ramp(t, 30)), Validation: core.OneTrajectory(ramp(t, 12)),
			Lag: 1, States: 2, Options: options, Name: "linear", Progress: core.NoProgress,
		}
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

// TestSpent: what a run takes in the process of a plugin is told to its scope, and nothing of it is this program's.
func TestSpent(t *testing.T) {
	const large = 300 << 20
	filled := make([]byte, large)
	for i := 0; i < len(filled); i += 4096 {
		filled[i] = 1
	}
	p, err := plugin.Open(t.Context(), executable(t), nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, p.Close()) }()
	remote := p.Things[0].(core.Method)
	options, err := remote.Describe().Resolve(nil)
	require.NoError(t, err)

	ctx, scope := core.WithScope(t.Context())
	_, ok := scope.Spent()
	assert.False(t, ok, "no process has been started")
	const snapshots = 5000
	training := &core.Training{
		Train: core.OneTrajectory(ramp(t, snapshots)), Validation: core.OneTrajectory(ramp(t, 12)),
		Lag: 1, States: 2, Options: options, Name: "linear", Progress: core.NoProgress,
	}
	model, err := remote.Fit(ctx, training)
	require.NoError(t, err)
	spent, ok := scope.Spent()
	assert.True(t, ok)
	assert.Positive(t, spent.StartSeconds)
	_, err = model.Predict(ctx, ramp(t, snapshots))
	require.NoError(t, err)
	require.NoError(t, scope.Close())

	spent, _ = scope.Spent()
	assert.Positive(t, spent.CPUSeconds)
	assert.Positive(t, spent.PeakRSSBytes)
	assert.Less(t, spent.PeakRSSBytes, float64(large), "it is the plugin's, not that of this program")
	assert.NotZero(t, filled[0])
	assert.EqualValues(t, 2, spent.Calls)
	assert.Positive(t, spent.RPCSeconds)
	assert.Less(t, spent.RPCSeconds, spent.CallSeconds, "some of the time the plugin computed")
	const snapshotBytes = 4 * 4
	assert.Greater(t, spent.SentBytes, int64(2*snapshots*snapshotBytes))
	assert.Greater(t, spent.ReceivedBytes, int64(snapshots*snapshotBytes))
	assert.Less(t, spent.SentBytes+spent.ReceivedBytes, int64(4*snapshots*snapshotBytes))
}
