package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
)

var update = flag.Bool("update", false, "write the golden files anew")

// checkGolden compares what a command line did with testdata/NAME.txt; the names stand for folders that differ from one
// execution to the next.
func checkGolden(t *testing.T, name string, got output, folders map[string]string) {
	t.Helper()
	text := fmt.Sprintf("status %d\n--- stdout\n%s--- stderr\n%s", got.status, got.stdout, got.stderr)
	text = normalise(text, folders)
	path := filepath.Join("testdata", name+".txt")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "write the golden files with: go test ./cli -update")
	assert.Equal(t, string(want), text, "if this is right: go test ./cli -update")
}

// withoutTable checks that stdout is the table of the results in the folder, which package report
// tests, and leaves it out.
func withoutTable(t *testing.T, got output, dir string) output {
	t.Helper()
	r, err := results.OpenStore(dir).Results()
	require.NoError(t, err)
	var table strings.Builder
	require.NoError(t, report.WriteTable(&table, r))
	require.NotEmpty(t, table.String())
	assert.Equal(t, table.String(), got.stdout)
	got.stdout = "(the table)\n"
	return got
}

var kernels = regexp.MustCompile(`kernels=\w+`) // what the machine has

var slowStart = regexp.MustCompile(`(?m)^ *note: a start took .*\n`) // of a busy machine

var rounding = regexp.MustCompile(`\b\d(\.\d)?e-0[5-9]\b`) // which differs from machine to machine

var times = regexp.MustCompile(`\b(\d+\.\d+s|\d+s|\d+m\d\ds)\b`)

func normalise(text string, folders map[string]string) string {
	for name, folder := range folders {
		text = strings.ReplaceAll(text, folder, name)
	}
	text = strings.ReplaceAll(text, runtime.Version(), "GOVERSION")
	text = strings.ReplaceAll(text, runtime.GOOS+"/"+runtime.GOARCH, "OS/ARCH")
	text = rounding.ReplaceAllString(text, "ROUNDING")
	text = slowStart.ReplaceAllString(text, "")
	text = kernels.ReplaceAllString(text, "kernels=KERNELS")
	return times.ReplaceAllString(text, "TIME")
}
