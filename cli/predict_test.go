package cli

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/statefile"
)

// TestPredictBadInput: what cannot be predicted, or not with this model, is said in a sentence, and nothing is written.
func TestPredictBadInput(t *testing.T) {
	t.Setenv(backendVariable, "")
	dir := t.TempDir()
	info := results.ModelInfo{
		Kind: results.ModelOfMethod, Name: "template", Oracle: "0123456789abcdef", Version: "v9.1.0", Backend: "here",
		Task: results.TaskInfo{States: 3, Shape: []int{28, 28}, Lag: 1},
	}
	write := func(name, format string, change func(*results.ModelInfo)) string {
		i := info
		if change != nil {
			change(&i)
		}
		data, err := statefile.Encode(format, i, &core.State{})
		require.NoError(t, err)
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o644))
		return path
	}
	model := write("model.npz", results.ModelFormat, nil)
	later := write("later.npz", "koopbench.model/2", nil)
	oracle := write("oracle.npz", results.ModelFormat,
		func(i *results.ModelInfo) { i.Kind, i.Name = results.ModelOfOracle, "novel" })
	unknown := write("unknown.npz", results.ModelFormat, func(i *results.ModelInfo) { i.Name = "templat" })
	picture := func(name string, height, width int) string {
		path := filepath.Join(dir, name)
		file, err := os.Create(path)
		require.NoError(t, err)
		require.NoError(t, png.Encode(file, image.NewGray(image.Rect(0, 0, width, height))))
		require.NoError(t, file.Close())
		return path
	}
	right, small := picture("right.png", 28, 28), picture("small.png", 20, 10)

	for name, args := range map[string][]string{
		"predict-without-model":  {"--input", right},
		"predict-without-images": {"--model", model},
		"predict-no-model":       {"--model", right, "--input", right},
		"predict-later-version":  {"--model", later, "--input", right},
		"predict-other-size":     {"--model", model, "--input", right, small},
		"predict-no-images":      {"--model", model, "--input", filepath.Join(dir, "none.png")},
		"predict-unknown-method": {"--model", unknown, "--input", right},
		"predict-cannot-load":    {"--model", model, "--input", right},
		"predict-not-an-oracle":  {"--model", model, "--oracle", model, "--input", right},
		"predict-the-oracle":     {"--model", oracle, "--input", right},
		"predict-unknown-oracle": {"--model", model, "--oracle", oracle, "--input", right},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			got := call(t.Context(), newFakes().config(), append([]string{"predict", "--out", out}, args...)...)
			checkGolden(t, "bad/"+name, got, map[string]string{"DIR": dir, "OUT": out})
			assert.NotZero(t, got.status)
			assert.Empty(t, got.stdout)
			assert.NoDirExists(t, out)
		})
	}
}

// TestSaveModelsWarns: a method that cannot be saved is named before anything runs.
func TestSaveModelsWarns(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	got := call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template", "--save-models", "-q")...)
	assert.Zero(t, got.status)
	assert.Equal(t, "bench: warning: --save-models: the models of template cannot be saved, so its runs have no model "+
		"file\n", got.stderr)
	require.Len(t, resultsIn(t, out).Runs[0].Warnings, 1)
}
