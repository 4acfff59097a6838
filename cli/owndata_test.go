package cli

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writeOrbit writes a table of a rotation with its time.
func writeOrbit(t *testing.T, path string, rows int) {
	var text strings.Builder
	text.WriteString("t,x,y\n")
	for i := range rows {
		fmt.Fprintf(&text, "%.1f,%.7g,%.7g\n", 0.1*float64(i), math.Cos(0.3*float64(i)), math.Sin(0.3*float64(i)))
	}
	require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
}

// TestOwnData: --data and nothing else takes files for what they are, and says so; the results do
// not tell where they are.
func TestOwnData(t *testing.T) {
	t.Chdir(t.TempDir())
	config := lorenzConfig()
	writeOrbit(t, "orbit.csv", 300)
	const taken = "orbit.csv: 300 rows × 2 columns (x, y), header, comma-separated; column t is time, dropped; split " +
		"in time"
	got := call(t.Context(), config, "run", "--data", "orbit.csv", "--methods", "linear", "--out", "one")
	require.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stderr, "task     trajectory: 180 + 60 + 60 snapshots of 2, 15 steps")
	assert.Contains(t, got.stderr, "data     "+taken+"\n")
	assert.Contains(t, got.stdout, "nrmse")
	r := resultsIn(t, "one")
	assert.Equal(t, "trajectory", r.Task.Name)
	assert.Equal(t, taken, r.Task.Source)
	assert.NotContains(t, r.Task.Options, "data")

	again := call(t.Context(), config, "run", "--config", filepath.Join("one", "config.yaml"))
	require.Zero(t, again.status, again.stderr)
	assert.Contains(t, again.stderr, "linear, seed 42: already finished")
	verified := call(t.Context(), config, "verify", "one", "--data", "orbit.csv")
	require.Zero(t, verified.status, verified.stderr)

	text, err := os.ReadFile("orbit.csv")
	require.NoError(t, err)
	timeless := regexp.MustCompile(`(?m)^[^,]*,`).ReplaceAll(text, nil)
	require.NoError(t, os.WriteFile("same.csv", timeless, 0o600))
	verified = call(t.Context(), config, "verify", "one", "--data", "same.csv")
	require.Zero(t, verified.status, verified.stdout+verified.stderr)
	assert.Contains(t, verified.stdout, "the interval and the unit of time, which the data given here do not have")

	require.NoError(t, os.Mkdir("runs", 0o700))
	writeOrbit(t, filepath.Join("runs", "run2.csv"), 100)
	writeOrbit(t, filepath.Join("runs", "run10.csv"), 120)
	for data, says := range map[string]string{
		"runs":                         "2 trajectories (run2.csv … run10.csv): each 100 to 120 rows",
		"runs/run10.csv,runs/run2.csv": "2 trajectories (run10.csv … run2.csv)",
	} {
		got := call(t.Context(), config, "run", "--data", data, "--methods", "linear", "--steps", "5", "--out", "two")
		require.Zero(t, got.status, got.stderr)
		assert.Contains(t, got.stderr, says)
		again := call(t.Context(), config, "run", "--config", filepath.Join("two", "config.yaml"))
		require.Zero(t, again.status, again.stderr)
		require.NoError(t, os.RemoveAll("two"))
	}
}

func TestOwnDataMistakes(t *testing.T) {
	t.Chdir(t.TempDir())
	config := lorenzConfig()
	writeOrbit(t, "orbit.csv", 300)
	require.NoError(t, os.WriteFile("words.csv", []byte("x\n1\ntwo\n"), 0o600))
	for _, c := range []struct {
		status int
		says   string
		args   []string
	}{
		{exitFailure, `words.csv: unreadable data file: line 3, column 1 (x): "two" is not a number`,
			[]string{"--data", "words.csv"}},
		{exitFailure, "no such file", []string{"--data", "none.csv"}},
		{exitUsage, "--data e .csv: give at most 4096 bytes of UTF-8 without control", []string{"--data", "e\n.csv"}},
		{exitUsage, `before or after a comma in "orbit.csv,"`, []string{"--data", "orbit.csv,"}},
		{exitUsage, "separate a list by commas: --data orbit.csv,words.csv",
			[]string{"--data", "orbit.csv", "words.csv"}},
		{exitUsage, "the longest test trajectory has 60 rows, but 60 steps",
			[]string{"--data", "orbit.csv", "--steps", "60"}},
		{exitFailure, "name the folder that has the four files",
			[]string{"--data", "orbit.csv", "--task", "ordered-mnist"}},
		{exitFailure, "cannot read the folder of the data", []string{"--data", "none"}},
		{exitUsage, "there are no data; give data=FILE", []string{"--task", "trajectory"}},
		{exitFailure, "name the folder that has the four files", []string{"--data", "orbit.csv", "--num-digits", "3"}},
	} {
		got := call(t.Context(), config, append([]string{"run", "--methods", "linear", "--out", "none-made"}, c.args...)...)
		assert.Equal(t, c.status, got.status, "%v", c.args)
		assert.Contains(t, got.stderr, c.says, "%v", c.args)
		assert.NoDirExists(t, "none-made")
	}
}
