//go:build linux

package usage

import (
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Started as a child, this test's program waits for the end of its standard input.
func TestMain(m *testing.M) {
	if os.Getenv("USAGE_TEST_CHILD") != "" {
		_, _ = os.Stdout.WriteString("ready\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestPeakRSSOf: the peak of a child is its own, not that of the program that starts it.
func TestPeakRSSOf(t *testing.T) {
	const large = 200 << 20
	filled := make([]byte, large)
	for i := 0; i < len(filled); i += 4096 {
		filled[i] = 1
	}
	assert.Greater(t, PeakRSS(), int64(large))
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), "USAGE_TEST_CHILD=1")
	stdin, err := child.StdinPipe()
	require.NoError(t, err)
	stdout, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	_, err = io.ReadFull(stdout, make([]byte, len("ready\n")))
	require.NoError(t, err)
	peak := PeakRSSOf(child.Process.Pid)
	assert.Positive(t, peak)
	assert.Less(t, peak, int64(large/2))
	require.NoError(t, stdin.Close())
	require.NoError(t, child.Wait())
	assert.Zero(t, PeakRSSOf(child.Process.Pid), "it has ended")
	assert.NotZero(t, filled[0])
}

func TestCPU(t *testing.T) {
	before, _, ok := CPU()
	require.True(t, ok)
	const burnt = 20 * time.Millisecond
	begun := time.Now()
	after := before
	for after-before < burnt {
		after, _, ok = CPU()
		require.True(t, ok)
		require.Less(t, time.Since(begun), 30*time.Second, "it does not grow")
	}
}
