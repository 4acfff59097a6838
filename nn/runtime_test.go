package nn_test

import (
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

func TestRuntimeStartsOneBackend(t *testing.T) {
	runtime := nn.NewRuntime("go")
	assert.Equal(t, "go", runtime.Config())
	var wait sync.WaitGroup
	backends := make([]compute.Backend, 8)
	for i := range backends {
		wait.Go(func() {
			var err error
			backends[i], err = runtime.Backend()
			assert.NoError(t, err)
		})
	}
	wait.Wait()
	for _, b := range backends {
		require.NotNil(t, b)
		assert.Same(t, backends[0], b)
	}
}

func TestRunsUnderWayComputeOnWorkersOfTheirOwn(t *testing.T) {
	runtime := nn.NewRuntime("cpu:threads=3")
	whole, err := runtime.Backend()
	require.NoError(t, err)
	begin := func(threads int) (compute.Backend, *core.Scope) {
		ctx, scope := core.WithScope(t.Context())
		scope.Threads = threads
		share, err := runtime.BackendFor(ctx)
		require.NoError(t, err)
		again, err := runtime.BackendFor(ctx)
		require.NoError(t, err)
		assert.Same(t, share, again, "one for the run")
		return share, scope
	}
	one, first := begin(1)
	other, second := begin(1)
	assert.NotSame(t, one, other)
	assert.Equal(t, 1, one.(*cpu.Backend).Threads())
	require.NoError(t, first.Close())
	next, third := begin(1)
	assert.Same(t, one, next, "whose run is over is had again")
	require.NoError(t, second.Close())
	require.NoError(t, third.Close())

	for _, threads := range []int{0, 3, 4} {
		all, scope := begin(threads)
		assert.Same(t, whole, all, threads)
		require.NoError(t, scope.Close())
	}
	outside, err := runtime.BackendFor(t.Context())
	require.NoError(t, err)
	assert.Same(t, whole, outside)

	portable := nn.NewRuntime("go")
	ctx, scope := core.WithScope(t.Context())
	defer func() { require.NoError(t, scope.Close()) }()
	scope.Threads = 1
	got, err := portable.BackendFor(ctx)
	require.NoError(t, err)
	want, err := portable.Backend()
	require.NoError(t, err)
	assert.Same(t, want, got, "it cannot be shared out")
}

func TestRuntimeErrors(t *testing.T) {
	for _, config := range []string{"", "goo", "nothing:with=options", ":"} {
		_, err := nn.NewRuntime(config).Backend()
		require.ErrorIs(t, err, core.ErrUnknown, config)
		assert.ErrorContains(t, err, "go", "it names what there is")
	}
	_, err := nn.NewRuntime("go:no_such_option").Backend()
	require.Error(t, err)
	assert.ErrorContains(t, err, "no_such_option")
}
