package cli

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDiskFull fills a small file system with runs: those that fit are kept, nothing half-written
// is left, and the message says what is wrong.
func TestDiskFull(t *testing.T) {
	disk := t.TempDir()
	err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=512k")
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skipf("a file system to fill cannot be mounted without the right to (%v); TestFileTooLarge covers the same path",
			err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(disk, 0)) })

	data, out := dataFolder(t), filepath.Join(disk, "out")
	args := tiny(data, out, "--seeds", "0..99", "--methods", "template")
	fakes := newFakes()
	got := call(t.Context(), fakes.config(), args...)
	assert.Equal(t, exitFailure, got.status)
	message := regexp.MustCompile(
		`\nbench: (\d+) of 100 runs are finished and kept in .*, but .* cannot be written: .* no space left on ` +
			`device\n$`).FindStringSubmatch(got.stderr)
	require.NotNil(t, message, got.stderr)
	kept, err := strconv.Atoi(message[1])
	require.NoError(t, err)
	assert.Greater(t, kept, 10)
	assert.Less(t, kept, 100)
	whole := len(wholeRuns(t, out, kept))
	assert.GreaterOrEqual(t, whole, kept-1, "the last one may lack its arrays")
	assert.Contains(t, got.stdout, "template", "the table of what is finished")

	require.NoError(t, syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=64m"))
	fits := fakes.fits.Load()
	assert.Zero(t, call(t.Context(), fakes.config(), args...).status, "with room, the same command continues")
	assert.EqualValues(t, 100-whole, fakes.fits.Load()-fits)
	_, err = os.Stat(filepath.Join(out, "results.json"))
	assert.NoError(t, err)
}
