package cli

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/filelock"
)

// somePredictions are predictions of so many grey images and steps.
func somePredictions(t *testing.T, images, steps int) *predictions {
	t.Helper()
	x, err := core.NewSnapshots(make([]float32, images*4), 2, 2)
	require.NoError(t, err)
	p := &predictions{inputs: x, labels: [][]int{make([]int, images)},
		source: source{Schema: PredictionsSchema, Steps: steps}}
	for range steps {
		p.steps = append(p.steps, x)
		p.labels = append(p.labels, make([]int, images))
	}
	return p
}

// namesIn lists the files under a folder, in order.
func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	}))
	return names
}

// TestPredictionsReplaceOwnOnes: later predictions take the place of earlier ones, of which nothing
// stays, and leave the rest.
func TestPredictionsReplaceOwnOnes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	require.NoError(t, somePredictions(t, 3, 2).write(dir, 3))
	first := namesIn(t, dir)
	assert.Len(t, first, 4+9, ".lock, predictions.json, labels.csv, predictions.npz and the pictures")
	mine := []string{"notes.txt", filepath.Join("images", "photo.png"), filepath.Join("images", "image1-step1.png")}
	for _, name := range mine {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600))
	}
	require.NoError(t, os.Chmod(filepath.Join(dir, labelsFile), 0o600))
	killed := filepath.Join(dir, stagingFolder, imagesFolder)
	require.NoError(t, os.MkdirAll(killed, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(killed, "image0009-step009.png"), nil, 0o600))

	later := somePredictions(t, 1, 1)
	require.NoError(t, later.write(dir, 1))
	want := append([]string{
		".lock", "predictions.json", "labels.csv", "predictions.npz",
		filepath.Join("images", "image0000-step000.png"), filepath.Join("images", "image0000-step001.png"),
	}, mine...)
	assert.ElementsMatch(t, want, namesIn(t, dir))
	for _, name := range mine {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, "mine", string(text))
	}
	info, err := os.Stat(filepath.Join(dir, labelsFile))
	require.NoError(t, err)
	assert.EqualValues(t, 0o600, info.Mode().Perm(), "a file that is replaced keeps its mode")
	later.labels = nil
	require.NoError(t, later.write(dir, 0))
	assert.ElementsMatch(t, slices.Concat([]string{".lock", "predictions.json", "predictions.npz"}, mine),
		namesIn(t, dir))
}

// TestPredictionsLeaveForeignFiles: files of something else, and folders of results, are refused
// before anything is computed.
func TestPredictionsLeaveForeignFiles(t *testing.T) {
	data, results := dataFolder(t), filepath.Join(t.TempDir(), "results")
	require.Zero(t, call(t.Context(), newFakes().config(), tiny(data, results, "--methods", "template", "-q")...).status)
	for name, says := range map[string]string{
		"labels.csv":       "has labels.csv, which this program did not write",
		"predictions.npz":  "has predictions.npz, which this program did not write",
		"images":           "has images, which this program did not write",
		"predictions.json": "has predictions.json, which this program did not write",
		"results":          "has data.npz, which another kind of command writes",
	} {
		t.Run(name, func(t *testing.T) {
			dir := results
			if name != "results" {
				dir = t.TempDir()
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o600))
			}
			before := namesIn(t, dir)
			args := []string{"predict", "--model", "none.npz", "--input", "none.npy", "--out", dir}
			got := call(t.Context(), newFakes().config(), args...)
			assert.Equal(t, exitFailure, got.status)
			assert.Contains(t, got.stderr, says)
			assert.Contains(t, got.stderr, "; choose another folder with --out\n")
			assert.Equal(t, before, namesIn(t, dir))
		})
	}
	out := filepath.Join(t.TempDir(), "predictions")
	require.NoError(t, somePredictions(t, 1, 1).write(out, 1))
	before := namesIn(t, out)
	got := call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template", "-q")...)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "not a folder of results: "+out+" has predictions.json")
	assert.Equal(t, before, namesIn(t, out), "results are not written among predictions")
}

// TestPredictionsThatFail: earlier predictions stay if later ones cannot be written, or another
// command is writing some.
func TestPredictionsThatFail(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	require.NoError(t, somePredictions(t, 2, 2).write(dir, 2))
	before := namesIn(t, dir)
	bad := somePredictions(t, 1, 1)
	bad.steps[0] = core.Snapshots{} // which is no prediction of the image
	require.Error(t, bad.write(dir, 1))
	assert.Equal(t, before, namesIn(t, dir))
	held, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_RDWR, 0)
	require.NoError(t, err)
	defer held.Close()
	if filelock.Lock(held) == nil {
		assert.ErrorIs(t, somePredictions(t, 1, 1).write(dir, 1), results.ErrBusy)
		assert.Equal(t, before, namesIn(t, dir))
	}
}
