package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
)

// tuning is `bench tune` of the made-up set: it returns its arguments, with more at the end.
func tuning(data, out, method string, more ...string) []string {
	return append([]string{"tune", method}, append(tiny(data, out)[1:], more...)...)
}

// TestTune is a whole search: what it shows, and what is in its folder.
func TestTune(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	fakes := newFakes()
	config := fakes.config()
	config.draw = report.Write
	args := tuning(data, out, "template?epochs=2", "--option", "order=up,down", "--option", "blemish=0.007,0.2",
		"--seeds", "0..2", "--score", "nrmse")
	got := call(t.Context(), config, args...)
	checkGolden(t, "tune", got, map[string]string{"DATA": data, "OUT": out})
	assert.FileExists(t, filepath.Join(out, report.Folder, "tune.png"))
	best, err := os.ReadFile(filepath.Join(out, results.BestFile))
	require.NoError(t, err)
	assert.Contains(t, string(best), "template: {epochs: 2, order: up, blemish: 0.007}")
	fits := fakes.fits.Load()
	assert.EqualValues(t, 5*3, fits, "the method as it is, and four more")

	again := call(t.Context(), config, args...)
	assert.Equal(t, got.stdout, again.stdout)
	assert.Equal(t, fits, fakes.fits.Load(), "nothing is made twice")
	verified := call(t.Context(), config, "verify", out, "--data", data)
	assert.Zero(t, verified.status, verified.stdout+verified.stderr)

	tested := filepath.Join(t.TempDir(), "tested")
	run := call(t.Context(), config, "run", "--config", filepath.Join(out, results.BestFile), "--out", tested)
	require.Zero(t, run.status, run.stderr)
	r := resultsIn(t, tested)
	require.Len(t, r.Runs, 1)
	assert.Equal(t, "template?epochs=2&order=up&blemish=0.007", r.Runs[0].Method)
	assert.Empty(t, r.Task.Part)

	for _, mixed := range [][]string{
		tiny(data, out, "--methods", "template"), tuning(data, tested, "template", "--option", "order=down"),
		tuning(data, tested, "template", "--option", "order=down", "--shard", "1/2"),
	} {
		got := call(t.Context(), config, mixed...)
		assert.Equal(t, exitFailure, got.status)
		assert.Contains(t, got.stderr, "some are of a search for options, judged on validation data, and some are not; "+
			"choose another folder with --out")
	}
}

// TestTuneIsVerified: a choice that does not follow from the results is found.
func TestTuneIsVerified(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	config := newFakes().config()
	args := tuning(data, out, "template", "--option", "order=down", "--score", "nrmse")
	require.Zero(t, call(t.Context(), config, args...).status)
	store := results.OpenStore(out)
	found, err := store.Search()
	require.NoError(t, err)
	*found.Chosen = 1
	require.NoError(t, store.WriteSearch(*found))
	got := call(t.Context(), config, "verify", out, "--data", data, "-q")
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, "tune.json has chosen 1, but results.json has 0")

	*found.Chosen = 0
	require.NoError(t, store.WriteSearch(*found))
	honest, err := os.ReadFile(store.Path(results.SearchFile))
	require.NoError(t, err)
	for forged, says := range map[string]string{
		strings.Replace(string(honest), `"chosen"`, `"winner":1,"chosen"`, 1): "tune.json has a field that this version " +
			"does not know: winner",
		strings.Replace(string(honest), `"order":"down"`, `"order":"up"`, 1):      "tune.json has trials",
		strings.Replace(string(honest), `"template?order=down"`, `"template"`, 1): "the trials 1 and 2 are both",
	} {
		require.NotEqual(t, string(honest), forged)
		require.NoError(t, os.WriteFile(store.Path(results.SearchFile), []byte(forged), 0o666))
		got := call(t.Context(), config, "verify", out, "--data", data, "-q")
		assert.Equal(t, exitFailure, got.status)
		assert.Contains(t, got.stdout, says)
	}
	require.NoError(t, os.WriteFile(store.Path(results.SearchFile), honest, 0o666))
	for forged, says := range map[string]string{
		"methods: [template]": "",
		"methods:\n  - template: {order: down}": `best.yaml has the method "template?order=down", but the choice in ` +
			`tune.json is "template"`,
		"methods: [template, template]":          "it has 2 methods",
		"methods: [template]\nmethods: [linear]": "cannot read best.yaml",
	} {
		require.NoError(t, os.WriteFile(store.Path(results.BestFile), []byte(forged), 0o666))
		got := call(t.Context(), config, "verify", out, "--data", data, "-q")
		assert.Equal(t, says != "", got.status == exitFailure, forged)
		assert.Contains(t, got.stdout, says)
	}

	none := call(t.Context(), config, tuning(data, out, "template", "--option", "order=down", "--score", "vamp2")...)
	assert.Contains(t, none.stderr, "there is no choice")
	assert.NoFileExists(t, store.Path(results.BestFile), "the choice of an earlier search")
}

