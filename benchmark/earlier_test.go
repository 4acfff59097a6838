package benchmark_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// rows are the methods, as written, and seeds of results.
func rowsOf(r *results.Results) []string {
	var rows []string
	for _, run := range r.Runs {
		rows = append(rows, run.Method+" "+string('0'+rune(run.Seed)))
	}
	return rows
}

// TestEarlierRunsStayInTheTable: a command with other methods or fewer seeds hides nothing that the
// folder's results have shown.
func TestEarlierRunsStayInTheTable(t *testing.T) {
	dir := t.TempDir()
	first, err := benchmark.Run(t.Context(), plan(t, dir, &oracle{}, perfect(), perfectNamed("other")))
	require.NoError(t, err)
	assert.Empty(t, first.Notes)

	p := plan(t, dir, &oracle{}, perfectNamed("new"), perfect())
	p.Seeds = []int64{2, 3}
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	want := []string{"new 2", "new 3", "perfect 1", "perfect 2", "perfect 3", "other 1", "other 2"}
	assert.Equal(t, want, rowsOf(got))
	assert.Equal(t, []string{"the table also has 3 runs of earlier commands (perfect, other)"}, got.Notes)
	carried := 0
	for _, run := range got.Runs {
		if run.Carried {
			carried++
		}
	}
	assert.Equal(t, 3, carried)
	read, err := results.OpenStore(dir).Results()
	require.NoError(t, err)
	assert.Equal(t, asJSON(t, got), asJSON(t, read))
	text, err := os.ReadFile(filepath.Join(dir, "results.csv"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "other,2,")

	again, err := benchmark.Run(t.Context(), plan(t, dir, &oracle{}, perfect(), perfectNamed("other")))
	require.NoError(t, err)
	assert.Len(t, again.Runs, 7, "and so on")
}

// The same method written otherwise is one method, as in a merged table.
func TestEarlierRunsWrittenOtherwise(t *testing.T) {
	dir := t.TempDir()
	p := plan(t, dir, &oracle{}, perfect())
	p.Entries[0].Written = "perfect?epochs=50"
	_, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	p = plan(t, dir, &oracle{}, perfect())
	p.Seeds = []int64{2, 3}
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, []string{"perfect 1", "perfect 2", "perfect 3"}, rowsOf(got))
}

func TestEarlierRunsAreReplacedWithAWord(t *testing.T) {
	dir := t.TempDir()
	_, err := benchmark.Run(t.Context(), plan(t, dir, &oracle{}, perfect()))
	require.NoError(t, err)
	p := plan(t, dir, &oracle{}, perfect())
	p.Environment.ExecutableSHA256 = "other"
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, []string{"perfect 1", "perfect 2"}, rowsOf(got))
	require.Len(t, got.Notes, 1)
	assert.Contains(t, got.Notes[0], "2 earlier runs in "+dir+" are replaced in its table "+
		"(other code: executable code against executable other)")
}

// TestReplacedRunsThatAreNotThereYet: a command that is stopped says which rows it has taken away.
func TestReplacedRunsThatAreNotThereYet(t *testing.T) {
	dir := t.TempDir()
	_, err := benchmark.Run(t.Context(), plan(t, dir, &oracle{}, perfect()))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	m := perfect()
	m.fit = func(ctx context.Context, _ *core.Training) error {
		if m.fits.Load() == 2 {
			stop()
			<-ctx.Done()
		}
		return ctx.Err()
	}
	p := plan(t, dir, &oracle{}, m)
	p.Environment.ExecutableSHA256 = "other"
	got, err := benchmark.Run(ctx, p)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []string{"perfect 1"}, rowsOf(got))
	require.Len(t, got.Notes, 2)
	assert.Contains(t, got.Notes[0], "1 earlier runs in "+dir+" are replaced in its table")
	assert.Contains(t, got.Notes[1], "1 earlier runs in "+dir+" have left its table (other code: ")
}

// TestEditedFilesAreMadeAgain: a run whose accuracies are not those of its labels, and an oracle whose
// accuracy is not that of its labels, count as not there.
func TestEditedFilesAreMadeAgain(t *testing.T) {
	dir, o, m := t.TempDir(), &oracle{wrong: true}, perfect()
	p := plan(t, dir, o, m)
	first, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, first.Oracle.Warnings, 1, "a weak judge")
	edit := func(file, from, to string) {
		path := filepath.Join(dir, file)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(text), from)
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o644))
	}
	edit("runs/"+first.Runs[0].Key+".json", `"score":[0.333`, `"score":[0.999`)
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.EqualValues(t, 3, m.fits.Load())
	assert.Equal(t, first.Runs[0].Ranked.Score, got.Runs[0].Ranked.Score)

	fits := o.fits.Load()
	for _, change := range [][2]string{{`"test_accuracy":0.333`, `"test_accuracy":0.999`},
		{`"a weak judge`, `"a fine judge`}} {
		edit("oracle.json", change[0], change[1])
		got, err = benchmark.Run(t.Context(), p)
		require.NoError(t, err)
		fits++
		assert.Equal(t, fits, o.fits.Load())
		assert.Equal(t, first.Oracle.TestAccuracy, got.Oracle.TestAccuracy)
		assert.Equal(t, first.Oracle.Warnings, got.Oracle.Warnings)
	}
	assert.EqualValues(t, 3, m.fits.Load())
}

