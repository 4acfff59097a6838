package benchmark_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
)

// filesIn returns the content of all files under a folder, "" for folders.
func filesIn(t *testing.T, dir string) map[string]string {
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			all[path] = ""
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = string(text)
		return err
	}))
	return all
}

// TestForeignFilesStay: what is not of this program, or of another version of it, is not written
// over, and the user is told what to do.
func TestForeignFilesStay(t *testing.T) {
	source := t.TempDir()
	_, err := benchmark.Run(t.Context(), plan(t, source, &oracle{}, perfect()))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		file, content string
		kind          error
		says          string
	}{
		"old results": {"results.json", `{"schema":"koopbench.results/0"}`, results.ErrResults,
			`has the schema "koopbench.results/0"`},
		"torn results": {"results.json", `{"schema":`, results.ErrResults, "unexpected end of JSON input"},
		"other results": {"results.json", "hello", results.ErrResults,
			"remove the file (its runs are kept), or choose another folder with --out"},
		"a configuration": {"config.yaml", "learning_rate: 1", results.ErrForeign,
			"has config.yaml, which this program did not write and would overwrite; choose another folder with --out"},
		"data":    {"data.npz", "hello", results.ErrForeign, "has data.npz, which this program did not write"},
		"a plan":  {"plan.json", "hello", results.ErrForeign, "has plan.json, which this program did not write"},
		"figures": {"figures/accuracy.png", "hello", results.ErrForeign, "has figures, which this program did not write"},
		"logs":    {"logs/far.log", "hello", results.ErrForeign, "has logs, which this program did not write"},
		"predictions": {"predictions.json", "{}", results.ErrForeign,
			"has predictions.json, which another kind of command writes; choose another folder with --out"},
		"a report": {"report.html", "hello", results.ErrForeign, "has report.html, which this program did not write"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range []string{c.file, "runs/of-something-else.json"} {
				require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(c.content), 0o644))
			}
			before := filesIn(t, dir)
			whole := plan(t, dir, &oracle{}, perfect())
			shard := whole
			shard.Shard = results.Shard{Index: 1, Count: 2}
			for _, p := range []benchmark.Plan{whole, shard} {
				_, err := benchmark.Run(t.Context(), p)
				require.ErrorIs(t, err, c.kind)
				assert.ErrorContains(t, err, c.says)
			}
			_, err := results.Merge(dir, []string{source}, nil)
			assert.Error(t, err)
			assert.Equal(t, before, filesIn(t, dir), "nothing has changed")
		})
	}
}

// TestForeignLockStays: a .lock that is no lock of a folder of results is not written over.
func TestForeignLockStays(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, ".lock")
	require.NoError(t, os.WriteFile(path, []byte("1234\n"), 0o600))
	_, err := benchmark.Run(t.Context(), plan(t, dir, &oracle{}, perfect()))
	require.ErrorIs(t, err, results.ErrForeign)
	assert.ErrorContains(t, err, "has .lock, which this program did not write")
	assert.Equal(t, "1234\n", filesIn(t, dir)[path])
	for range 2 { // an own one is
		require.NoError(t, os.WriteFile(path, []byte("process 1 on host since 2026-01-01 00:00:00\n"), 0o600))
		_, err = benchmark.Run(t.Context(), plan(t, dir, &oracle{}, perfect()))
		require.NoError(t, err)
	}
}

// TestOwnFolders: a command that was stopped at any moment goes on, and what else lies in the folder does not matter.
func TestOwnFolders(t *testing.T) {
	whole := t.TempDir()
	p := plan(t, whole, &oracle{}, perfect())
	p.Configuration = []byte("methods: perfect\n")
	_, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	for name, left := range map[string][]string{
		"before anything was written": nil, "after the data": {"data.npz"}, "after the configuration": {"data.npz",
			"config.yaml"},
		"after the oracle": {"data.npz", "config.yaml", "oracle.json"}, "without its data": {"results.json", "config.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.Mkdir(filepath.Join(dir, "runs"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o644))
			for _, file := range left {
				text, err := os.ReadFile(filepath.Join(whole, file))
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(dir, file), text, 0o644))
			}
			p.Out = dir
			_, err := benchmark.Run(t.Context(), p)
			require.NoError(t, err)
			assert.Equal(t, "mine", filesIn(t, dir)[filepath.Join(dir, "notes.txt")])
		})
	}
}
