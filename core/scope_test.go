package core_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

type key string

func TestScopeKeepsOneOfEach(t *testing.T) {
	ctx, scope := core.WithScope(t.Context())
	require.Same(t, scope, core.ScopeOf(ctx))
	assert.Nil(t, core.ScopeOf(t.Context()))

	var mu sync.Mutex
	var made, released []string
	keep := func(name string) {
		value, err := scope.Keep(ctx, key(name), func() (any, func() error, error) {
			mu.Lock()
			defer mu.Unlock()
			made = append(made, name)
			return "value of " + name, func() error { released = append(released, name); return nil }, nil
		})
		assert.NoError(t, err)
		assert.Equal(t, "value of "+name, value)
	}
	keep("a")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() { keep("b") })
	}
	wait.Wait()
	assert.Equal(t, []string{"a", "b"}, made)
	require.NoError(t, scope.Close())
	require.NoError(t, scope.Close())
	assert.Equal(t, []string{"b", "a"}, released, "the last first, and once")
	_, err := scope.Keep(ctx, key("c"), func() (any, func() error, error) { panic("made in a closed scope") })
	assert.ErrorIs(t, err, core.ErrScopeClosed)
}

func TestScopeTriesAgain(t *testing.T) {
	ctx, scope := core.WithScope(t.Context())
	failure := errors.New("no luck")
	_, err := scope.Keep(ctx, key("a"), func() (any, func() error, error) { return nil, nil, failure })
	require.ErrorIs(t, err, failure)
	value, err := scope.Keep(ctx, key("a"), func() (any, func() error, error) { return 1, nil, nil })
	require.NoError(t, err)
	assert.Equal(t, 1, value)
	scope.Drop(key("a"))
	value, err = scope.Keep(ctx, key("a"), func() (any, func() error, error) { return 2, nil, nil })
	require.NoError(t, err)
	assert.Equal(t, 2, value)
}

// TestScopeClosedMeanwhile: what is ready too late is released at once.
func TestScopeClosedMeanwhile(t *testing.T) {
	ctx, scope := core.WithScope(t.Context())
	released := false
	_, err := scope.Keep(ctx, key("a"), func() (any, func() error, error) {
		require.NoError(t, scope.Close())
		return 1, func() error { released = true; return nil }, nil
	})
	assert.ErrorIs(t, err, core.ErrScopeClosed)
	assert.True(t, released)
	_, waiting := core.WithScope(t.Context())
	cancelled, cancel := context.WithCancel(t.Context())
	_, err = waiting.Keep(cancelled, key("a"), func() (any, func() error, error) {
		cancel()
		_, err := waiting.Keep(cancelled, key("a"), nil)
		return nil, nil, err
	})
	assert.ErrorIs(t, err, context.Canceled, "waiting ends with the context")
}
