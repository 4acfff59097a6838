package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/npz"
)

func TestData(t *testing.T) {
	dir := t.TempDir()
	for _, labels := range []bool{false, true} {
		path := filepath.Join(dir, map[bool]string{true: "labels.npz", false: "training.npz"}[labels])
		args := []string{"data", "--out", path, "--split", "6,4,2", "--num-digits", "3"}
		if labels {
			args = append(args, "--labels")
		}
		got := call(t.Context(), newFakes().config(), args...)
		require.Zero(t, got.status, got.stderr)
		file, err := os.Open(path)
		require.NoError(t, err)
		info, err := file.Stat()
		require.NoError(t, err)
		archive, err := npz.Read(file, info.Size())
		require.NoError(t, err)
		require.NoError(t, file.Close())
		assert.Equal(t, []int{6, 28, 28}, archive["train"].Shape)
		assert.Equal(t, []int{4, 28, 28}, archive["validation"].Shape)
		assert.Equal(t, []int64{1}, archive["lag"].Values)
		assert.Equal(t, []int64{3}, archive["states"].Values)
		if labels {
			assert.Equal(t, []int64{0, 1, 2, 0, 1, 2}, archive["train_labels"].Values)
			assert.Equal(t, []int64{0, 1, 2, 0}, archive["validation_labels"].Values)
			assert.Len(t, archive, 6)
		} else {
			assert.Len(t, archive, 4, "no labels, and nothing to test on")
		}
	}
}

// TestDataOfSeveralTrajectories: the file says where each ends.
func TestDataOfSeveralTrajectories(t *testing.T) {
	path := filepath.Join(t.TempDir(), "training.npz")
	got := call(t.Context(), lorenzConfig(), "data", "--out", path, "--task", "lorenz")
	require.Zero(t, got.status, got.stderr)
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	info, err := file.Stat()
	require.NoError(t, err)
	archive, err := npz.Read(file, info.Size())
	require.NoError(t, err)
	assert.Equal(t, []int{240, 3}, archive["train"].Shape)
	assert.Equal(t, []int64{120, 120}, archive["train_lengths"].Values)
	assert.NotContains(t, archive, "validation_lengths", "there is one")
}

func TestDataWritesOverNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.npz")
	require.NoError(t, os.WriteFile(path, []byte("mine"), 0o600))
	got := call(t.Context(), newFakes().config(), "data", "--out", path, "--split", "6,4,2")
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "mine.npz exists already; name another file, or remove it")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(content))
	got = call(t.Context(), newFakes().config(), "data")
	assert.Contains(t, got.stderr, "data needs --out FILE.npz, the file to write")
}
