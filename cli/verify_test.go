package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// rewrite changes results.json.
func rewrite(t *testing.T, dir string, change func(r *results.Results)) {
	t.Helper()
	store := results.OpenStore(dir)
	r, err := store.Results()
	require.NoError(t, err)
	change(r)
	r.RankBy(r.Protocol)
	require.NoError(t, store.WriteResults(r))
}

// TestVerify: runs with options, capped epochs and several seeds are made again, and are the
// same; the folder is only read.
func TestVerify(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	args := tiny(data, out, "--methods", "template?blemish=0.5,other?order=down,failing", "--seeds", "0,1",
		"--epochs", "2", "--oracle-seed", "7")
	require.Equal(t, exitFailure, call(t.Context(), newFakes().config(), args...).status)
	before := modified(t, out)
	t.Setenv("TMPDIR", t.TempDir())
	fakes := newFakes()
	got := call(t.Context(), fakes.config(), "verify", out, "--data", data)
	assert.Zero(t, got.status, got.stderr)
	checkGolden(t, "verify", got, map[string]string{"DATA": data, "OUT": out})
	assert.EqualValues(t, 4, fakes.fits.Load())
	assert.Equal(t, before, modified(t, out))
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	assert.Empty(t, left)

	quiet := call(t.Context(), newFakes().config(), "verify", out, "--data", data, "-q", "--jobs", "2")
	assert.Equal(t, output{}, quiet)

	r := resultsIn(t, out)
	got = call(t.Context(), fakes.config(), "verify", out, "--data", data, "--run", r.Runs[1].Key)
	assert.Zero(t, got.status, got.stderr)
	assert.EqualValues(t, 5, fakes.fits.Load(), "one run only")
	assert.Contains(t, got.stdout, "template?blemish=0.5, seed 1: the same predictions at all steps, by reencode\n")
}

// modified is when each file of a folder was written.
func modified(t *testing.T, dir string) map[string]string {
	t.Helper()
	times := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		times[path] = info.ModTime().String()
		return nil
	}))
	return times
}

// TestVerifyDiffers: what is not the same is told step by step, with what may explain it.
func TestVerifyDiffers(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	require.Zero(t, call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template,other")...).status)
	rewrite(t, out, func(r *results.Results) {
		r.Runs[1].Ranked.PredictionSHA256[1], r.Runs[1].Ranked.PredictionSHA256[2] = "0123", "4567"
		r.Runs[1].Ranked.Labels[2][4] = 3 - r.Runs[1].Ranked.Labels[2][4]
	})
	got := call(t.Context(), newFakes().config(), "verify", out, "--data", data)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, "template, seed 42: the same predictions at all steps, by reencode\n")
	assert.Contains(t, got.stdout, "other, seed 42: predictions differ from step 2 on, at 2 of 3 steps by "+
		"reencode; the judge disagrees on 1 of 60; the record does not explain it\n")
	assert.Contains(t, got.stderr, "bench: the results differ from what was found here; differences: ")

	rewrite(t, out, func(r *results.Results) {
		for _, e := range []*results.Environment{&r.Environment, r.Runs[0].Environment, r.Runs[1].Environment} {
			e.ExecutableSHA256, e.Version, e.Go, e.Backend, e.CPU, e.Cores = "0123456789abcdef", "v0.0.1", "go1.0",
				"cpu:kernels=sse", "Z80", 1
		}
	})
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", data)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "bench: warning: the backend of the results is not available here; cpu is used "+
		"instead: ")
	assert.Regexp(t, `(?m)^code      other code: executable [0-9a-f]{12}, version v0.0.0-test.* against executable `+
		`0123456789ab, version v0.0.1, go1.0$`, got.stdout)
	assert.Regexp(t, `(?m)^kernels   other kernels: cpu:kernels=\w+ against cpu:kernels=sse$`, got.stdout)
	assert.Regexp(t, `(?m)^machine   another machine: .* against .*, Z80, 1 cores$`, got.stdout)
	assert.Regexp(t, `(?m)^template, seed 42: the same`, got.stdout, "for all that")
	assert.Regexp(t, `(?m)^other, seed 42: .*; what differs here: other code: .*; other kernels: .*; another `+
		`machine: `, got.stdout)

	rewrite(t, out, func(r *results.Results) { r.Runs, r.Oracle.TestAccuracy = r.Runs[:1], 0.5 })
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", data, "-q")
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, "the oracle cnn: accuracy on test snapshots is recorded as 0.5 but is 1 here\n")
}

// TestVerifyFindsChance: a method that draws without its seed is found out.
func TestVerifyFindsChance(t *testing.T) {
	fakes := newFakes()
	fakes.extra = []core.Method{&whim{template{fakes, "whim"}, 0}}
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	require.Zero(t, call(t.Context(), fakes.config(), tiny(data, out, "--methods", "whim,template")...).status)
	got := call(t.Context(), fakes.config(), "verify", out, "--data", data, "-q")
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, "whim, seed 42: predictions differ from step 1 on, at 3 of 3 steps")
	assert.NotContains(t, got.stdout, "template")
}

