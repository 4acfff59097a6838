package core_test

import (
	"context"
	"errors"
	"math"
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

// TestScopeSpent: a run's processes add up, and may do so while the scope is being closed.
func TestScopeSpent(t *testing.T) {
	ctx, scope := core.WithScope(t.Context())
	_, ok := scope.Spent()
	assert.False(t, ok)
	scope.Spend(core.Spent{StartSeconds: 1})
	_, err := scope.Keep(ctx, key("a"), func() (any, func() error, error) {
		return nil, func() error {
			scope.Spend(core.Spent{CPUSeconds: 2, PeakRSSBytes: 300, Calls: 1, CallSeconds: 3, RPCSeconds: 1, SentBytes: 10,
				ReceivedBytes: 20})
			return nil
		}, nil
	})
	require.NoError(t, err)
	require.NoError(t, scope.Close())
	scope.Spend(core.Spent{CPUSeconds: 0.5, PeakRSSBytes: 200, Calls: 2, CallSeconds: 1, RPCSeconds: 0.5, SentBytes: 1,
		ReceivedBytes: 2})
	spent, ok := scope.Spent()
	assert.True(t, ok)
	assert.Equal(t, core.Spent{StartSeconds: 1, CPUSeconds: 2.5, PeakRSSBytes: 300, Calls: 3, CallSeconds: 4,
		RPCSeconds: 1.5, SentBytes: 11, ReceivedBytes: 22}, spent)

	scope.Spend(core.Spent{CPUSeconds: math.NaN(), PeakRSSBytes: math.NaN()})
	spent, _ = scope.Spent()
	assert.True(t, math.IsNaN(spent.CPUSeconds) && math.IsNaN(spent.PeakRSSBytes),
		"one that is not known makes all of it unknown")
	assert.InDelta(t, 1.5, spent.RPCSeconds, 1e-12)
}

// TestScopeSpentTooLate: what is made too late is released at once, and can still tell what it took.
func TestScopeSpentTooLate(t *testing.T) {
	ctx, scope := core.WithScope(t.Context())
	_, err := scope.Keep(ctx, key("late"), func() (any, func() error, error) {
		require.NoError(t, scope.Close())
		return nil, func() error {
			scope.Spend(core.Spent{CPUSeconds: 1})
			return nil
		}, nil
	})
	assert.ErrorIs(t, err, core.ErrScopeClosed)
	spent, _ := scope.Spent()
	assert.InDelta(t, 1, spent.CPUSeconds, 1e-12)
}

// TestReleasesMayPanic: one that does keeps the others from nothing, nor its caller.
func TestReleasesMayPanic(t *testing.T) {
	ctx, scope := core.WithScope(t.Context())
	released := false
	releases := []func() error{func() error { released = true; return nil }, func() error { panic("boom") }}
	for i, release := range releases {
		_, err := core.ScopeOf(ctx).Keep(ctx, i, func() (any, func() error, error) { return i, release, nil })
		require.NoError(t, err)
	}
	assert.ErrorIs(t, scope.Close(), core.ErrPanic)
	assert.True(t, released)
}
