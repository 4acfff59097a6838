package trajectory_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/internal/synthetic"
)

// statusMB is a line of the status of this process, in megabytes.
func statusMB(t *testing.T, name string) float64 {
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, found)
	kb, err := strconv.ParseFloat(string(found[1]), 64)
	require.NoError(t, err)
	return kb / 1024
}

func processorTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestLarge opens rows of 784 numbers in a sparse file: 64 000, 200 MB, or as many as
// KOOPBENCH_LARGE_ROWS says. 6400000 of them are 20 GB. It says how long each reading takes.
func TestLarge(t *testing.T) {
	rows, columns := 64_000, 784
	if text := os.Getenv("KOOPBENCH_LARGE_ROWS"); text != "" {
		var err error
		rows, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	path := filepath.Join(t.TempDir(), "large.npy")
	if err := synthetic.WriteRecording(path, rows, columns); err != nil {
		t.Skipf("this disk takes no file of that size: %v", err)
	}
	before := statusMB(t, "RssAnon")
	wall, cpu := time.Now(), processorTime(t)
	lap := func(what string) {
		t.Logf("%s: %.1f s, %.1f s of a processor, RssAnon %.0f MB, RssFile %.0f MB", what, time.Since(wall).Seconds(),
			(processorTime(t) - cpu).Seconds(), statusMB(t, "RssAnon"), statusMB(t, "RssFile"))
		wall, cpu = time.Now(), processorTime(t)
	}
	p := opened(t, path, nil)
	lap("standardised, checked and opened")
	require.NoError(t, p.Validate())
	lap("checked again")
	hash, err := results.HashData(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, hash, 64)
	lap("hashed")
	assert.Equal(t, rows*6/10, p.Train.Len())
	assert.Equal(t, 1000, p.StartCount())
	assert.Less(t, statusMB(t, "RssAnon")-before, 128.0)
}
