package plugin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/plugin"
)

func TestLock(t *testing.T) {
	folder := t.TempDir()
	file, path := filepath.Join(folder, "far"), filepath.Join(folder, "lock.json")
	require.NoError(t, os.WriteFile(file, []byte("content"), 0o755))
	l, err := plugin.ReadLock(path)
	require.NoError(t, err)
	assert.Empty(t, l.SHA256(file))
	require.NoError(t, l.Pin(file))
	require.NoError(t, l.Write(path))
	again, err := plugin.ReadLock(path)
	require.NoError(t, err)
	assert.Equal(t, l, again)
	assert.Len(t, again.SHA256("/elsewhere/far"), 64)
	assert.Error(t, l.Pin(filepath.Join(folder, "none")))
}

// TestLockOfSomethingElse: a file that does not say that it pins plugins is none that could be
// written over.
func TestLockOfSomethingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "package.json")
	for _, text := range []string{
		`{"name":"app","version":"1.0.0"}`, `{}`, `{"plugins":{}}`, `{"schema":"other/1"}`, "hello", "",
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := plugin.ReadLock(path)
		require.ErrorIs(t, err, plugin.ErrLock, text)
		assert.ErrorContains(t, err, path)
		assert.ErrorContains(t, err, "choose another file with --plugin-lock")
	}
}

// FuzzLock: a lock file is read, and then stays what it is, or is refused with its path.
func FuzzLock(f *testing.F) {
	sum := strings.Repeat("0a", 32)
	for _, text := range []string{
		`{"schema":"koopbench.plugins/1","plugins":{"far":"` + sum + `"}}`, `{"schema":"koopbench.plugins/1"}`,
		`{"schema":"koopbench.plugins/1","plugins":null}`,
		`{"schema":"koopbench.plugins/2"}`, `{"schema":"koopbench.plugins/1","plugins":{"../far":"` + sum + `"}}`,
		`{"schema":"koopbench.plugins/1","plugins":{"far":"7"}}`, `null`, `[]`, ``, `{`,
	} {
		f.Add([]byte(text))
	}
	path := filepath.Join(f.TempDir(), "lock.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		require.NoError(t, os.WriteFile(path, text, 0o600))
		l, err := plugin.ReadLock(path)
		if err != nil {
			assert.ErrorIs(t, err, plugin.ErrLock)
			assert.ErrorContains(t, err, path)
			return
		}
		for name, sum := range l.Plugins {
			assert.Equal(t, sum, l.SHA256(filepath.Join("/any", name)))
		}
		require.NoError(t, l.Pin(path), "a lock can be added to")
		require.NoError(t, l.Write(path))
		again, err := plugin.ReadLock(path)
		require.NoError(t, err)
		assert.Equal(t, l, again)
	})
}
