package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
)

// rewrite changes results.json.
func rewrite(t *testing.T, dir string, change func(r *benchmark.Results)) {
	t.Helper()
	store := benchmark.OpenStore(dir)
	r, err := store.Results()
	require.NoError(t, err)
	change(r)
	require.NoError(t, store.WriteResults(r))
}

// TestVerify: runs with options, capped epochs and several seeds are made again, and are the same; the folder is only read.
func TestVerify(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	args := tiny(data, out, "--methods", "template?blemish=0.5,other?order=down,failing", "--seeds", "0,1", "--epochs", "2", "--oracle-seed", "7")
	require.Equal(t, exitFailure, call(t.Context(), newFakes().config(), args...).status)
	before := modified(t, out)
	t.Setenv("TMPDIR", t.TempDir())
	fakes := newFakes()
	got := call(t.Context(), fakes.config(), "verify", out)
	assert.Zero(t, got.status, got.stderr)
	checkGolden(t, "verify", got, map[string]string{"DATA": data, "OUT": out})
	assert.EqualValues(t, 4, fakes.fits.Load())
	assert.Equal(t, before, modified(t, out))
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	assert.Empty(t, left)

	quiet := call(t.Context(), newFakes().config(), "verify", out, "-q", "--jobs", "2")
	assert.Equal(t, output{}, quiet)

	r := results(t, out)
	got = call(t.Context(), fakes.config(), "verify", out, "--run", r.Runs[1].Key)
	assert.Zero(t, got.status, got.stderr)
	assert.EqualValues(t, 5, fakes.fits.Load(), "one run only")
	assert.Contains(t, got.stdout, "template?blemish=0.5, seed 1: the same predictions at all 3 steps\n")
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
	rewrite(t, out, func(r *benchmark.Results) {
		r.Runs[1].PredictionSHA256[1], r.Runs[1].PredictionSHA256[2] = "0123", "4567"
		r.Runs[1].Labels[2][4] = 3 - r.Runs[1].Labels[2][4]
	})
	got := call(t.Context(), newFakes().config(), "verify", out)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, "template, seed 42: the same predictions at all 3 steps\n")
	assert.Contains(t, got.stdout, "other, seed 42: other predictions from step 2 on, at 2 of 3 steps; the oracle sees something else in 1 of 60; nothing that is recorded explains it\n")
	assert.True(t, strings.HasSuffix(got.stderr, "bench: 1 of 2 runs have other predictions than the results\n"), got.stderr)

	rewrite(t, out, func(r *benchmark.Results) {
		for _, e := range []*benchmark.Environment{&r.Environment, r.Runs[0].Environment, r.Runs[1].Environment} {
			e.ExecutableSHA256, e.Version, e.Go, e.Backend, e.CPU, e.Cores = "0123456789abcdef", "v0.0.1", "go1.0", "cpu:kernels=sse", "Z80", 1
		}
	})
	got = call(t.Context(), newFakes().config(), "verify", out)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "bench: warning: the backend of the results cannot be had here, and cpu takes its place: ")
	assert.Regexp(t, `(?m)^code      other code: executable [0-9a-f]{12}, version v0.0.0-test.* against executable 0123456789ab, version v0.0.1, go1.0$`, got.stdout)
	assert.Regexp(t, `(?m)^kernels   other kernels: cpu:kernels=\w+ against cpu:kernels=sse$`, got.stdout)
	assert.Regexp(t, `(?m)^machine   another machine: .* against .*, Z80, 1 cores$`, got.stdout)
	assert.Regexp(t, `(?m)^template, seed 42: the same`, got.stdout, "for all that")
	assert.Regexp(t, `(?m)^other, seed 42: .*; what differs here: other code: .*; other kernels: .*; another machine: `, got.stdout)

	rewrite(t, out, func(r *benchmark.Results) { r.Runs, r.Oracle.TestAccuracy = r.Runs[:1], 0.5 })
	got = call(t.Context(), newFakes().config(), "verify", out, "-q")
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, "oracle    cnn differs: accuracy 1 on validation and 1 on test snapshots against 1 and 0.5\n")
}

