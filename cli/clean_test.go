package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
)

// TestClean: what no table needs is removed, what somebody else has put there stays.
func TestClean(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "results")
	run := func(more ...string) {
		got := call(t.Context(), newFakes().config(), tiny(data, out, more...)...)
		require.Zero(t, got.status, got.stderr)
	}
	clean := func(more ...string) output {
		return call(t.Context(), newFakes().config(), append([]string{"clean", out}, more...)...)
	}
	run("--methods", "template,other", "--seeds", "0..1")
	got := clean()
	require.Zero(t, got.status, got.stderr)
	assert.Equal(t, out+": 0 files removed, 0.0 MB\n", got.stdout)

	run("--methods", "template,other", "--seeds", "0..1", "--oracle-seed", "7")
	foreign := filepath.Join(out, "runs", "mine.json")
	require.NoError(t, os.WriteFile(foreign, []byte("{}"), 0o600))
	before := names(t, out)
	got = clean("--dry-run")
	require.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stdout, ": 8 files would be removed, ")
	assert.Equal(t, before, names(t, out))

	got = clean()
	require.Zero(t, got.status, got.stderr)
	assert.Equal(t, 8, strings.Count(got.stdout, "  (a run that is not in the table)\n"), got.stdout)
	assert.Len(t, names(t, out), len(before)-8)
	assert.FileExists(t, foreign)
	got = call(t.Context(), newFakes().config(), "report", out)
	assert.Zero(t, got.status, got.stderr)
}

func TestCleanRefuses(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "results")
	require.Zero(t, call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template")...).status)
	unlock, err := results.OpenStore(out).Lock()
	require.NoError(t, err)
	defer unlock()
	empty := t.TempDir()
	for says, args := range map[string][]string{
		"takes at least one argument":           {"clean"},
		"are being written by":                  {"clean", out},
		empty + " has no results.json":          {"clean", empty},
		"no results.json; make one with: bench": {"clean", empty, "--dry-run"},
	} {
		got := call(t.Context(), newFakes().config(), args...)
		assert.NotZero(t, got.status)
		assert.Contains(t, got.stderr, says)
	}
	entries, err := os.ReadDir(empty)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// names are those of all files in a folder.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		all = append(all, path)
		return err
	}))
	return all
}
