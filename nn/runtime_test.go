package nn_test

import (
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