// TestVerifyFindsChance: a method that draws without its seed is found out.
func TestVerifyFindsChance(t *testing.T) {
	fakes := newFakes()
	fakes.extra = []core.Method{&whim{template{fakes, "whim"}, 0}}
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	require.Zero(t, call(t.Context(), fakes.config(), tiny(data, out, "--methods", "whim,template")...).status)
	got := call(t.Context(), fakes.config(), "verify", out, "-q")
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, "whim, seed 42: other predictions from step 1 on, at 3 of 3 steps")
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

// TestVerifyNeedsWhatWasThere: data, methods and plugins that are not there are named, with the remedy.
func TestVerifyNeedsWhatWasThere(t *testing.T) {
	data, out, plugin := dataFolder(t), filepath.Join(t.TempDir(), "out"), pluginFile(t, "far")
	require.Zero(t, call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template,remote", "--plugin", plugin)...).status)

	got := call(t.Context(), newFakes().config(), "verify", out)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, "template, seed 42: the same")
	assert.Contains(t, got.stdout, "remote: it came from the plugin "+plugin+"; give it with --plugin; not made again\n")
	got = call(t.Context(), newFakes().config(), "verify", out, "--plugin", plugin)
	assert.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stdout, "remote, seed 42: the same")

	script, err := os.ReadFile(plugin)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(plugin, append(script, "# changed\n"...), 0o755))
	rewrite(t, out, func(r *benchmark.Results) { r.Runs[1].PredictionSHA256[0] = "0123" })
	got = call(t.Context(), newFakes().config(), "verify", out, "--plugin", plugin)
	assert.Equal(t, exitFailure, got.status)
	assert.Regexp(t, `remote, seed 42: other predictions .*; what differs here: the method is from the plugin .* against the plugin `, got.stdout)

	moved := filepath.Join(t.TempDir(), "moved")
	require.NoError(t, os.Rename(data, moved))
	got = call(t.Context(), newFakes().config(), "verify", out)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "; give the folder of the data with --data\n")
	assert.Contains(t, got.stderr, "this is not what the results were made from: other data: MNIST (embedded) (SHA-256 ")
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", moved, "--run", results(t, out).Runs[0].Key)
	assert.Zero(t, got.status, got.stderr)

	rewrite(t, out, func(r *benchmark.Results) {
		r.Runs[0].Options["epochs"] = 3.5
		r.Runs[1].Options["unheard"] = true
	})
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", moved, "--plugin", plugin)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "bench: no run of "+out+" can be made again: template: template: invalid option")
	rewrite(t, out, func(r *benchmark.Results) { r.Oracle.Name = "gone" })
	got = call(t.Context(), newFakes().config(), "verify", out, "--data", moved)
	assert.Contains(t, got.stderr, `there is no oracle "gone"`)
}

func TestVerifyBadKeys(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	require.Equal(t, exitFailure, call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template,failing")...).status)
	r := results(t, out)
	got := call(t.Context(), newFakes().config(), "verify", out, "--run", r.Runs[0].Key[:12])
	assert.Equal(t, exitUsage, got.status)
	assert.Contains(t, got.stderr, `bench: --run: there is no run "template-s42"; `)
	got = call(t.Context(), newFakes().config(), "verify", out, "--run", r.Runs[1].Key)
	assert.Equal(t, output{exitUsage, "", "bench: --run " + r.Runs[1].Key + ": it was failed, and has no predictions to compare\n"}, got)
	rewrite(t, out, func(r *benchmark.Results) { r.Runs = r.Runs[1:] })
	got = call(t.Context(), newFakes().config(), "verify", out)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "no run was evaluated")
}

func TestVerifyStopped(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	require.Zero(t, call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template")...).status)
	rewrite(t, out, func(r *benchmark.Results) { r.Runs[0].Name = "blocking"; r.Runs[0].Options = nil })
	fakes := newFakes()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-fakes.began; cancel() }()
	got := call(ctx, fakes.config(), "verify", out, "-q")
	assert.Equal(t, output{exitInterrupted, "", "bench: stopped; nothing was compared\n"}, got)
}
