//go:build unix

package plugin_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

func newProbe(t *testing.T, act string) *plugin.Probe {
	t.Helper()
	t.Setenv(actVariable, act)
	p, err := plugin.NewProbe(t.Context(), testPlugin(t), &plugin.Options{Grace: grace})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Close()) })
	return p
}

// TestProbe: a process ends in its own ways, tells what it leaves, and what it serves is in it.
func TestProbe(t *testing.T) {
	for _, ask := range []bool{true, false} {
		leavesNothing(t)
		p := newProbe(t, "none")
		assert.Equal(t, "koopbench", p.Info().SDK[:9])
		first, err := p.Describe(t.Context())
		require.NoError(t, err)
		assert.Contains(t, first, `"method"`)
		again, err := p.Describe(t.Context())
		require.NoError(t, err)
		assert.Equal(t, first, again)
		things, err := p.Things()
		require.NoError(t, err)
		require.NoError(t, useLoss(t.Context(), t, things))

		left, err := p.End(t.Context(), ask)
		require.NoError(t, err)
		assert.Empty(t, left)
		require.ErrorIs(t, useLoss(t.Context(), t, things), core.ErrCrashed)
		_, err = p.Describe(t.Context())
		assert.Error(t, err)
		require.NoError(t, p.Close())
	}
}

// TestProbeOfDeafPlugin: the end of one that takes no notice comes with the context, and its death with Close.
func TestProbeOfDeafPlugin(t *testing.T) {
	for _, ask := range []bool{true, false} {
		leavesNothing(t)
		p := newProbe(t, "clear=deaf")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := p.End(ctx, ask)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, p.Close())
	}
}

// TestProbeOfLeaks: a child that is left in the group is told of, and killed.
func TestProbeOfLeaks(t *testing.T) {
	leavesNothing(t)
	p := newProbe(t, "clear=leak")
	left, err := p.End(t.Context(), false)
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Contains(t, left[0], "sleep (")
}

// TestProbeOfStrays: a child that has left the group is told of too, and killed.
func TestProbeOfStrays(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("processes outside the group are found by /proc, which is not there")
	}
	leavesNothing(t)
	p := newProbe(t, "clear=stray")
	left, err := p.End(t.Context(), false)
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Contains(t, left[0], "sleep (")
}

// TestProbeOfBadDescription: it starts, and its things say what is wrong.
func TestProbeOfBadDescription(t *testing.T) {
	leavesNothing(t)
	_, err := newProbe(t, "start=bad name").Things()
	assert.ErrorIs(t, err, core.ErrDescription)
}

// TestByHand runs programs as a person does, who finds out what they are.
func TestByHand(t *testing.T) {
	leavesNothing(t)
	script := func(text string) string {
		path := filepath.Join(t.TempDir(), "far")
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755))
		return path
	}
	t.Setenv("KOOPBENCH_PLUGIN", "evolution-operators") // of a benchmark above, not of this one
	said, status, err := plugin.ByHand(t.Context(), script("echo \"I am a plugin$KOOPBENCH_PLUGIN\" >&2\nexit 3\n"), nil)
	require.NoError(t, err)
	assert.Equal(t, "I am a plugin\n", said)
	assert.Equal(t, 3, status)

	_, status, err = plugin.ByHand(t.Context(), script("kill -9 $$\n"), nil)
	require.NoError(t, err)
	assert.Equal(t, -1, status)

	start := time.Now()
	_, status, err = plugin.ByHand(t.Context(), script("sleep 300 &\nexit 1\n"), nil) // which holds the output
	require.NoError(t, err)
	assert.Equal(t, 1, status)

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, _, err = plugin.ByHand(ctx, script("sleep 300\n"), nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(start), hangs)

	_, _, err = plugin.ByHand(t.Context(), filepath.Join(t.TempDir(), "none"), nil)
	assert.ErrorContains(t, err, "there is no file")
}