// seer is a template that sees the oracle.
type seer struct{ *template }

func (s seer) Describe() core.Description {
	d := s.template.Describe()
	d.Exposure = core.OracleExposed
	return d
}

// TestTuneOfSeer: a score for which no oracle is trained does not judge a method that needs one.
func TestTuneOfSeer(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	fakes := newFakes()
	fakes.extra = []core.Method{seer{&template{fakes, "seer"}}}
	got := call(t.Context(), fakes.config(), tuning(data, out, "seer", "--option", "order=down")...)
	assert.NotZero(t, got.status)
	assert.Contains(t, got.stderr, "seer needs the oracle, but --score vamp2 does not train one; give --score accuracy")
	assert.NoDirExists(t, out)
}

// TestTuneByOracle: the choice is marked, in the table and in the configuration.
func TestTuneByOracle(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	config := newFakes().config()
	args := tuning(data, out, "template", "--option", "order=down,up", "--seeds", "0")
	got := call(t.Context(), config, args...)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stdout, "trials by vamp2")
	assert.Contains(t, got.stderr, "none of 2 trials has a score, so there is no choice: seed 0: its model gives no "+
		"right eigenfunctions")
	assert.Contains(t, got.stderr, "--score accuracy, which sees the oracle")
	assert.NoFileExists(t, filepath.Join(out, results.BestFile))

	out = filepath.Join(t.TempDir(), "out")
	got = call(t.Context(), config, tuning(data, out, "template", "--option", "order=down,up", "--score", "accuracy")...)
	require.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stdout, "exposed   the oracle that judges the test chose these options")
	best, err := os.ReadFile(filepath.Join(out, results.BestFile))
	require.NoError(t, err)
	assert.Contains(t, string(best), "# The oracle that judges the test chose these options")
	assert.Contains(t, string(best), "- template\n")
}

// TestTuneInShards: shards of one folder or of several, and a command that was stopped, give the choice of one command.
func TestTuneInShards(t *testing.T) {
	data, parent := dataFolder(t), t.TempDir()
	config := newFakes().config()
	search := func(out string, more ...string) output {
		args := tuning(data, filepath.Join(parent, out), "template", "--option", "blemish=0.001..1", "--option",
			"order=up,down", "--trials", "6", "--seeds", "0,1", "--score", "nrmse", "-q")
		return call(t.Context(), config, append(args, more...)...)
	}
	whole := search("whole")
	require.Zero(t, whole.status, whole.stderr)
	for _, shard := range []string{"2/2", "1/2"} {
		require.Zero(t, search("shared", "--shard", shard).status)
		require.Zero(t, search("part-"+shard[:1], "--shard", shard).status)
	}
	shared := search("shared")
	assert.Equal(t, whole, shared)

	require.Zero(t, call(t.Context(), config, "merge", "--out", filepath.Join(parent, "merged"),
		filepath.Join(parent, "part-1"), filepath.Join(parent, "part-2")).status)
	assert.Equal(t, whole, search("merged"))
	first, err := results.OpenStore(filepath.Join(parent, "whole")).Search()
	require.NoError(t, err)
	second, err := results.OpenStore(filepath.Join(parent, "merged")).Search()
	require.NoError(t, err)
	first.Command, second.Command = nil, nil
	assert.Equal(t, first, second)
}

