package filelock_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/filelock"
)

// TestLock: one open file has the lock, until it is closed.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	open := func() *os.File {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		require.NoError(t, err)
		return f
	}
	first, second := open(), open()
	defer second.Close()
	if err := filelock.Lock(first); errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("this system has no locks: %v", err)
	} else {
		require.NoError(t, err)
	}
	assert.ErrorIs(t, filelock.Lock(second), filelock.ErrLocked)
	require.NoError(t, first.Close())
	assert.NoError(t, filelock.Lock(second))
}
