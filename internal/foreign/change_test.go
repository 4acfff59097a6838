package foreign

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOpenSame: what was put in the place of a file after it was looked at is not opened.
func TestOpenSame(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(at("file"), nil, 0o644))
	require.NoError(t, os.WriteFile(at("victim"), []byte("secret"), 0o644))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer func() { assert.NoError(t, root.Close()) }()
	before, err := root.Lstat("file")
	require.NoError(t, err)
	f, err := Folder(dir).openSame(root, "file", os.O_RDWR, before)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	require.NoError(t, os.Remove(at("file")))
	require.NoError(t, os.Symlink("victim", at("file")))
	_, err = Folder(dir).openSame(root, "file", os.O_RDWR, before)
	require.ErrorIs(t, err, ErrKind)
	assert.ErrorContains(t, err, at("file")+" was replaced while it was opened")
}
