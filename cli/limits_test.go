//go:build unix

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// limitFiles limits the bytes of the files that this process writes.
func limitFiles(size uint64) error {
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size})
}

// TestFileTooLarge: a run whose file cannot be written ends the command with a clear error; the
// runs before it are kept.
func TestFileTooLarge(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	seeds := []string{"--seeds", "0..99", "--methods", "template"}
	require.Zero(t, call(t.Context(), newFakes().config(), tiny(data, out, seeds...)...).status)
	// results.json of all runs is the largest file; the limit lets the runs pass and stops it.
	info, err := os.Stat(filepath.Join(out, "results.json"))
	require.NoError(t, err)
	limit := info.Size() / 2

	out = filepath.Join(t.TempDir(), "limited")
	got := startChild(t, []string{fmt.Sprintf("%s=%d", fileSize, limit)}, tiny(data, out, seeds...)...).finish(t)
	assert.Equal(t, exitFailure, got.status, got.stderr)
	assert.Regexp(t,
		`\nbench: 100 of 100 runs are finished and kept in .*, but .*results.json cannot be written: .* file too large\n$`,
		got.stderr)
	assertKept(t, out, 100)
	assert.NoFileExists(t, filepath.Join(out, "results.json"))

	again := call(t.Context(), newFakes().config(), tiny(data, out, append(seeds, "-q")...)...)
	assert.Zero(t, again.status, again.stderr)
	assert.Len(t, resultsIn(t, out).Runs, 100)
}
