package tasklist

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/foreign"
)

// TestFolderOf: a name stays with its task, is that of a folder on any system, and no two tasks share one.
func TestFolderOf(t *testing.T) {
	for written, want := range map[string]string{
		"lorenz63":                        "lorenz63",
		"lorenz63?":                       "lorenz63",
		"prinz-potential?sigma=1.4":       "prinz-potential,sigma=1.4",
		"duffing?steps=3&data_seed=7":     "duffing,data_seed=7,steps=3",
		"duffing?data_seed=7&steps=3":     "duffing,data_seed=7,steps=3",
		"duffing?split=400%2C100%2C100":   "duffing,split=400-2-100-2-100,ce0685a3",
		"trajectory?data=../../etc":       "trajectory,data=..-..-etc,e1715d9c",
		"trajectory?data=a%20B\\:*?\"<>|": "trajectory,data=a-20---------,8757d399",
	} {
		got := FolderOf(written)
		assert.True(t, isFolder(got), got)
		assert.Equal(t, want, got)
	}
	seen := map[string]string{}
	long := strings.Repeat("x", 200)
	for _, written := range []string{"a?b=A", "a?b=a", "a?b=-", "a?b=é", "a?b=" + long, "a?b=" + long + "x", "a?b=1&c=2",
		"a?b=1,c=2", "..", "a?b=...", "a?b=..", "a?b="} {
		got := FolderOf(written)
		assert.True(t, isFolder(got), got)
		assert.Less(t, len(got), 100)
		assert.Regexp(t, `^[a-z0-9,=_.-]+$`, got)
		if written != "a?b=1,c=2" { // no list has such an element
			assert.Empty(t, seen[got], "%s has the folder of", written)
		}
		seen[got] = written
	}
}

func TestList(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	_, err := Read(dir)
	require.ErrorIs(t, err, fs.ErrNotExist)
	l, err := Claim(dir, []string{"b", "a?x=1"})
	require.NoError(t, err)
	require.NoError(t, l.Fail("b", "it cannot be opened"))
	read, err := Read(dir)
	require.NoError(t, err)
	assert.Equal(t, []Task{{"b", "b", "it cannot be opened"}, {"a?x=1", "a,x=1", ""}}, read.Tasks)

	l, err = Claim(dir, []string{"c", "b"})
	require.NoError(t, err)
	assert.Equal(t, []Task{{"b", "b", ""}, {"a?x=1", "a,x=1", ""}, {"c", "c", ""}}, l.Tasks, "in their old order")
	for _, name := range []string{"z", "a,x=1", ".hidden", "more"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o644))
	beside, err := l.Beside()
	require.NoError(t, err)
	assert.Equal(t, []string{"more", "z"}, beside)
}

// TestForeignList: nothing of others is written over, and no list leads out of its folder.
func TestForeignList(t *testing.T) {
	for name, content := range map[string]string{
		"tasks.json": `{"version": "2.0.0", "tasks": [{"label": "build"}]}`, "tasks.html": "mine", "tasks.csv": "mine",
		"data.npz": "results",
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
		_, err := Claim(dir, []string{"a"})
		require.ErrorIs(t, err, ErrForeign, name)
		assert.ErrorContains(t, err, "choose another folder with --out")
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, content, string(text))
	}
	for _, folder := range []string{"..", "", "../x", "a/b", "/etc", ".", ".git"} {
		dir := t.TempDir()
		text := `{"schema": "` + Schema + `", "tasks": [{"task": "a", "folder": "` + folder + `"}]}`
		require.NoError(t, os.WriteFile(filepath.Join(dir, File), []byte(text), 0o644))
		_, err := Read(dir)
		assert.ErrorIs(t, err, ErrList, folder)
	}
	dir := t.TempDir()
	l, err := Claim(filepath.Join(dir, "out"), []string{"a", "b"})
	require.NoError(t, err)
	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "out", "a")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "out", "b"), nil, 0o644))
	require.ErrorIs(t, l.CheckInside("a"), foreign.ErrOutside)
	require.ErrorContains(t, l.CheckInside("b"), "must be a folder")
	assert.NoError(t, l.CheckInside("c"))
}
