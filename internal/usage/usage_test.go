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
	switch os.Getenv("USAGE_TEST_CHILD") {
	case "":
		os.Exit(m.Run())
	case "parent":
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "USAGE_TEST_CHILD=large")
		child.Stdin, child.Stdout = os.Stdin, os.Stdout
		if child.Run() != nil {
			os.Exit(1)
		}
	case "large":
		filled := fill(large)
		_, _ = os.Stdout.WriteString("ready\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(int(filled[1]))
	default:
		_, _ = os.Stdout.WriteString("ready\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
}

const large = 200 << 20

func fill(n int) []byte {
	filled := make([]byte, n)
	for i := 0; i < len(filled); i += 4096 {
		filled[i] = 1
	}
	return filled
}

// TestPeakRSSOf: the peak of a child is its own, not that of the program that starts it, and counts
// what it has started.
func TestPeakRSSOf(t *testing.T) {
	filled := fill(large)
	assert.Greater(t, PeakRSS(), int64(large))
	peak := peakOfChild(t, "small")
	assert.Positive(t, peak)
	assert.Less(t, peak, int64(large/2))
	assert.Greater(t, peakOfChild(t, "parent"), int64(large))
	assert.NotZero(t, filled[0])
}

func peakOfChild(t *testing.T, what string) int64 {
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), "USAGE_TEST_CHILD="+what)
	stdin, err := child.StdinPipe()
	require.NoError(t, err)
	stdout, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	_, err = io.ReadFull(stdout, make([]byte, len("ready\n")))
	require.NoError(t, err)
	peak := PeakRSSOf(child.Process.Pid)
	require.NoError(t, stdin.Close())
	require.NoError(t, child.Wait())
	assert.Zero(t, PeakRSSOf(child.Process.Pid), "it has ended")
	return peak
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
		require.Less(t, time.Since(begun), 2*time.Minute, "it does not grow")
	}
}
