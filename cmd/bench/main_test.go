package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/dataset"
	"github.com/koopbench/koopbench/internal/npz"
)

// build builds the program and returns its path.
func build(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bench")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// runner returns what runs the program, which must end well.
func runner(t *testing.T, path string) func(args ...string) (stdout, stderr string) {
	return func(args ...string) (stdout, stderr string) {
		t.Helper()
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Env = append(os.Environ(), "GOMLX_BACKEND=")
		cmd.Stdout, cmd.Stderr = &out, &errs
		require.NoError(t, cmd.Run(), "%v\n%s", args, errs.String())
		return out.String(), errs.String()
	}
}

// builtin are the names of the built-in methods.
var builtin = []string{
	"analogue", "autoencoder", "classifier", "consistent", "contrastive", "dmd", "dpnets", "dpnets-relaxed",
	"edmd", "kernel",
	"linear", "lora", "random-network", "vamp",
}

// TestProgram builds the program and runs the whole benchmark with it, cut down to seconds.
func TestProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program and trains every method, which takes half a minute; -short is set")
	}
	run := runner(t, build(t))
	t.Run("list starts with little work", func(t *testing.T) {
		stdout, stderr := run("list")
		require.Empty(t, stderr)
		for _, name := range append(slices.Clone(builtin), "cnn") {
			require.Contains(t, stdout, "\n  "+name+" ")
		}
		t.Setenv("GODEBUG", "inittrace=1") // what packages do before main
		_, trace := run("list")
		total := 0
		for _, found := range regexp.MustCompile(`(?m)^init .* (\d+) bytes`).FindAllStringSubmatch(trace, -1) {
			n, err := strconv.Atoi(found[1])
			require.NoError(t, err)
			total += n
		}
		assert.Positive(t, total)
		assert.Less(t, total, 3<<20, "bytes are allocated before main")
	})

	out := filepath.Join(t.TempDir(), "results")
	args := []string{"run", "--epochs", "1", "--split", "64,12,10", "--steps", "2", "--save-models", "--out", out}
	table, stderr := run(args...)
	found := readResults(t, out)
	t.Run("run", func(t *testing.T) {
		assert.Equal(t, map[string]any{
			"batch_size": 64., "epochs": 1., "lr": 8e-4, "weight_decay": 0.01, "width": 128.,
			"optimiser": "adamw", "schedule": "constant", "clip": 0., "patience": 0., "orthogonal": false,
		}, found.Oracle.Options)
		methods := map[string]results.Run{}
		for _, r := range found.Runs {
			methods[r.Method] = r
			assert.Equal(t, results.StatusOK, r.Status, "%s: %s", r.Method, r.Reason)
			require.Len(t, r.Evaluations, 2)
			assert.Len(t, r.Evaluations[0].Score, 2)
			assert.Contains(t, table, r.Method)
			assert.Contains(t, stderr, r.Method+", seed 42: done in ")
		}
		assert.Len(t, methods, len(builtin))
		assert.Greater(t, methods["linear"].Rank, 1)
		assert.Len(t, methods["vamp"].History, 1)
		assert.NotContains(t, stderr, "\x1b", "no terminal, no bars")
	})
	t.Run("run again", func(t *testing.T) {
		again, stderr := run(args...)
		assert.Equal(t, table, again)
		assert.Equal(t, len(builtin), strings.Count(stderr, "already finished"))
	})
	t.Run("predict", func(t *testing.T) { predictAgain(t, run, out, found) })
	t.Run("report", func(t *testing.T) {
		again, _ := run("report", out)
		assert.Equal(t, table, again)
	})
}

