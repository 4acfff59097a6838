package atomicfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/atomicfile"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, want := range []string{"old", "", "new content"} {
		require.NoError(t, atomicfile.Write(path, []byte(want)))
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing else is left")
}

func TestWriteFailsWhole(t *testing.T) {
	dir := t.TempDir()
	assert.ErrorContains(t, atomicfile.Write(filepath.Join(dir, "missing", "f"), nil), "cannot be written")

	taken := filepath.Join(dir, "folder")
	require.NoError(t, os.MkdirAll(filepath.Join(taken, "inside"), 0o755))
	assert.Error(t, atomicfile.Write(taken, []byte("x")), "a folder in the way")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "the temporary file is gone")
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	require.NoError(t, atomicfile.Write(path, []byte("old")))
	f, err := atomicfile.Create(path)
	require.NoError(t, err)
	for _, part := range []string{"ne", "w"} {
		_, err := f.Write([]byte(part))
		require.NoError(t, err)
	}
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "old", string(content), "until it is committed")
	require.NoError(t, f.Commit())
	f.Discard()
	content, err = os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "new", string(content))

	f, err = atomicfile.Create(path)
	require.NoError(t, err)
	_, err = f.Write([]byte("worse"))
	require.NoError(t, err)
	f.Discard()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing is left of what was discarded")
	_, err = atomicfile.Create(filepath.Join(dir, "none", "a"))
	assert.ErrorContains(t, err, "cannot be written")
}
