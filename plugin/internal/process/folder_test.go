//go:build unix

package process

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shortFolder makes a folder the base of all others.
func shortFolder(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp("/tmp", "kb")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(base)) })
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", base)
	return base
}

// TestSweep: folders of programs that were killed go; those in use, and those that are others', stay.
func TestSweep(t *testing.T) {
	base := shortFolder(t)
	used, err := newFolder()
	require.NoError(t, err)
	killed, err := newFolder()
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(killed.path, "a", "b"), 0o700))
	require.NoError(t, killed.lock.Close())

	own := filepath.Join(base, folderPrefix+"results") // of the user's
	require.NoError(t, os.Mkdir(own, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(own, "lock"), nil, 0o600))
	full := filepath.Join(base, folderPrefix+"full")
	require.NoError(t, os.Mkdir(full, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(full, lockName), []byte("no lock of ours"), 0o600))
	link := filepath.Join(base, folderPrefix+"link")
	require.NoError(t, os.Symlink(own, link))
	old := time.Now().Add(-time.Hour)
	for _, path := range []string{own, full} {
		require.NoError(t, os.Chtimes(path, old, old))
	}

	foreign := filepath.Join(base, folderPrefix+"1") // as the user may have made it
	require.NoError(t, os.Mkdir(foreign, 0o700))
	empty := filepath.Join(base, unfinishedPrefix+"1") // as one that was just made, or all but removed
	require.NoError(t, os.Mkdir(empty, 0o700))
	ending := filepath.Join(base, unfinishedPrefix+"4")
	require.NoError(t, os.MkdirAll(filepath.Join(ending, "a"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(ending, lockName), nil, 0o600))
	begun := filepath.Join(base, unfinishedPrefix+"2")
	require.NoError(t, os.Mkdir(begun, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(begun, lockName+"3"), nil, 0o600))

	sweep(base)
	for _, path := range []string{killed.path, empty, begun, ending} {
		assert.NoDirExists(t, path)
	}
	for _, path := range []string{used.path, own, full, link, foreign} {
		_, err := os.Lstat(path)
		assert.NoError(t, err)
	}
	require.NoError(t, used.remove())
	assert.NoDirExists(t, used.path)
}

// TestFoldersAtOnce: those who sweep never take what others are just making.
func TestFoldersAtOnce(t *testing.T) {
	base := shortFolder(t)
	var making sync.WaitGroup
	for range 16 {
		making.Go(func() {
			for range 25 {
				f, err := newFolder()
				if !assert.NoError(t, err) {
					return
				}
				assert.FileExists(t, filepath.Join(f.path, lockName))
				assert.NoError(t, f.remove())
			}
		})
	}
	making.Wait()
	left, err := os.ReadDir(base)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestBaseFolder(t *testing.T) {
	base := shortFolder(t)
	got, err := baseFolder()
	require.NoError(t, err)
	assert.Equal(t, base, got)
	long := filepath.Join(base, strings.Repeat("x", 100))
	require.NoError(t, os.Mkdir(long, 0o700))
	for _, unfit := range []string{long, filepath.Join(base, "none"), "relative"} {
		t.Setenv("TMPDIR", unfit)
		got, err = baseFolder()
		require.NoError(t, err)
		assert.Equal(t, "/tmp", got)
	}
	t.Setenv("XDG_RUNTIME_DIR", base)
	got, err = baseFolder()
	require.NoError(t, err)
	assert.Equal(t, base, got)
}

// TestRemoveAll: folders that a plugin has made unwritable are removed all the same. (The system's
// administrator can write all.)
func TestRemoveAll(t *testing.T) {
	base := shortFolder(t)
	inner := filepath.Join(base, "a", "b")
	require.NoError(t, os.MkdirAll(inner, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(inner, "c"), nil, 0o400))
	require.NoError(t, os.Chmod(inner, 0o500))
	require.NoError(t, os.Chmod(filepath.Join(base, "a"), 0o500))
	require.NoError(t, removeAll(filepath.Join(base, "a")))
	assert.NoDirExists(t, inner)
}