// marked is what the spied task's test snapshots have more than others.
const marked = 1e6

// spyTask has test snapshots that tell themselves from others, and a score that must not be used.
type spyTask struct{ *testing.T }

func (spyTask) Describe() core.Description {
	return core.Description{Name: "spied", Summary: "for tests"}
}

func (s spyTask) Open(context.Context, core.Options) (*core.Problem, error) {
	var parts []core.Trajectories
	for _, shift := range []float32{0, 0, marked} {
		values := make([]float32, 40)
		for i := range values {
			values[i] = float32(i%5) + shift
		}
		x, err := core.NewSnapshots(values, 1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, core.OneTrajectory(x))
	}
	return &core.Problem{
		Train: parts[0], Validation: parts[1], Test: parts[2], Lag: 1, Steps: 3, Rank: 1,
		Picture: core.SeriesPicture, Score: s,
	}, nil
}

func (spyTask) Measure() core.Measure { return core.NRMSE() }

func (s spyTask) Fit(context.Context, *core.Training) (core.Scorer, error) {
	s.Error("the score on test data is used")
	return nil, errors.New("the score on test data is used")
}

// spyMethod predicts x + step, and reports test snapshots that it sees. With step 2 it waits for the end of ctx, once.
type spyMethod struct {
	*testing.T
	waits *atomic.Bool
	began chan struct{}
}

func (spyMethod) Describe() core.Description {
	return core.Description{
		Name: "spy", Summary: "for tests", Options: []core.Option{core.IntOption("step", 0, 0, 4, "what is added")},
	}
}

func (m spyMethod) look(x core.Snapshots) {
	row := make([]float32, 1)
	for i := range x.Len() {
		if x.Read(row, i); row[0] >= marked {
			m.Error("the method sees test data")
		}
	}
}

func (m spyMethod) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	m.look(t.Train.Snapshots())
	m.look(t.Validation.Snapshots())
	step := t.Options.Int("step")
	if step == 2 && m.waits.CompareAndSwap(true, false) {
		m.began <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if step == 4 {
		return nil, errors.New("four is too many")
	}
	return core.ModelFunc(func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
		m.look(x)
		values := make([]float32, x.Len())
		for i := range values {
			x.Read(values[i:i+1], i)
			values[i] = float32((int(values[i]) + step) % 5)
		}
		return core.NewSnapshots(values, 1)
	}), nil
}

// TestTuneSeesNoTestData, and keeps what has finished when it is stopped; a trial that fails is not chosen.
func TestTuneSeesNoTestData(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	m := spyMethod{t, &atomic.Bool{}, make(chan struct{}, 1)}
	m.waits.Store(true)
	config := newFakes().config()
	config.Registry = func(*nn.Runtime) (*registry.Registry, error) {
		r := registry.New()
		return r, errors.Join(r.Methods.Add(m), r.Oracles.Add(judge{}), r.Tasks.Add(spyTask{t}))
	}
	args := []string{"tune", "spy", "--task", "spied", "--option", "step=3,1,2,4", "--out", out}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-m.began
		cancel()
	}()
	stopped := call(ctx, config, args...)
	assert.Equal(t, exitInterrupted, stopped.status)
	assert.Contains(t, stopped.stderr, "stopped with 3 of 5 runs finished and kept in "+out+"; the same command continues")
	assert.NoFileExists(t, filepath.Join(out, results.SearchFile))

	got := call(t.Context(), config, args...)
	require.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stdout, "spy: 5 trials by nrmse, lower is better, on the validation data, seed 42")
	assert.Contains(t, got.stdout, "spy?step=4: seed 42: failed: fit: four is too many")
	found, err := results.OpenStore(out).Search()
	require.NoError(t, err)
	assert.Equal(t, "spy?step=1", found.Best().Method)
	assert.Zero(t, *found.Best().Score)
}
