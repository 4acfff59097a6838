//go:build unix

package plugin_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

// hostVariable makes this test's program one that uses the plugin it names, until it is killed.
const hostVariable = "KOOPBENCH_TEST_HOST"

func host(path string) {
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	p, err := plugin.Open(context.Background(), path, nil)
	if err != nil {
		fail(err)
	}
	ctx, _ := core.WithScope(context.Background())
	m := p.Things[0].(core.Method)
	x, err := core.NewSnapshots(make([]float32, 40), 2, 2)
	if err != nil {
		fail(err)
	}
	model, err := m.Fit(ctx, &core.Training{
		Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x),
		Lag: 1, States: 2, Name: "method", Progress: core.NoProgress,
	})
	if err != nil {
		fail(err)
	}
	fmt.Println("fitted")
	_, err = model.Predict(ctx, x)
	fail(fmt.Errorf("the prediction has ended: %w", err))
}

// TestHostIsKilled: where this program is killed, the processes of its plugins end with it, and
// what is left of their files goes with the next start.
func TestHostIsKilled(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("processes are found by /proc, which is not there")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	for name, c := range map[string]struct{ script, act string }{
		"plugin": {"#!/bin/sh\nexec '" + self + "'\n", "child and hang"},
		"plugin started by a script": {"#!/bin/sh\n'" + self + "'\nexit 7\n",
			"child and hang"}, // which leads the group
		"plugin that takes no notice": {"#!/bin/sh\nmkfifo \"$0.$$\" && exec '" + self + "' <>\"$0.$$\"\n",
			"stray and hang"}, // as in C code that holds Python's lock
	} {
		t.Run(name, func(t *testing.T) {
			base := leavesNothing(t)
			path := testPlugin(t)
			require.NoError(t, os.WriteFile(path, []byte(c.script), 0o755))
			host := exec.Command(self)
			host.Env = append(os.Environ(), hostVariable+"="+path, actVariable+"=fit="+c.act)
			out, err := host.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, host.Start())
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "fitted\n", line)
			require.Eventually(t, func() bool { return len(processesIn(base)) >= 2 }, hangs, 10*time.Millisecond,
				"plugin and child")
			require.NoError(t, host.Process.Kill())
			_ = host.Wait()
			assert.Eventually(t, func() bool { return len(processesIn(base)) == 0 }, hangs, 10*time.Millisecond)

			folders, err := filepath.Glob(filepath.Join(base, "koopbench-*"))
			require.NoError(t, err)
			assert.Len(t, folders, 1, "the folder of the killed program")
			t.Setenv(actVariable, "none")
			p := openPlugin(t, testPlugin(t))
			assert.NoError(t, p.Close())
			for _, f := range folders {
				assert.NoDirExists(t, f)
			}
		})
	}
}
