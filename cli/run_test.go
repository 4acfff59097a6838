package cli

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
	"k8s.io/klog/v2"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// TestRun is a whole command: what it shows, and what is in the folder of results.
func TestRun(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	config := newFakes().config()
	config.draw = report.Write
	got := call(
		t.Context(),
		config,
		tiny(data, out, "--methods", "template,template?order=down&warn=true", "--seeds", "0..1")...)
	checkGolden(t, "run", withoutTable(t, got, out), map[string]string{"DATA": data, "OUT": out})
	r := resultsIn(t, out)
	for _, name := range report.Figures(r.Task) {
		assert.FileExists(t, filepath.Join(out, report.Folder, name+".png"))
	}

	require.Len(t, r.Runs, 4)
	for _, run := range r.Runs {
		assert.Equal(t, results.StatusOK, run.Status)
		if run.Method == "template" {
			assert.Equal(t, []float64{1, 1, 1}, run.Ranked.Score)
		}
	}
	stored, err := results.OpenStore(out).Results()
	require.NoError(t, err)
	assert.Equal(t, "bench", stored.Environment.Command[0])
	assert.Equal(t, "run", stored.Environment.Command[1])
	assert.Equal(t, "v0.0.0-test", stored.Environment.Version)
	assert.Regexp(t, "^cpu:kernels=(generic|avx2|avx512)$", stored.Environment.Backend)
	assert.NotEmpty(t, stored.Environment.ExecutableSHA256)
}

func TestRunQuiet(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	loud := call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template")...)
	quiet := call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template", "-q")...)
	assert.Zero(t, quiet.status)
	assert.Empty(t, quiet.stderr)
	assert.Equal(t, loud.stdout, quiet.stdout)
}

func TestRunVerbose(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	got := call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template,panicking", "-v")...)
	assert.Equal(t, exitFailure, got.status)
	for epoch := range fakeRunsEach {
		assert.Contains(t, got.stderr, "template, seed 42: epoch "+string(rune('1'+epoch))+"/3, loss ")
	}
	assert.Contains(t, got.stderr, "goroutine ", "the stack of the panic")
}

// TestRunFailures: what fails leaves the others whole, and the status says so.
func TestRunFailures(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	fakes := newFakes()
	got := call(t.Context(), fakes.config(), tiny(data, out, "--methods", "failing,panicking,template")...)
	checkGolden(t, "failures", withoutTable(t, got, out), map[string]string{"DATA": data, "OUT": out})
	assert.NotContains(t, got.stderr, "goroutine ")
	r := resultsIn(t, out)
	require.Len(t, r.Runs, 3)
	statuses := map[string]results.Status{}
	for _, run := range r.Runs {
		statuses[run.Method] = run.Status
	}
	assert.Equal(
		t,
		map[string]results.Status{"failing": results.StatusFailed, "panicking": results.StatusCrashed,
			"template": results.StatusOK},
		statuses,
	)

	again := call(t.Context(), fakes.config(), tiny(data, out, "--methods", "failing,template", "-q")...)
	assert.Equal(t, exitFailure, again.status, "what failed is tried again")
	assert.Equal(t, "the table also has 1 runs of earlier commands (panicking)\n"+
		"bench: 1 of 2 runs failed: failing, seed 42\n", again.stderr)
	assert.EqualValues(t, 1, fakes.fits.Load(), "what finished is not repeated")
}

// TestEpochs: the cap reaches every method and the oracle, and only lowers.
func TestEpochs(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	require.Zero(
		t,
		call(
			t.Context(),
			newFakes().config(),
			tiny(data, out, "--methods", "template,other?epochs=1", "--epochs", "2")...).status,
	)
	r := resultsIn(t, out)
	assert.EqualValues(t, 2, r.Runs[0].Options["epochs"])
	assert.EqualValues(t, 1, r.Runs[1].Options["epochs"])
	assert.EqualValues(t, 2, r.Oracle.Options["epochs"])
	got := call(
		t.Context(),
		newFakes().config(),
		tiny(data, out, "--methods", "template,other?epochs=9", "--epochs", "1")...)
	require.Zero(t, got.status, got.stderr)
	r = resultsIn(t, out)
	assert.EqualValues(t, 1, r.Oracle.Options["epochs"])
	assert.Equal(t, "other?epochs=1", r.Runs[1].Method, "the name as written says what was run")
	assert.Contains(t, got.stderr, "methods  template, other?epochs=1\n")
	assert.Contains(t, got.stderr,
		"2 earlier runs in "+out+" are replaced in its table (another oracle: epochs 2 against 1); their files "+
			"stay in runs/\n")
}

