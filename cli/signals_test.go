//go:build unix

package cli

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/koopbench/koopbench/benchmark/results"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadersThatLeave: a run goes on to its end if nobody reads its progress or its table any
// more; only the table is an error.
func TestReadersThatLeave(t *testing.T) {
	for name, status := range map[string]int{"stderr": 0, "stdout": exitFailure} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			cmd := exec.Command(os.Args[0], tiny(dataFolder(t), out, "--methods", "template,other")...)
			cmd.Env = append(os.Environ(), asChild+"=1")
			reader, writer, err := os.Pipe()
			require.NoError(t, err)
			require.NoError(t, reader.Close())
			defer writer.Close()
			if name == "stderr" {
				cmd.Stderr = writer
			} else {
				cmd.Stdout = writer
			}
			_ = cmd.Run()
			assert.Equal(t, status, cmd.ProcessState.ExitCode(), cmd.ProcessState)
			r, err := results.OpenStore(out).Results()
			require.NoError(t, err)
			assert.Len(t, r.Runs, 2)
		})
	}
}

// TestIgnoredSignals: a program that was started to outlive its terminal, by nohup for instance,
// does.
func TestIgnoredSignals(t *testing.T) {
	const inside = "KOOPBENCH_TEST_IGNORES"
	if os.Getenv(inside) == "" { // a process cannot take it back
		cmd := exec.Command(os.Args[0], "-test.run=^TestIgnoredSignals$")
		cmd.Env = append(os.Environ(), inside+"=1")
		text, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", text)
		return
	}
	signal.Ignore(syscall.SIGHUP)
	ctx, stop := stopBySignal(t.Context())
	defer stop()
	assert.True(t, signal.Ignored(syscall.SIGHUP))
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	assert.NoError(t, ctx.Err())
}

func TestSignal(t *testing.T) {
	for _, sent := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sent.String(), func(t *testing.T) {
			// If these tests were started by nohup, the child would ignore it otherwise.
			heard := make(chan os.Signal, 1)
			signal.Notify(heard, sent)
			defer signal.Stop(heard)
			out := filepath.Join(t.TempDir(), "out")
			c := startChild(t, nil, tiny(dataFolder(t), out, "--methods", "template,blocking")...)
			c.await(t, "blocking begins")
			require.NoError(t, c.Process.Signal(sent))
			got := c.finish(t)
			assert.Equal(t, exitInterrupted, got.status)
			assert.Contains(t, got.stdout, "template")
			assert.True(
				t,
				strings.HasSuffix(got.stderr,
					"bench: stopped with 1 of 2 runs finished and kept in "+out+"; the same command continues from there\n"),
				got.stderr,
			)
			assert.Len(t, resultsIn(t, out).Runs, 1)
		})
	}
}

// TestSecondSignal: a method that does not look at its context cannot hold the user up.
func TestSecondSignal(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	c := startChild(t, nil, tiny(dataFolder(t), out, "--methods", "template,deaf")...)
	c.await(t, "deaf begins")
	require.NoError(t, c.Process.Signal(os.Interrupt))
	c.await(t, "stopping")
	require.NoError(t, c.Process.Signal(os.Interrupt))
	got := c.finish(t)
	assert.Equal(t, exitInterrupted, got.status)
	assertKept(t, out, 1)
}
