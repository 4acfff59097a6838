package dataset

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
)

// sparse writes a file of float32 zeros of that shape that takes no room on most disks.
func sparse(t *testing.T, path string, rows, columns int) {
	t.Helper()
	header := arrayFile(1, "<f4", false, []int{rows, columns}, nil)
	require.NoError(t, os.WriteFile(path, header, 0o600))
	if err := os.Truncate(path, int64(len(header))+4*int64(rows)*int64(columns)); err != nil {
		t.Skipf("this disk takes no file of that size: %v", err)
	}
}

// anonymous is the memory of this process that is no file, in bytes.
func anonymous(t *testing.T) int64 {
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	found := regexp.MustCompile(`RssAnon:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, found)
	n, err := strconv.ParseInt(string(found[1]), 10, 64)
	require.NoError(t, err)
	return n << 10
}

// TestLargeArray: 20 GB are opened at once, and read where they are asked for, in next to no memory.
func TestLargeArray(t *testing.T) {
	const rows, columns = 6_400_000, 784
	path := filepath.Join(t.TempDir(), "large.npy")
	sparse(t, path, rows, columns)
	before, start := anonymous(t), time.Now()
	got, err := Recordings(t.Context(), path, all)
	require.NoError(t, err)
	took := time.Since(start)
	require.Equal(t, rows, got[0].Rows.Len())
	x, err := got[0].Rows.Slice(rows/2, rows).Delayed(3, 1)
	require.NoError(t, err)
	row := make([]float32, x.Size())
	for i := 0; i < x.Len(); i += x.Len() / 100 {
		x.Read(row, i)
	}
	more := anonymous(t) - before
	t.Logf("opened in %v, %.1f MB more", took, float64(more)/1e6)
	assert.Less(t, took, time.Second)
	assert.Less(t, more, int64(64<<20))
}

// TestCutWhileMapped: a file that is made shorter while it is used is an error, and the program goes on.
func TestCutWhileMapped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	sparse(t, path, 1000, 1000)
	got, err := Recordings(t.Context(), path, all)
	require.NoError(t, err)
	x := got[0].Rows
	require.NoError(t, x.Slice(0, 10).CheckFinite())
	require.NoError(t, os.Truncate(path, 100_000))
	for name, read := range map[string]func() error{
		"check": x.CheckFinite,
		"read":  func() error { x.Read(make([]float32, 1000), 999); return nil },
		"at":    func() error { x.View().At(999, 999); return nil },
		"write": func() error { _, err := x.WriteTo(&bytes.Buffer{}); return err },
	} {
		err := core.Contain(read)
		require.ErrorIs(t, err, ErrFormat, name)
		assert.NotErrorIs(t, err, core.ErrPanic)
		assert.ErrorContains(t, err, "a.npy: it was made shorter or replaced while it was used")
	}
	values := make([]float32, 1000)
	x.Read(values, 1)
	assert.Zero(t, values[999], "what is there can still be read")
}

func TestMappingEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	sparse(t, path, 1000, 1000)
	for range 2000 { // far more than there may be at once, if none ended: of 4 MB each
		_, err := Recordings(t.Context(), path, all)
		require.NoError(t, err)
	}
}

func TestNoRegularFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.csv")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for _, place := range []string{pipe, dir, "/dev/zero"} {
		done := make(chan error, 1)
		go func() {
			_, err := Recordings(t.Context(), place, all)
			done <- err
		}()
		select {
		case err := <-done:
			require.ErrorIs(t, err, foreign.ErrKind, place)
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: it waits", place)
		}
	}
}

// TestSparseText: a huge text without lines is refused before it takes memory.
func TestSparseText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	require.NoError(t, os.WriteFile(path, []byte("x,y\n1,2\n"), 0o600))
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Skipf("this disk takes no file of that size: %v", err)
	}
	before := anonymous(t)
	_, err := Recordings(t.Context(), path, all)
	require.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "line 3 has more than 16777216 bytes")
	assert.Less(t, anonymous(t)-before, int64(256<<20))
}
