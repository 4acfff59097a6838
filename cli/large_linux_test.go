package cli

import (
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/synthetic"
	"github.com/koopbench/koopbench/methods"
)

// anonymousMB is how much memory of this process is in no file, in megabytes.
func anonymousMB(t *testing.T) int {
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	found := regexp.MustCompile(`RssAnon:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, found)
	kb, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return kb >> 10
}

func processorSeconds(t *testing.T) float64 {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// mostAnonymousMB makes a call and returns the most that anonymousMB is meanwhile.
func mostAnonymousMB(t *testing.T, call func()) (most int) {
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for {
			most = max(most, anonymousMB(t))
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	call()
	close(done)
	<-over
	return most
}

// TestLargeData: runs do not copy their data. The file has 64 000 rows of 784 numbers, 200 MB,
// nearly all of them to train on; or as many as KOOPBENCH_LARGE_ROWS says, with the usual split:
// 6400000 of them are 20 GB.
func TestLargeData(t *testing.T) {
	if underRace {
		t.Skip("the race detector takes memory of its own")
	}
	t.Chdir(t.TempDir())
	const garbage = 25 // percent, so that little of what is measured is garbage
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	rows, split, most := 64_000, ".97,.01,.02", 180
	if text := os.Getenv("KOOPBENCH_LARGE_ROWS"); text != "" {
		var err error
		rows, err = strconv.Atoi(text)
		require.NoError(t, err)
		split, most = ".6,.2,.2", 1000
	}
	if err := synthetic.WriteRecording("large.npy", rows, 784); err != nil {
		t.Skipf("this disk takes no file of that size: %v", err)
	}
	config := newFakes().config() // it draws no figures
	config.Registry = methods.Builtin
	for _, method := range []string{"linear", "contrastive?batch_size=1024"} {
		debug.FreeOSMemory()
		before, begun, spent := anonymousMB(t), time.Now(), processorSeconds(t)
		peak := mostAnonymousMB(t, func() {
			got := call(t.Context(), config, "run", "--data", "large.npy", "--methods", method, "--epochs", "2", "--split",
				split, "--out", method)
			require.Zero(t, got.status, got.stderr)
		}) - before
		t.Logf("%d rows, %s: %.0f s, %.0f s of a processor, %d MB of anonymous memory", rows, method,
			time.Since(begun).Seconds(), processorSeconds(t)-spent, peak)
		assert.Less(t, peak, most, method)
	}
}