// predictAgain predicts the test images, as PNGs, with the model of every run: the same bits as in
// the run, and the same labels.
func predictAgain(t *testing.T, run func(args ...string) (stdout, stderr string), out string, found results.Results,
	more ...string) {
	store := results.OpenStore(out)
	task, err := store.TaskArrays()
	require.NoError(t, err)
	require.Equal(t, found.Task.Test, task.Starts.Len())
	var inputs []string
	for i := range task.Starts.Len() {
		inputs = append(inputs, filepath.Join(t.TempDir(), "image.png"))
		file, err := os.Create(inputs[i])
		require.NoError(t, err)
		require.NoError(t, png.Encode(file, dataset.Grey(task.Starts.Slice(i, i+1).Floats(), 28, 28)))
		require.NoError(t, file.Close())
	}
	n, steps := len(inputs), found.Task.Steps
	for _, r := range found.Runs {
		dir := filepath.Join(t.TempDir(), "predicted")
		args := append([]string{"predict", "--model", store.ModelPath(r.Key), "--steps", strconv.Itoa(steps), "--out", dir},
			more...)
		stdout, _ := run(append(append(args, "--input"), inputs...)...)
		assert.NotEmpty(t, stdout)
		data, err := os.ReadFile(filepath.Join(dir, "predictions.npz"))
		require.NoError(t, err)
		a, err := npz.Read(bytes.NewReader(data), int64(len(data)))
		require.NoError(t, err)
		images, shape, err := npz.Values[float32](a, "images", 4)
		require.NoError(t, err)
		require.Equal(t, []int{steps, n, 28, 28}, shape)
		labels, _, err := npz.Values[int64](a, "labels", 2)
		require.NoError(t, err)
		for step := range steps {
			h := sha256.New()
			require.NoError(t, binary.Write(h, binary.LittleEndian, images[step*n*784:(step+1)*n*784]))
			assert.Equal(t, r.PredictionSHA256[step], hex.EncodeToString(h.Sum(nil)), "%s, step %d", r.Method, step+1)
			for i, label := range r.Evaluations[0].Labels[step] {
				assert.EqualValues(t, label, labels[step*n+i])
			}
		}
		pictures, err := filepath.Glob(filepath.Join(dir, "images", "*.png"))
		require.NoError(t, err)
		assert.Len(t, pictures, 10*(1+steps), "of the first ten")
	}
}

// TestServedByItself: each built-in method gives the same bits in this program and in another process, as a plugin.
func TestServedByItself(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program and trains every method twice; -short is set")
	}
	bench := build(t)
	remote := filepath.Join(t.TempDir(), "remote")
	script := "#!/bin/sh\nexec '" + bench + "' plugin serve " + strings.Join(builtin, " ") +
		" pixels ridge --prefix remote-\n"
	require.NoError(t, os.WriteFile(remote, []byte(script), 0o755))
	out := filepath.Join(t.TempDir(), "results")
	text, err := exec.CommandContext(t.Context(), bench, "run", "--plugin", remote, "--methods", "all", "--epochs", "2",
		"--split", "192,64,10", "--steps", "3", "--save-models", "--out", out).CombinedOutput()
	require.NoError(t, err, "%s", text)
	runs := map[string]results.Run{}
	for _, r := range readResults(t, out).Runs {
		require.Equal(t, results.StatusOK, r.Status, "%s: %s", r.Method, r.Reason)
		runs[r.Method] = r
	}
	parts := []string{"embedder:remote-pixels", "operator:remote-ridge"}
	for _, loss := range []string{"vamp", "dpnets", "dpnets-relaxed", "lora"} { // names of methods too
		parts = append(parts, "loss:remote-"+loss)
	}
	assert.Len(t, runs, 2*len(builtin)+len(parts),
		"all are the built-in methods, those of the plugin, and what is made of its parts")
	for _, name := range parts {
		assert.Contains(t, runs, name)
	}
	for _, name := range builtin {
		here, there := runs[name], runs["remote-"+name]
		require.NotNil(t, there.Plugin)
		require.Len(t, here.PredictionSHA256, 3)
		assert.Equal(t, here.PredictionSHA256, there.PredictionSHA256, name)
		assert.Equal(t, here.History, there.History, name)
		assert.Equal(t, here.Eigenvalues, there.Eigenvalues, name)
		assert.Equal(t, here.Exposed, there.Exposed, name)
		stored, err := results.ReadModel(results.OpenStore(out).ModelPath(here.Key))
		require.NoError(t, err)
		far, err := results.ReadModel(results.OpenStore(out).ModelPath(there.Key))
		require.NoError(t, err)
		assert.Equal(t, stored.State, far.State, name)
	}
	found := readResults(t, out)
	found.Runs = slices.DeleteFunc(found.Runs, func(r results.Run) bool { return !strings.HasPrefix(r.Method, "remote-") })
	require.Len(t, found.Runs, len(builtin))
	predictAgain(t, runner(t, bench), out, found, "--plugin", remote)
}

func readResults(t testing.TB, dir string) results.Results {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "results.json"))
	require.NoError(t, err)
	var r results.Results
	require.NoError(t, json.Unmarshal(text, &r))
	return r
}
