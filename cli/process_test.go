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
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

// The tests of this file run the command line over the fakes as a process of its own: this test's program, told so by
// asChild.
const (
	asChild  = "KOOPBENCH_TEST_CHILD"
	fileSize = "KOOPBENCH_TEST_FILE_SIZE" // the most bytes that the child's files may have
)

// hangs is a time that nothing takes which does not hang, on a busy machine too.
const hangs = 2 * time.Minute

// hostileChild makes this program the child of the tests of hostile files, where there are such:
// hostileMain is nil elsewhere.
const hostileChild = "KOOPBENCH_TEST_HOSTILE"

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
		if err := limitFiles(size); err != nil {
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
	deadline := time.After(hangs)
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
	timer := time.AfterFunc(hangs, func() { _ = c.Process.Kill() })
	defer timer.Stop()
	err := c.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return output{c.ProcessState.ExitCode(), c.stdout.String(), c.stderr.String()}
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
	assert.Contains(t, got.stderr, "template, seed 42: already finished\n")
	assert.Len(t, resultsIn(t, out).Runs, 2)
}

// assertKept checks that so many runs are whole on disk, and that no file is left half-written.
func assertKept(t *testing.T, out string, runs int) {
	t.Helper()
	assert.Len(t, wholeRuns(t, out, runs), runs)
}

// wholeRuns returns the keys of the runs that are whole on disk, of so many that have results
// there, and checks that no file is left half-written.
func wholeRuns(t *testing.T, out string, runs int) (whole []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(out, "runs", "*.json"))
	require.NoError(t, err)
	assert.Len(t, files, runs)
	store := results.OpenStore(out)
	for _, file := range files {
		key := strings.TrimSuffix(filepath.Base(file), ".json")
		run, ok, err := store.Run(key)
		require.NoError(t, err)
		require.True(t, ok)
		assert.Equal(t, results.StatusOK, run.Status)
		if _, err = store.RunArrays(key); err == nil {
			whole = append(whole, key)
		}
	}
	require.NoError(t, filepath.WalkDir(out, func(path string, _ os.DirEntry, err error) error {
		assert.False(t, strings.HasPrefix(filepath.Base(path), ".tmp-"), "%s is left", path)
		return err
	}))
	return whole
}