// TestResume: a second command makes only what the first has not.
func TestResume(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	fakes := newFakes()
	first := call(t.Context(), fakes.config(), tiny(data, out, "--methods", "template", "--seeds", "0,1")...)
	require.Zero(t, first.status, first.stderr)
	require.EqualValues(t, 2, fakes.fits.Load())

	second := call(t.Context(), fakes.config(), tiny(data, out, "--methods", "template", "--seeds", "0,1")...)
	assert.Zero(t, second.status)
	assert.EqualValues(t, 2, fakes.fits.Load())
	assert.Equal(t, first.stdout, second.stdout)
	assert.Equal(t, 2, strings.Count(second.stderr, "already finished"))

	more := call(t.Context(), fakes.config(), tiny(data, out, "--methods", "template,other", "--seeds", "0..2")...)
	assert.Zero(t, more.status)
	assert.EqualValues(t, 6, fakes.fits.Load())

	fewer := call(t.Context(), fakes.config(), tiny(data, out, "--methods", "template", "--seeds", "0")...)
	assert.Zero(t, fewer.status)
	assert.Equal(t, more.stdout, fewer.stdout, "nothing leaves the table")
	assert.Contains(t, fewer.stderr, "the table also has 5 runs of earlier commands (template, other)\n")

	refused := call(
		t.Context(),
		fakes.config(),
		tiny(data, out, "--methods", "template", "--seeds", "0", "--oracle-seed", "7")...)
	assert.Equal(t, exitFailure, refused.status)
	assert.Contains(t, refused.stderr,
		"they cannot stay in its table: another seed of the oracle: 42 against 7; choose another folder with --out")
	assert.EqualValues(t, 6, fakes.fits.Load(), "nothing was begun")
	require.Zero(
		t,
		call(
			t.Context(),
			fakes.config(),
			tiny(data, out, "--methods", "template,other", "--seeds", "0..2", "--oracle-seed", "7")...).status,
	)
	assert.EqualValues(t, 12, fakes.fits.Load(), "another oracle, another run")
}

// TestSameNumbers: folders, resuming and jobs change no number.
func TestSameNumbers(t *testing.T) {
	data := dataFolder(t)
	var first *results.Results
	for _, jobs := range []string{"1", "1", "4"} {
		out := filepath.Join(t.TempDir(), "out")
		got := call(
			t.Context(),
			newFakes().config(),
			tiny(data, out, "--methods", "template,other", "--seeds", "0..3", "--jobs", jobs)...)
		require.Zero(t, got.status, got.stderr)
		r := resultsIn(t, out)
		if first == nil {
			first = r
		}
		assert.Equal(t, first, r, "--jobs %s", jobs)
	}
	hashes := map[string]bool{}
	for _, run := range first.Runs {
		hashes[run.PredictionSHA256[0]] = true
	}
	assert.Len(t, hashes, len(first.Runs), "every method and seed predicts something else")
}

// TestInterrupt: what has finished is shown and kept, what is under way leaves nothing, and the same command continues.
func TestInterrupt(t *testing.T) {
	for _, jobs := range []string{"1", "2"} {
		t.Run("jobs "+jobs, func(t *testing.T) {
			data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
			fakes := newFakes()
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-fakes.began
				for { // until the run that finishes is on disk
					if files, _ := filepath.Glob(filepath.Join(out, "runs", "template-*.json")); len(files) == 1 {
						break
					}
					time.Sleep(time.Millisecond)
				}
				cancel()
			}()
			got := call(ctx, fakes.config(), tiny(data, out, "--methods", "template,blocking", "--jobs", jobs)...)
			checkGolden(t, "interrupted", withoutTable(t, got, out), map[string]string{"DATA": data, "OUT": out})
			require.Len(t, resultsIn(t, out).Runs, 1)
			files, err := filepath.Glob(filepath.Join(out, "runs", "*"))
			require.NoError(t, err)
			assert.Len(t, files, 2, "one run's two files, and nothing else")

			again := call(t.Context(), fakes.config(), tiny(data, out, "--methods", "template,other", "--jobs", jobs)...)
			assert.Zero(t, again.status)
			assert.EqualValues(t, 2, fakes.fits.Load())
		})
	}
}