// whim adds to its blemish at every fit.
type whim struct {
	template
	fits int
}

func (m *whim) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	model, err := m.template.Fit(ctx, t)
	if err == nil {
		m.fits++
		model.(*templates).means[0][0] += float32(m.fits) / 100
	}
	return model, err
}

// TestVerifyNeedsWhatWasThere: data, methods and plugins that are not there are named, with the
// remedy.
func TestVerifyNeedsWhatWasThere(t *testing.T) {
	data, out, plugin := dataFolder(t), filepath.Join(t.TempDir(), "out"), pluginFile(t, "far")
	require.Zero(t, call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template,remote", "--plugin",
		plugin)...).status)

	got := call(t.Context(), newFakes().config(), "verify", out, "--data", data)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, "template, seed 42: the same")
	assert.Contains(t, got.stdout, "remote: it came from the plugin "+plugin+"; give it with --plugin; it was not made "+
		"again\n")
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", data, "--plugin", plugin)
	assert.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stdout, "remote, seed 42: the same")

	script, err := os.ReadFile(plugin)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(plugin, append(script, "# changed\n"...), 0o755))
	rewrite(t, out, func(r *results.Results) { r.Runs[1].Ranked.PredictionSHA256[0] = "0123" })
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", data, "--plugin", plugin)
	assert.Equal(t, exitFailure, got.status)
	assert.Regexp(t, `remote, seed 42: predictions differ .*; what differs here: the method is from the plugin .* `+
		`against the plugin `, got.stdout)

	moved := filepath.Join(t.TempDir(), "moved")
	require.NoError(t, os.Rename(data, moved))
	got = call(t.Context(), newFakes().config(), "verify", out)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "; the results are not from the built-in data; "+
		"say where their data are now with --data\n")
	assert.Contains(t, got.stderr, "this is not what the results were made from: other data: MNIST (embedded) "+
		"(SHA-256 ")
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", data)
	assert.Contains(t, got.stderr, "the data of the results, which were in \""+data+"\": ")
	assert.Contains(t, got.stderr, "; say where they are now with --data\n")
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", moved, "--run", resultsIn(t, out).Runs[0].Key)
	assert.Zero(t, got.status, got.stderr)

	rewrite(t, out, func(r *results.Results) {
		r.Runs[0].Options["epochs"] = 3.5
		r.Runs[1].Options["unheard"] = true
	})
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", moved, "--plugin", plugin)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "bench: no run of "+out+" can be made again: template: template: invalid option")
	rewrite(t, out, func(r *results.Results) { r.Oracle.Name = "gone" })
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", moved)
	assert.Contains(t, got.stderr, `there is no oracle "gone"`)
}

func TestVerifyBadKeys(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	require.Equal(t, exitFailure, call(t.Context(), newFakes().config(), tiny(data, out, "--methods",
		"template,panicking")...).status)
	r := resultsIn(t, out)
	got := call(t.Context(), newFakes().config(), "verify", out, "--data", data, "--run", r.Runs[0].Key[:12])
	assert.Equal(t, exitUsage, got.status)
	assert.Contains(t, got.stderr, `bench: --run: there is no run "template-s42"; `)
	rewrite(t, out, func(r *results.Results) { r.Runs[1].Status = results.StatusTimeout })
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", data, "--run", r.Runs[1].Key)
	assert.Equal(t, output{exitUsage, "", "bench: --run " + r.Runs[1].Key + ": its status is timeout, so it cannot be " +
		"made " +
		"again\n"}, got)
	rewrite(t, out, func(r *results.Results) { r.Runs = r.Runs[1:] })
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", data)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "none of the runs was evaluated")
}

// TestVerifyTakesNothingFromResults: neither a library nor a folder that results name is opened.
func TestVerifyTakesNothingFromResults(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	require.Zero(t, call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template")...).status)
	for _, backend := range []string{"xla:" + filepath.Join(data, "plugin.so"), "xla", "go:x",
		"cpu:kernels=avx2,threads=1", "cpu:kernels=", "CPU", "cpu\nxla:x"} {
		rewrite(t, out, func(r *results.Results) { r.Environment.Backend = backend })
		fakes := newFakes()
		got := call(t.Context(), fakes.config(), "verify", out, "--data", data)
		assert.Equal(t, exitFailure, got.status)
		assert.Empty(t, got.stdout)
		assert.Equal(t, fmt.Sprintf("bench: the results name the backend %q, which is not part of this program "+
			"and could be code of those who published them; "+
			"choose a backend with --backend, like --backend cpu\n", backend), got.stderr)
		assert.Zero(t, fakes.fits.Load())
		got = call(t.Context(), newFakes().config(), "verify", out, "--data", data, "--backend", "cpu")
		assert.Contains(t, got.stdout, "template, seed 42: the same predictions at all steps, by reencode\n")
		assert.Contains(t, got.stdout, "template, seed 42: it is recorded as made on the kernels cpu:kernels=")
	}

	rewrite(t, out, func(r *results.Results) {
		r.Environment.Backend = r.Runs[0].Environment.Backend
		r.Task.Source = "MNIST (embedded)"
	})
	got := call(t.Context(), newFakes().config(), "verify", out)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "other data: MNIST (embedded)")
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", data)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, "\nthe data are recorded as MNIST (embedded), but they are different data, "+
		"those of "+data+"\n")
}

