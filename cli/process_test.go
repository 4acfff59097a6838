//go:build unix

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

// The tests of this file run the command line over the fakes as a process of its own: this test's program, told so by
// asChild.
const (
	asChild  = "KOOPBENCH_TEST_CHILD"
	fileSize = "KOOPBENCH_TEST_FILE_SIZE" // the most bytes that the child's files may have
)

// hostileChild makes this program the child of the tests of hostile files, where there are such: hostileMain is nil elsewhere.
const hostileChild = "KOOPBENCH_TEST_HOSTILE"

var hostileMain func()

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		noPlugins()
		os.Exit(Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, mortalFakes().config()))
	}
	if os.Getenv("KOOPBENCH_PLUGIN") != "" {
		plugin.Serve(remoteThings()...)
	}
	noPlugins()
	if os.Getenv(hostileChild) != "" {
		hostileMain()
	}
	if os.Getenv(asChild) == "" {
		os.Exit(m.Run())
	}
	if size, err := strconv.ParseUint(os.Getenv(fileSize), 10, 64); err == nil {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(99)
		}
	}
	fakes := newFakes()
	fakes.extra = []core.Method{broken{"deaf", func(context.Context) error {
		fmt.Fprintln(os.Stderr, "deaf begins")
		select {}
	}}}
	go func() {
		<-fakes.began
		fmt.Fprintln(os.Stderr, "blocking begins")
	}()
	os.Exit(Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, fakes.config()))
}

// child is a command line in a process of its own.
type child struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
	lines          chan string
}

func startChild(t *testing.T, environment []string, args ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0], args...)}
	c.Env = append(append(os.Environ(), asChild+"=1"), environment...)
	c.Stdout = &c.stdout
	c.lines = make(chan string, 1000)
	c.Stderr = &lineWriter{&c.stderr, c.lines}
	require.NoError(t, c.Start())
	return c
}

// lineWriter keeps what is written and sends it on as well.
type lineWriter struct {
	all   *bytes.Buffer
	lines chan string
}

func (w *lineWriter) Write(text []byte) (int, error) {
	w.lines <- string(text)
	return w.all.Write(text)
}

// await waits until the child has written text to its stderr.
func (c *child) await(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case line := <-c.lines:
			if strings.Contains(line, text) {
				return
			}
		case <-deadline:
			_ = c.Process.Kill()
			require.FailNow(t, "the child did not write "+text)
		}
	}
}

func (c *child) finish(t *testing.T) output {
	t.Helper()
	timer := time.AfterFunc(30*time.Second, func() { _ = c.Process.Kill() })
	defer timer.Stop()
	err := c.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return output{c.ProcessState.ExitCode(), c.stdout.String(), c.stderr.String()}
}

func TestSignal(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			c := startChild(t, nil, tiny(dataFolder(t), out, "--methods", "template,blocking")...)
			c.await(t, "blocking begins")
			require.NoError(t, c.Process.Signal(signal))
			got := c.finish(t)
			assert.Equal(t, exitInterrupted, got.status)
			assert.Contains(t, got.stdout, "template")
			assert.True(t, strings.HasSuffix(got.stderr, "bench: stopped with 1 of 2 runs finished, kept in "+out+"; the same command continues from there\n"), got.stderr)
			assert.Len(t, results(t, out).Runs, 1)
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

// TestKilled: a folder whose process was killed at any instant is continued by the same command.
func TestKilled(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	args := tiny(data, out, "--methods", "template,blocking")
	c := startChild(t, nil, args...)
	c.await(t, "blocking begins")
	require.NoError(t, c.Process.Kill())
	c.finish(t)
	assertKept(t, out, 1)

	got := startChild(t, nil, tiny(data, out, "--methods", "template,other")...).finish(t)
	assert.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stderr, "template, seed 42: finished before, kept\n")
	assert.Len(t, results(t, out).Runs, 2)
}

// assertKept checks that so many runs are whole on disk, and that no file is left half-written.
func assertKept(t *testing.T, out string, runs int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(out, "runs", "*.json"))
	require.NoError(t, err)
	assert.Len(t, files, runs)
	store := benchmark.OpenStore(out)
	for _, file := range files {
		key := strings.TrimSuffix(filepath.Base(file), ".json")
		run, ok, err := store.Run(key)
		require.NoError(t, err)
		require.True(t, ok)
		assert.Equal(t, benchmark.StatusOK, run.Status)
		_, err = store.RunArrays(key)
		assert.NoError(t, err)
	}
	require.NoError(t, filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		assert.False(t, strings.HasPrefix(filepath.Base(path), ".tmp-") || strings.HasPrefix(filepath.Base(path), ".probe-"), "%s is left", path)
		return err
	}))
}

// TestFileTooLarge: a run whose file cannot be written ends the command with a clear error; the runs before it are kept.
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
	assert.Regexp(t, `\nbench: 100 of 100 runs are finished and kept in .*, but .*results.json cannot be written: .* file too large\n$`, got.stderr)
	assertKept(t, out, 100)
	assert.NoFileExists(t, filepath.Join(out, "results.json"))

	again := call(t.Context(), newFakes().config(), tiny(data, out, append(seeds, "-q")...)...)
	assert.Zero(t, again.status, again.stderr)
	assert.Len(t, results(t, out).Runs, 100)
}