func TestInterruptBeforeAnythingFinished(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := call(ctx, newFakes().config(), tiny(data, out, "-q")...)
	assert.Equal(t, exitInterrupted, got.status)
	assert.Empty(t, got.stdout)
	assert.Equal(t, "bench: stopped while the task was being opened; no run was started\n", got.stderr)
}

// TestReport: the table and the warnings come from disk alone.
func TestReport(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	run := call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template,other?warn=true,failing")...)
	require.Equal(t, exitFailure, run.status)
	require.NoError(t, os.RemoveAll(data))
	got := call(t.Context(), Config{Registry: newFakes().registry}, "report", out)
	assert.Zero(t, got.status)
	assert.Equal(t, run.stdout, got.stdout)
	assert.Equal(t,
		"the figures are in "+filepath.Join(out, report.Folder)+"; the report page is "+filepath.Join(out, report.Page)+"\n",
		got.stderr)
	assert.FileExists(t, filepath.Join(out, report.Folder, "rollout.svg"))
	assert.Contains(t, got.stdout, "the weather is bad")
	assert.Contains(t, got.stdout, "nothing was learned")
}

func TestFiguresFail(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	config := newFakes().config()
	config.draw = report.Write
	got := call(t.Context(), config, tiny(data, filepath.Join(t.TempDir(), "failed"), "--methods", "failing", "-q")...)
	assert.Equal(t, exitFailure, got.status)
	assert.Equal(t, "bench: 1 of 1 runs failed: failing, seed 42\n", got.stderr, "no run, and yet figures")

	config.draw = func(string) error { return errors.New("figures/rollout.png cannot be written") }
	got = call(t.Context(), config, tiny(data, out, "--methods", "template", "-q")...)
	assert.Equal(t, exitFailure, got.status)
	assert.NotEmpty(t, got.stdout, "the table comes first")
	assert.Equal(t, "bench: figures/rollout.png cannot be written\n", got.stderr)
	assert.Len(t, resultsIn(t, out).Runs, 1)

	got = call(t.Context(), config, tiny(data, out, "--methods", "template,failing", "-q")...)
	assert.Equal(t, "bench: 1 of 2 runs failed: failing, seed 42; and figures/rollout.png cannot be written\n",
		got.stderr)
}

func TestReportTorn(t *testing.T) {
	out := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(out, "results.json"), []byte(`{"schema":`), 0o644))
	got := call(t.Context(), newFakes().config(), "report", out)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "bench: not readable as results: ")
	assert.Equal(t, 1, strings.Count(got.stderr, "\n"))
}

func TestRegistryFails(t *testing.T) {
	fakes := newFakes()
	fakes.build = func() error { return errors.New("the plugin is gone") }
	for _, args := range [][]string{{"run"}, {"list"}, {"info", "template"}} {
		got := call(t.Context(), fakes.config(), args...)
		assert.Equal(t, output{exitFailure, "", "bench: the plugin is gone\n"}, got)
	}
	fakes.build = func() error { panic("boom") }
	got := call(t.Context(), fakes.config(), "list")
	assert.Equal(t, output{exitFailure, "", "bench: internal failure: boom\n"}, got)

	fakes.build = nil
	fakes.extra = []core.Method{&template{fakes, "template"}}
	got = call(t.Context(), fakes.config(), "list")
	assert.Equal(t, output{exitFailure, "", "bench: name already taken: there is already a method \"template\"\n"}, got)
}