// TestVerifyForged: any difference is told, with the exit status 1, and nothing that results hold
// can steer the terminal.
func TestVerifyForged(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	args := tiny(data, out, "--methods", "template,other?warn=true,failing", "--seeds", "0,1", "--epochs", "2")
	require.Equal(t, exitFailure, call(t.Context(), newFakes().config(), args...).status)
	for name, c := range map[string]struct {
		change func(r *results.Results)
		says   string
	}{
		"accuracy": {func(r *results.Results) { r.Runs[0].Ranked.Score[2] = 0.125 },
			"template, seed 0: accuracy at step 3 is recorded as 0.125 but is "},
		"trained": {func(r *results.Results) { r.Runs[2].Untrained = "" },
			"other?warn=true, seed 0: the reason why it is untrained is recorded as \"\" but is "},
		"warning": {func(r *results.Results) { r.Runs[2].Warnings = nil },
			`the warning "the weather is bad" is not recorded but is given here`},
		"name as written": {func(r *results.Results) { r.Runs[2].Method, r.Runs[3].Method = "other", "other" },
			`its recorded options differ from those of its name as written, "other": warn true against false`},
		"name as written of two": {func(r *results.Results) {
			r.Runs[0].Method, r.Runs[1].Method = "template?,other", "template?,other"
		}, `its name as written, "template?,other", does not name a method`},
		"twins": {func(r *results.Results) { r.Runs[1].Method = "template?warn=false" },
			"template?warn=false: it is recorded with the same method and options as template, so it would be the " +
				"same run; it was not made again"},
		"option": {func(r *results.Results) { r.Runs[0].Options["blemish"] = 0.5 },
			"template, seed 0: its key is recorded as "},
		"oracle options": {func(r *results.Results) { r.Oracle.Options["epochs"] = 1 },
			"the oracle cnn: its key is recorded as "},
		"oracle epochs": {func(r *results.Results) { r.MaxEpochs = 1 },
			"the oracle cnn: it is recorded with 2 epochs, but the results with at most 1"},
		"a terminal": {func(r *results.Results) {
			r.Runs[0].Environment.Version, r.Runs[0].Environment.ExecutableSHA256 = "\x1b[2J", "x"
		}, "version \uFFFD[2J"},
		"success": {func(r *results.Results) { r.Runs[4].Status = results.StatusSkipped },
			"failing, seed 0: it is recorded as skipped but is failed here: fit: not available: the moon is in the " +
				"wrong phase"},
	} {
		t.Run(name, func(t *testing.T) {
			forged := filepath.Join(t.TempDir(), "forged")
			require.NoError(t, os.CopyFS(forged, os.DirFS(out)))
			rewrite(t, forged, c.change)
			got := call(t.Context(), newFakes().config(), "verify", forged, "--data", data, "-q")
			assert.Equal(t, exitFailure, got.status)
			assert.Contains(t, got.stdout, c.says)
			assert.NotContains(t, got.stdout, "\x1b")
		})
	}
	rewrite(t, out, func(r *results.Results) { r.Task.States = 11 })
	got := call(t.Context(), newFakes().config(), "verify", out, "--data", data)
	assert.Equal(t, exitFailure, got.status, "it is no mistake on the command line")
}

// TestVerifyIsolated: how runs were made, in processes, several at once, or by plugins, changes
// nothing that is verified.
func TestVerifyIsolated(t *testing.T) {
	data, out, path := dataFolder(t), filepath.Join(t.TempDir(), "out"), pluginFile(t, "far")
	args := tiny(data, out, "--methods", "template,other?warn=true,remote", "--seeds", "0,1", "--isolate", "--jobs",
		"2", "--plugin", path)
	require.Zero(t, call(t.Context(), mortalFakes().config(), args...).status)
	got := call(t.Context(), mortalFakes().config(), "verify", out, "--data", data, "--plugin", path, "-q")
	assert.Equal(t, output{}, got)
}

func TestVerifyStopped(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	require.Zero(t, call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template")...).status)
	rewrite(t, out, func(r *results.Results) { r.Runs[0].Name = "blocking"; r.Runs[0].Options = nil })
	fakes := newFakes()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-fakes.began; cancel() }()
	got := call(ctx, fakes.config(), "verify", out, "--data", data, "-q")
	assert.Equal(t, output{exitInterrupted, "", "bench: stopped; nothing was compared\n"}, got)
}
