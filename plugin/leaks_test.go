//go:build unix

package plugin_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// leavesNothing gives a test a folder of its own for the sockets and temporary files of plugins,
// and checks at its end that nothing is left: no file there, no process that was given a folder
// there, no descriptor and no goroutine of this program. It returns the folder.
func leavesNothing(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp("/tmp", "kb")
	require.NoError(t, err)
	t.Setenv("XDG_RUNTIME_DIR", base)
	t.Setenv("TMPDIR", base)
	descriptors, goroutines := openDescriptors(), runtime.NumGoroutine()
	t.Cleanup(func() {
		var left []string
		for deadline := time.Now().Add(hangs); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if left = leftovers(base, descriptors, goroutines); len(left) == 0 {
				break
			}
		}
		assert.Empty(t, left)
		if slices.ContainsFunc(left, func(s string) bool { return strings.HasSuffix(s, " goroutines") }) {
			text := make([]byte, 1<<20)
			t.Logf("%s", text[:runtime.Stack(text, true)])
		}
		assert.NoError(t, os.RemoveAll(base))
	})
	return base
}

func leftovers(base string, descriptors []string, goroutines int) []string {
	var left []string
	for _, d := range openDescriptors() {
		if !slices.Contains(descriptors, d) {
			left = append(left, "descriptor "+d)
		}
	}
	for _, pid := range processesIn(base) {
		left = append(left, fmt.Sprint("process ", pid))
	}
	if found, _ := os.ReadDir(base); len(found) > 0 {
		left = append(left, "folder "+found[0].Name())
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		left = append(left, fmt.Sprint(n-goroutines, " goroutines"))
	}
	return left
}

// openDescriptors names what this program has open, but for what the runtime itself opens; nothing
// where the system does not tell.
func openDescriptors() []string {
	entries, _ := os.ReadDir("/proc/self/fd")
	var open []string
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil || strings.HasPrefix(target, "anon_inode:") || strings.HasPrefix(target, "/proc/") {
			continue
		}
		open = append(open, target)
	}
	return open
}

// processesIn lists the processes whose folder for temporary files is in base; none where the system does not tell.
func processesIn(base string) []int {
	var found []int
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environments {
		text, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(text, []byte("TMPDIR="+base+"/koopbench-")) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			found = append(found, pid)
		}
	}
	return found
}