// talking is a template in whose fit a library logs.
type talking struct{ *template }

func (m talking) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	klog.Info("a library talks")
	return m.template.Fit(ctx, t)
}

// TestVerbosity: -v shows epochs, and -vv what libraries log too.
func TestVerbosity(t *testing.T) {
	data := dataFolder(t)
	for args, want := range map[string]struct{ epochs, libraries bool }{
		"":                  {false, false},
		"-v":                {true, false},
		"--verbose=false":   {false, false},
		"-vv":               {true, true},
		"-v --verbose":      {true, true},
		"-vv -v=false -v=1": {true, false},
	} {
		fakes := newFakes()
		fakes.extra = []core.Method{talking{&template{fakes, "talking"}}}
		out := filepath.Join(t.TempDir(), "out")
		got := call(
			t.Context(),
			fakes.config(),
			tiny(data, out, append(strings.Fields(args), "--methods", "talking")...)...)
		require.Zero(t, got.status, got.stderr)
		assert.Equal(t, want.epochs, strings.Contains(got.stderr, "talking, seed 42: epoch 1/"), args)
		assert.Equal(t, want.libraries, strings.Contains(got.stderr, "a library talks"), args)
	}
	got := call(t.Context(), newFakes().config(), "run", "--verbose=perhaps")
	assert.Equal(t, "bench: --verbose=perhaps: give true or false, or leave out the value\n", got.stderr)
}

// TestReportFormats: the table is written as it is asked for, and nothing is drawn for it.
func TestReportFormats(t *testing.T) {
	out := filepath.Join(t.TempDir(), "results")
	call(t.Context(), Config{Registry: newFakes().registry}, "run", "--methods", "other", "--seeds", "0", "--split",
		"20,10,10", "--steps", "3", "--out", out)
	require.NoError(t, os.RemoveAll(filepath.Join(out, "report.html")))
	for format, begins := range map[string]string{
		"markdown": "ordered-mnist: ", "csv": "name,kind,", "seeds": "ordered-mnist: ", "json": "{\n", "latex": "% ",
	} {
		got := call(t.Context(), Config{Registry: newFakes().registry}, "report", out, "--format", format)
		require.Zero(t, got.status, got.stderr)
		assert.True(t, strings.HasPrefix(got.stdout, begins), got.stdout)
	}
	assert.NoFileExists(t, filepath.Join(out, "report.html"))
	got := call(t.Context(), Config{Registry: newFakes().registry}, "report", out, "--format", "html")
	assert.Equal(t, 2, got.status)
	assert.Contains(t, got.stderr,
		`--format: there is no format "html"; choose from csv, json, latex, markdown, seeds, text`)
	for args, says := range map[string]string{
		"--format seeds --steps 1,4": "invalid option: step 4; roll-outs have steps 1 to 3",
		"--steps 1,x":                `--steps 1,x: "x": give a whole number from 1 to 1000`,
		"--format pdf":               "--format pdf: a table has no such format; for figures, give --figures pdf",
		"--figures png,gif":          `no format of figures "gif"; did you mean "pdf"? Choose from png, svg, pdf`,
		"--format csv --figures pdf": "--figures: the format csv comes without figures; leave out --format or --figures",
		"--steps 1":                  "--steps: the format text has fixed columns; give --format seeds",
	} {
		got := call(
			t.Context(),
			Config{Registry: newFakes().registry},
			append([]string{"report", out}, strings.Fields(args)...)...)
		assert.NotZero(t, got.status)
		assert.Contains(t, got.stderr, says)
	}

	require.NoError(t, os.WriteFile(filepath.Join(out, "figures", "accuracy.png"), []byte("as it was"), 0o644))
	got = call(t.Context(), Config{Registry: newFakes().registry}, "report", out, "--figures", "pdf, svg")
	require.Zero(t, got.status, got.stderr)
	for name, begins := range map[string]string{"pdf": "%PDF-", "svg": "<?xml", "png": "as it was"} {
		text, err := os.ReadFile(filepath.Join(out, "figures", "accuracy."+name))
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(string(text), begins), "%s: %.20q", name, text)
	}
}
