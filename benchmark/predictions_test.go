package benchmark_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
)

// TestSavePredictions: what is kept are the very images that the hashes in the results are of.
func TestSavePredictions(t *testing.T) {
	dir, m := t.TempDir(), perfect()
	p := plan(t, dir, &oracle{}, m)
	without, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	path := filepath.Join(dir, "runs", without.Runs[0].Key+".reencode.predictions.npz")
	assert.NoFileExists(t, path)

	p.SavePredictions = true
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.EqualValues(t, 4, m.fits.Load(), "finished runs without predictions are repeated")
	assert.Equal(t, without.Runs[0].Key, got.Runs[0].Key)
	assert.Equal(t, without.Runs[0].PredictionSHA256, got.Runs[0].PredictionSHA256)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	a, err := npz.Read(bytes.NewReader(content), int64(len(content)))
	require.NoError(t, err)
	images, shape, err := npz.Values[float32](a, "predictions", 4)
	require.NoError(t, err)
	assert.Equal(t, []int{4, 15, 2, 2}, shape)
	labels, _, err := npz.Values[int64](a, "labels", 2)
	require.NoError(t, err)
	for step, want := range got.Runs[0].PredictionSHA256 {
		var text bytes.Buffer
		require.NoError(t, binary.Write(&text, binary.LittleEndian, images[step*60:(step+1)*60]))
		sum := sha256.Sum256(text.Bytes())
		assert.Equal(t, want, hex.EncodeToString(sum[:]))
		for i, label := range got.Runs[0].Ranked.Labels[step] {
			assert.EqualValues(t, label, labels[step*15+i])
		}
	}

	_, err = benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.EqualValues(t, 4, m.fits.Load(), "what is kept is not made again")
	require.NoError(t, os.Remove(path))
	_, err = benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.EqualValues(t, 5, m.fits.Load(), "what was removed is")
	assert.FileExists(t, path)
}

// TestPredictionsOfFailures: a run that fails on its way leaves no predictions, and no part of them.
func TestPredictionsOfFailures(t *testing.T) {
	dir, calls := t.TempDir(), 0
	m := &method{name: "tired", predict: func(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
		if calls++; calls == 3 {
			panic("enough")
		}
		return moved(1)(ctx, x)
	}}
	p := plan(t, dir, &oracle{}, m)
	p.Seeds, p.SavePredictions = p.Seeds[:1], true
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, results.StatusCrashed, got.Runs[0].Status)
	entries, err := os.ReadDir(filepath.Join(dir, "runs"))
	require.NoError(t, err)
	for _, e := range entries {
		assert.False(t, strings.Contains(e.Name(), "predictions"), e.Name())
	}
}

// TestFilesThatCannotBeWritten: if something beside the results of a run cannot be written, that is
// an error of the command and nothing of the method; the results are kept, and the same command
// makes the rest as soon as it can.
func TestFilesThatCannotBeWritten(t *testing.T) {
	for _, suffix := range []string{".npz", ".model.npz", ".reencode.predictions.npz"} {
		t.Run(suffix, func(t *testing.T) {
			dir := t.TempDir()
			p := savingPlan(t, dir, &oracle{}, perfect())
			p.SavePredictions = true
			want, err := benchmark.Run(t.Context(), p)
			require.NoError(t, err)
			path := filepath.Join(dir, "runs", want.Runs[0].Key+suffix)
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "runs")))
			require.NoError(t, os.MkdirAll(filepath.Join(path, "in-the-way"), 0o755))

			got, err := benchmark.Run(t.Context(), p)
			require.ErrorContains(t, err, path+" cannot be written")
			require.NotEmpty(t, got.Runs)
			assert.Equal(t, results.StatusOK, got.Runs[0].Status)
			assert.Equal(t, want.Runs[0].PredictionSHA256, got.Runs[0].PredictionSHA256)
			stored, ok, err := results.OpenStore(dir).Run(want.Runs[0].Key)
			require.NoError(t, err)
			require.True(t, ok)
			assert.Equal(t, results.StatusOK, stored.Status)
			read, err := results.OpenStore(dir).Results()
			require.NoError(t, err)
			assert.Equal(t, asJSON(t, got.Runs), asJSON(t, read.Runs))

			require.NoError(t, os.RemoveAll(path))
			again, err := benchmark.Run(t.Context(), p)
			require.NoError(t, err)
			assert.Equal(t, want.Runs[0].PredictionSHA256, again.Runs[0].PredictionSHA256)
			assert.FileExists(t, path)
		})
	}
}

// TestMergeTakesPredictions: they belong to the run.
func TestMergeTakesPredictions(t *testing.T) {
	from, out := t.TempDir(), t.TempDir()
	p := plan(t, from, &oracle{}, perfect())
	p.SavePredictions = true
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	_, err = results.Merge(out, []string{from}, nil)
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(out, "runs", got.Runs[0].Key+".reencode.predictions.npz"))
}
