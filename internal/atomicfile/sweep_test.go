//go:build unix && !solaris && !aix

package atomicfile_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/filelock"
)

// TestSweep: what dead writers have left goes; what is being written, and what is of others, stays.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	living, err := atomicfile.Create(filepath.Join(dir, "a"))
	require.NoError(t, err)
	_, err = living.Write([]byte("content"))
	require.NoError(t, err)
	found, err := filepath.Glob(filepath.Join(dir, ".tmp-koopbench-*"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	write := func(name string, age time.Duration) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte("half"), 0o600))
		then := time.Now().Add(-age)
		require.NoError(t, os.Chtimes(path, then, then))
		return path
	}
	machine := strings.Split(filepath.Base(found[0]), "-")[2]
	dead := write(".tmp-koopbench-"+machine+"-0123456789abcdef", 0)
	far := ".tmp-koopbench-00000000-0123456789abcde"
	farDead, farLiving, farLocked := write(far+"0", 48*time.Hour), write(far+"1", time.Hour), write(far+"2", 48*time.Hour)
	held, err := os.Open(farLocked)
	require.NoError(t, err)
	defer held.Close()
	require.NoError(t, filelock.Lock(held))
	var others []string
	for _, name := range []string{
		".tmp-koopbench-" + machine + "-1", ".tmp-koopbench", ".tmp-a-123", "a-0123456789abcdef",
	} {
		others = append(others, write(name, 48*time.Hour))
	}
	folder := filepath.Join(dir, ".tmp-koopbench-"+machine+"-0000000000000000")
	require.NoError(t, os.Mkdir(folder, 0o700))

	atomicfile.Sweep(dir)
	assert.NoFileExists(t, dead)
	assert.NoFileExists(t, farDead)
	for _, path := range append(others, farLiving, farLocked, found[0]) {
		assert.FileExists(t, path)
	}
	assert.DirExists(t, folder)
	require.NoError(t, living.Commit())
	content, err := os.ReadFile(filepath.Join(dir, "a"))
	require.NoError(t, err)
	assert.Equal(t, "content", string(content))
	atomicfile.Sweep(filepath.Join(dir, "none"))
}

// TestCreateSweeps: the first file that a program writes into a folder sweeps it.
func TestCreateSweeps(t *testing.T) {
	other, dir := t.TempDir(), t.TempDir()
	f, err := atomicfile.Create(filepath.Join(other, "a"))
	require.NoError(t, err)
	defer f.Discard()
	found, err := os.ReadDir(other)
	require.NoError(t, err)
	left := filepath.Join(dir, found[0].Name())
	require.NoError(t, os.WriteFile(left, []byte("half"), 0o600))
	require.NoError(t, atomicfile.Write(filepath.Join(dir, "a"), nil))
	assert.NoFileExists(t, left)
}

// TestSweepBesideWriters: those who sweep never take what others are writing, or just begin to.
func TestSweepBesideWriters(t *testing.T) {
	dir := t.TempDir()
	over := make(chan struct{})
	var sweeping, writing sync.WaitGroup
	sweeping.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				atomicfile.Sweep(dir)
			}
		}
	})
	for writer := range 4 {
		writing.Go(func() {
			for range 50 {
				assert.NoError(t, atomicfile.Write(filepath.Join(dir, strconv.Itoa(writer)), []byte("x")))
			}
		})
	}
	writing.Wait()
	close(over)
	sweeping.Wait()
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 4)
}

// TestModes: new files follow the umask, and files that are replaced keep their modes.
func TestModes(t *testing.T) {
	mode := func(path string) os.FileMode {
		info, err := os.Stat(path)
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept")
	for umask, want := range map[int]os.FileMode{0o077: 0o600, 0o002: 0o664, 0o022: 0o644} {
		func() {
			defer syscall.Umask(syscall.Umask(umask))
			path := filepath.Join(dir, strconv.Itoa(umask))
			require.NoError(t, atomicfile.Write(path, nil))
			assert.Equal(t, want, mode(path))
			for _, own := range []os.FileMode{0o640, 0o400, 0o604} {
				require.NoError(t, os.WriteFile(kept, nil, 0o600))
				require.NoError(t, os.Chmod(kept, own))
				require.NoError(t, atomicfile.Write(kept, []byte("new")))
				assert.Equal(t, own, mode(kept))
				require.NoError(t, os.Remove(kept))
			}
		}()
	}
}