// TestEarlierRunsThatCannotStay: what would vanish from the table is refused before anything is
// made, and nothing is written.
func TestEarlierRunsThatCannotStay(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *benchmark.Plan)
		says   string
	}{
		"other code": {func(p *benchmark.Plan) {
			p.Environment.ExecutableSHA256 = "other"
		}, "other code: executable code against executable other"},
		"other steps":  {func(p *benchmark.Plan) { p.Task = task(t, 5) }, "another number of steps: 4 against 5"},
		"other oracle": {func(p *benchmark.Plan) { p.Oracle.Seed = 43 }, "another seed of the oracle: 42 against 43"},
		"less training": {func(p *benchmark.Plan) {
			p.MaxEpochs = 30 // does not touch the oracle
		}, "another limit of training: none against at most 30 epochs"},
		"another method by the same name": {func(p *benchmark.Plan) {
			p.Entries[0].Written, p.Seeds = "perfect", []int64{3}
		}, "put its options into the name, like vamp?epochs=20"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := benchmark.Run(t.Context(), plan(t, dir, &oracle{}, perfect()))
			require.NoError(t, err)
			before := contents(t, dir)
			m := perfectNamed("new")
			p := plan(t, dir, &oracle{}, m)
			c.change(&p)
			got, err := benchmark.Run(t.Context(), p)
			require.ErrorIs(t, err, results.ErrNotComparable)
			assert.ErrorContains(t, err, "has runs that this command does not make (perfect), "+
				"and they cannot stay in its table: ")
			assert.ErrorContains(t, err, c.says+"; choose another folder with --out, or remove "+
				filepath.Join(dir, "results.json"))
			assert.Nil(t, got)
			assert.Zero(t, m.fits.Load())
			assert.Equal(t, before, contents(t, dir))
		})
	}
}

// TestFinishedRunsSurviveTheirRepetition: a run that is made again for its model or predictions,
// and fails, stays as it was.
func TestFinishedRunsSurviveTheirRepetition(t *testing.T) {
	for name, c := range map[string]struct {
		fit  func(ctx context.Context, _ *core.Training) error
		says string
	}{
		"a failure": {func(context.Context, *core.Training) error {
			return errors.New("not today")
		}, "perfect, seed 1, could not be made again (failed: fit: not today); its finished results are kept"},
		"a timeout": {func(ctx context.Context, _ *core.Training) error {
			<-ctx.Done()
			return ctx.Err()
		}, "(timeout: it took more than "},
	} {
		t.Run(name, func(t *testing.T) {
			dir, m := t.TempDir(), perfect()
			p := plan(t, dir, &oracle{}, m)
			first, err := benchmark.Run(t.Context(), p)
			require.NoError(t, err)
			before := filesIn(t, filepath.Join(dir, "runs"))
			m.fit = c.fit
			p.SavePredictions, p.Timeout = true, time.Second
			got, err := benchmark.Run(t.Context(), p)
			require.ErrorContains(t, err, c.says)
			assert.Equal(t, asJSON(t, first.Runs), asJSON(t, got.Runs))
			assert.Equal(t, before, filesIn(t, filepath.Join(dir, "runs")))
			read, err := results.OpenStore(dir).Results()
			require.NoError(t, err)
			assert.Equal(t, asJSON(t, first.Runs), asJSON(t, read.Runs))

			m.fit, p.Timeout = nil, 0
			whole, err := benchmark.Run(t.Context(), p)
			require.NoError(t, err)
			assert.Equal(t, first.Runs[0].PredictionSHA256, whole.Runs[0].PredictionSHA256)
			assert.Empty(t, whole.Runs[0].Warnings[1:])
		})
	}
}

// TestFilesBesideARunAreRepaired: a run whose arrays, model or predictions are torn, changed or
// gone is made again.
func TestFilesBesideARunAreRepaired(t *testing.T) {
	dir, m := t.TempDir(), perfect()
	p := savingPlan(t, dir, &oracle{}, m)
	p.SavePredictions = true
	first, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	fits := m.fits.Load()
	whole := filesIn(t, filepath.Join(dir, "runs"))
	for _, end := range []string{".npz", ".model.npz", ".reencode.predictions.npz"} {
		path := filepath.Join(dir, "runs", first.Runs[0].Key+end)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		changed := append([]byte{}, content...)
		changed[70] ^= 0x40 // in the first array, behind its header in the archive
		for how, damaged := range map[string][]byte{
			"torn": content[:len(content)/2], "changed": changed, "empty": nil, "gone": nil,
		} {
			require.NoError(t, os.WriteFile(path, damaged, 0o644))
			if how == "gone" {
				require.NoError(t, os.Remove(path))
			}
			got, err := benchmark.Run(t.Context(), p)
			require.NoError(t, err)
			fits++
			assert.Equal(t, fits, m.fits.Load(), "%s %s: made again, once", end, how)
			assert.Equal(t, first.Runs[0].PredictionSHA256, got.Runs[0].PredictionSHA256)
			now := filesIn(t, filepath.Join(dir, "runs"))
			assert.Equal(t, whole[path], now[path], "%s %s", end, how)
		}
	}
	_, err = benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, fits, m.fits.Load(), "what is whole is not")
}
