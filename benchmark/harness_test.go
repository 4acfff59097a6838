package benchmark_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// The tests' process has three states, shown as images of 2×2 pixels of brightness state/4, and a seed of noise.
const states = 3

func image(state int) []float32 {
	v := float32(state) / 4
	return []float32{v, v, v, v}
}

func state(pixel float32) int { return min(max(int(pixel*4+0.5), 0), states-1) }

// described is the description of the tests' task.
func described() core.Description {
	return core.Description{Name: "test", Summary: "three states in turn", Options: []core.Option{
		core.IntOption("steps", 4, 1, 1000, "steps"),
	}}
}

// problem has 30, 15 and 15 snapshots at a lag of 1.
func problem(t testing.TB, steps int) *core.Problem { return problemOf(t, steps, 15, 1) }

func problemOf(t testing.TB, steps, test, lag int) *core.Problem {
	var values []float32
	var labels []int
	for i := range 45 + test {
		values = append(values, image(i%states)...)
		labels = append(labels, i%states)
	}
	x, err := core.NewSnapshots(values, 2, 2)
	require.NoError(t, err)
	s := &core.States{Count: states, Train: labels[:30], Validation: labels[30:45], Test: labels[45:]}
	for step := range steps {
		var expected []int
		for _, label := range s.Test {
			expected = append(expected, (label+(step+1)*lag)%states)
		}
		s.Expected = append(s.Expected, expected)
	}
	return &core.Problem{
		Train: core.OneTrajectory(x.Slice(0, 30)), Validation: core.OneTrajectory(x.Slice(30, 45)),
		Test: core.OneTrajectory(x.Slice(45, x.Len())), Lag: lag, Steps: steps, Rank: states, States: s,
		Source: "a test", Picture: core.ImagePicture,
	}
}

func task(t testing.TB, steps int) *benchmark.Task {
	return taskOf(t, problem(t, steps))
}

func taskOf(t testing.TB, p *core.Problem) *benchmark.Task {
	options, err := described().Resolve(map[string]any{"steps": p.Steps})
	require.NoError(t, err)
	task, err := benchmark.NewTask(t.Context(), described(), options, p)
	require.NoError(t, err)
	return task
}

// oracle labels by brightness, without training.
type oracle struct {
	fits  atomic.Int32
	fails error // what the next fits return
	wrong bool  // whether it labels everything as state 0
}

func (*oracle) Describe() core.Description {
	return core.Description{Name: "brightness", Summary: "labels by brightness",
		Options: []core.Option{core.IntOption("epochs", 20, 1, 100, "unused")}}
}

func (o *oracle) Fit(_ context.Context, t *core.Training) (core.Judge, error) {
	o.fits.Add(1)
	if t.TrainLabels == nil {
		return nil, errors.New("no labels")
	}
	return judge{o.wrong}, o.fails
}

type judge struct{ wrong bool }

func (j judge) Classify(_ context.Context, x core.Snapshots) ([]int, error) {
	labels := make([]int, x.Len())
	for i := 0; i < len(labels) && !j.wrong; i++ {
		labels[i] = state(x.Slice(i, i+1).Floats()[0])
	}
	return labels, nil
}

// method is a method whose model predicts by a function of the image's state. It counts its fits.
type method struct {
	name     string
	exposure core.Exposure
	fit      func(context.Context, *core.Training) error
	predict  func(context.Context, core.Snapshots) (core.Snapshots, error)
	fits     atomic.Int32
}

func (m *method) Describe() core.Description {
	return core.Description{Name: m.name, Summary: "a test", Exposure: m.exposure,
		Options: []core.Option{core.IntOption("epochs", 50, 1, 100, "passes")}}
}

func (m *method) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	m.fits.Add(1)
	if m.fit != nil {
		if err := m.fit(ctx, t); err != nil {
			return nil, err
		}
	}
	if m.predict == nil {
		return nil, nil
	}
	return model{m.predict, t.Options.Int("epochs")}, nil
}

type model struct {
	predict func(context.Context, core.Snapshots) (core.Snapshots, error)
	epochs  int
}

func (m model) Predict(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
	return m.predict(ctx, x)
}

func (m model) Report() core.Report {
	return core.Report{Rank: states, History: []core.Epoch{{Number: m.epochs, Train: 1, Validation: 2}},
		Warnings: []string{"careful"}}
}

func (m model) Eigenvalues() []complex128 { return []complex128{1, 0.5} }

func (m model) LeftEigenfunctions(_ context.Context, x core.Snapshots) (*mat.CDense, error) {
	return mat.NewCDense(x.Len(), 2, nil), nil
}

// moved returns a prediction that moves every state on by a number of steps.
func moved(by int) func(context.Context, core.Snapshots) (core.Snapshots, error) {
	return func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
		var values []float32
		for i := range x.Len() {
			values = append(values, image((state(x.Slice(i, i+1).Floats()[0])+by)%states)...)
		}
		return core.NewSnapshots(values, x.Shape()...)
	}
}

func perfect() *method { return &method{name: "perfect", predict: moved(1)} }

func plan(t testing.TB, out string, o *oracle, methods ...*method) benchmark.Plan {
	p := benchmark.Plan{
		Task: task(t, 4), Seeds: []int64{1, 2}, Out: out,
		Oracle:      benchmark.OraclePlan{Oracle: o, Seed: 42, Options: defaults(t, o.Describe())},
		Environment: results.Environment{ExecutableSHA256: "code", Backend: "none"},
	}
	for _, m := range methods {
		p.Entries = append(p.Entries, benchmark.Entry{Written: m.name, Method: m, Options: defaults(t, m.Describe())})
	}
	return p
}

func defaults(t testing.TB, d core.Description) core.Options {
	o, err := d.Resolve(nil)
	require.NoError(t, err)
	return o
}

func TestRunScoresEveryStep(t *testing.T) {
	dir := t.TempDir()
	still := &method{name: "still", predict: moved(0)}
	got, err := benchmark.Run(t.Context(), plan(t, dir, &oracle{}, perfect(), still))
	require.NoError(t, err)
	require.Len(t, got.Runs, 4)
	assert.Equal(t, 1.0, got.Oracle.TestAccuracy)
	assert.Equal(t, []int{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2}, got.Oracle.TestLabels)
	for _, run := range got.Runs {
		assert.Equal(t, results.StatusOK, run.Status)
		assert.True(t, run.Trained)
		assert.Equal(t, states, run.Rank)
		assert.Equal(t, []string{"careful"}, run.Warnings)
		assert.Len(t, run.PredictionSHA256, 4)
		assert.Equal(t, []results.Complex{1, 0.5}, run.Eigenvalues)
		want := []float64{1, 1, 1, 1}
		if run.Method == "still" {
			want = []float64{0, 0, 1, 0} // standing still is right after a whole cycle
		}
		assert.Equal(t, want, run.Ranked.Score)
	}

	store := results.OpenStore(dir)
	read, err := store.Results()
	require.NoError(t, err)
	assert.Equal(t, asJSON(t, got), asJSON(t, read), "results.json holds all of it")
	onDisk, ok, err := store.Run(got.Runs[0].Key)
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, asJSON(t, got.Runs[0]), asJSON(t, onDisk))
	arrays, err := store.RunArrays(got.Runs[0].Key)
	require.NoError(t, err)
	require.Len(t, arrays.Rollouts, 1)
	shown := arrays.Rollouts[results.ProtocolReencode]
	require.Len(t, shown, 4)
	assert.Equal(t, 10, shown[0].Len())
	assert.Equal(t, image(1), shown[0].Slice(0, 1).Floats())
	rows, columns := arrays.LeftEigenfunctions.Dims()
	assert.Equal(t, [2]int{15, 2}, [2]int{rows, columns})
	taskArrays, err := store.TaskArrays()
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2, 0, 1, 2}, taskArrays.SampleStates)
	assert.Equal(t, 10, taskArrays.Starts.Len())
	assert.Len(t, taskArrays.TestStates, 15)
	csv, err := os.ReadFile(filepath.Join(dir, "results.csv"))
	require.NoError(t, err)
	assert.Contains(t, string(csv), "perfect,1,reencode,4,1,true,ok,,")
}

func asJSON(t *testing.T, v any) string {
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

func TestRunContinues(t *testing.T) {
	dir, o, m := t.TempDir(), &oracle{}, perfect()
	p := plan(t, dir, o, m)
	first, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	second, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, asJSON(t, first), asJSON(t, second))
	assert.EqualValues(t, 2, m.fits.Load(), "finished runs are not repeated")
	assert.EqualValues(t, 1, o.fits.Load(), "nor is the oracle when no run needs it")

	for name, change := range map[string]func(*benchmark.Plan){
		"code":    func(p *benchmark.Plan) { p.Environment.ExecutableSHA256 = "other" },
		"backend": func(p *benchmark.Plan) { p.Environment.Backend = "other" },
		"plugin":  func(p *benchmark.Plan) { p.Entries[0].Plugin = &results.PluginInfo{SHA256: "other"} },
		"version of the plugin": func(p *benchmark.Plan) {
			p.Entries[0].Plugin = &results.PluginInfo{SHA256: "other", Version: "2"}
		},
		"options":     func(p *benchmark.Plan) { p.MaxEpochs = 3 },
		"oracle seed": func(p *benchmark.Plan) { p.Oracle.Seed = 43 },
		"data":        func(p *benchmark.Plan) { p.Task = task(t, 4); p.Task.Info.DataSHA256 = "other" },
		"steps":       func(p *benchmark.Plan) { p.Task = task(t, 5) },
	} {
		t.Run("not with other "+name, func(t *testing.T) {
			changed, before := plan(t, dir, o, m), m.fits.Load()
			change(&changed)
			_, err := benchmark.Run(t.Context(), changed)
			require.NoError(t, err)
			assert.EqualValues(t, before+2, m.fits.Load())
		})
	}
}

func TestRunRepeatsWhatIsTorn(t *testing.T) {
	dir, m := t.TempDir(), perfect()
	p := plan(t, dir, &oracle{}, m)
	first, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	path := filepath.Join(dir, "runs", first.Runs[0].Key+".json")
	require.NoError(t, os.WriteFile(path, []byte(`{"key":`), 0o644))
	_, _, err = results.OpenStore(dir).Run(first.Runs[0].Key)
	require.ErrorIs(t, err, results.ErrResults)
	again, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, first.Runs[0].PredictionSHA256, again.Runs[0].PredictionSHA256)
	assert.EqualValues(t, 3, m.fits.Load())
}

func TestMaxEpochsCapsEveryMethod(t *testing.T) {
	p := plan(t, t.TempDir(), &oracle{}, perfect())
	p.MaxEpochs = 7
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, 7, got.Runs[0].Options["epochs"])
	assert.Equal(t, 7, got.Runs[0].History[0].Epoch)
	assert.Equal(t, 7, got.Oracle.Options["epochs"])
	assert.Equal(t, 7, got.MaxEpochs)
	p.MaxEpochs = 90
	got, err = benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, 50, got.Runs[0].Options["epochs"], "a cap never raises")
	assert.Zero(t, got.MaxEpochs, "and is nothing to tell if it cuts nothing")
}

// TestLabelsSayWhatWasRun: no row has an option in its name that its runs did not have.
func TestLabelsSayWhatWasRun(t *testing.T) {
	for written, want := range map[string]string{
		"perfect": "perfect", "perfect?epochs=50": "perfect?epochs=7",
		"perfect?a=1&epochs=50&b=2": "perfect?a=1&epochs=7&b=2", "perfect?epochs=3": "perfect?epochs=3",
	} {
		p := plan(t, t.TempDir(), &oracle{}, perfect())
		p.Entries[0].Written, p.MaxEpochs = written, 7
		if written == "perfect?epochs=3" {
			var err error
			p.Entries[0].Options, err = perfect().Describe().Resolve(map[string]any{"epochs": 3})
			require.NoError(t, err)
		}
		got, err := benchmark.Run(t.Context(), p)
		require.NoError(t, err)
		assert.Equal(t, want, got.Runs[0].Method)
		assert.Equal(t, written, p.Entries[0].Written, "the caller's plan stays as it is")
	}
}

func TestFailuresStayAlone(t *testing.T) {
	broken := map[string]struct {
		m      *method
		status results.Status
		says   string
	}{
		"fit error": {&method{fit: func(context.Context, *core.Training) error { return errors.New("no idea") }},
			results.StatusFailed, "fit: no idea"},
		"fit panic": {&method{fit: func(context.Context, *core.Training) error { panic("boom") }}, results.StatusCrashed,
			"boom"},
		"no model": {&method{}, results.StatusInvalid, "neither a model nor an error"},
		"wrong size": {&method{predict: func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
			return x.Slice(1, x.Len()), nil
		}}, results.StatusInvalid, "contract broken: it returned "},
		"wrong shape": {&method{predict: func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
			return core.NewSnapshots(x.Floats(), 4)
		}}, results.StatusInvalid, "shape [4]"},
		"not finite": {&method{predict: func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
			values := slices.Clone(x.Floats())
			values[len(values)-3] = float32(nan())
			return core.NewSnapshots(values, x.Shape()...)
		}}, results.StatusInvalid, "contract broken: non-finite value: value 1 of snapshot "},
		"predict panic": {&method{predict: func(context.Context, core.Snapshots) (core.Snapshots, error) { panic("bang") }},
			results.StatusCrashed, "bang"},
		"changes input": {&method{predict: func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
			x.Floats()[0]++
			return core.NewSnapshots(slices.Clone(x.Floats()), x.Shape()...)
		}}, results.StatusInvalid, "it changed the snapshots"},
		"needs an encoder": {&method{exposure: core.OracleExposed, predict: moved(1)}, results.StatusSkipped,
			"does not give it"},
	}
	for name, c := range broken {
		t.Run(name, func(t *testing.T) {
			c.m.name = "broken"
			p := plan(t, t.TempDir(), &oracle{}, c.m, perfect())
			p.Seeds = p.Seeds[:1]
			got, err := benchmark.Run(t.Context(), p)
			require.NoError(t, err)
			require.Len(t, got.Runs, 2)
			assert.Equal(t, c.status, got.Runs[0].Status)
			assert.Contains(t, got.Runs[0].Reason, c.says)
			assert.Empty(t, got.Runs[0].Ranked.Score)
			assert.False(t, got.Runs[0].Trained)
			assert.Equal(t, results.StatusOK, got.Runs[1].Status)
			assert.Equal(t, []float64{1, 1, 1, 1}, got.Runs[1].Ranked.Score)
		})
	}
}

// TestTimeoutIsNeverASuccess: neither of a fit that heeds its context, nor of one that finishes too late.
func TestTimeoutIsNeverASuccess(t *testing.T) {
	heeds := &method{name: "heeds",
		fit: func(ctx context.Context, _ *core.Training) error { <-ctx.Done(); return ctx.Err() }, predict: moved(1)}
	late := &method{name: "late", fit: func(ctx context.Context, _ *core.Training) error { <-ctx.Done(); return nil },
		predict: moved(1)}
	p := plan(t, t.TempDir(), &oracle{}, heeds, late, perfect())
	p.Seeds, p.Timeout = p.Seeds[:1], time.Second
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, got.Runs, 3)
	for _, run := range got.Runs[:2] {
		assert.Equal(t, results.StatusTimeout, run.Status)
		assert.Contains(t, run.Reason, "it took more than 1s; give more with --timeout")
		assert.Empty(t, run.Ranked.Score)
	}
	assert.Equal(t, results.StatusOK, got.Runs[2].Status)
}

// slowOracle does not end before it must.
type slowOracle struct{ oracle }

func (o *slowOracle) Fit(ctx context.Context, _ *core.Training) (core.Judge, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestTimeoutOfTheOracle: it is bounded as runs are, and it is the command that fails.
func TestTimeoutOfTheOracle(t *testing.T) {
	m := perfect()
	p := plan(t, t.TempDir(), &oracle{}, m)
	p.Oracle.Oracle, p.Timeout = &slowOracle{}, time.Millisecond
	got, err := benchmark.Run(t.Context(), p)
	require.EqualError(t, err, `the oracle "brightness": it took more than 1ms; give more with --timeout`)
	assert.Nil(t, got)
	assert.Zero(t, m.fits.Load())
}

// TestScopesEndWithTheirRuns: what a fit keeps is there for the run, is released with it, and a
// failure of that is a warning.
func TestScopesEndWithTheirRuns(t *testing.T) {
	type kept struct{}
	made, released := 0, 0
	keep := func(ctx context.Context) error {
		_, err := core.ScopeOf(ctx).Keep(ctx, kept{}, func() (any, func() error, error) {
			made++
			return made, func() error { released++; return errors.New("stuck") }, nil
		})
		return err
	}
	m := &method{name: "keeps", fit: func(ctx context.Context, _ *core.Training) error { return keep(ctx) }}
	m.predict = func(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
		assert.Equal(t, made-1, released)
		return x, keep(ctx)
	}
	p := plan(t, t.TempDir(), &oracle{}, m)
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, len(p.Seeds), made)
	assert.Equal(t, made, released)
	for _, run := range got.Runs {
		assert.Equal(t, results.StatusOK, run.Status)
		assert.Contains(t, run.Warnings, "what the run had started did not end cleanly: stuck")
	}
}

func nan() float64 { var zero float64; return zero / zero }

func TestCancelKeepsFinishedRuns(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	blocking := &method{name: "blocking", fit: func(ctx context.Context, _ *core.Training) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}}
	m := perfect()
	got, err := benchmark.Run(ctx, plan(t, dir, &oracle{}, m, blocking))
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, got.Runs, 2)
	read, err := results.OpenStore(dir).Results()
	require.NoError(t, err)
	assert.Len(t, read.Runs, 2)

	blocking.fit, blocking.predict = nil, moved(2)
	got, err = benchmark.Run(t.Context(), plan(t, dir, &oracle{}, m, blocking))
	require.NoError(t, err)
	assert.Len(t, got.Runs, 4)
	assert.EqualValues(t, 2, m.fits.Load())
}

func TestAnOracleThatFailsKeepsFinishedRuns(t *testing.T) {
	dir, o := t.TempDir(), &oracle{}
	p := plan(t, dir, o, perfect())
	_, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)

	o.fails = errors.New("no luck")
	p.Seeds = []int64{1, 2, 3}
	got, err := benchmark.Run(t.Context(), p)
	require.ErrorContains(t, err, `the oracle "brightness": no luck`)
	assert.Len(t, got.Runs, 2)
	assert.Equal(t, 1.0, got.Oracle.TestAccuracy, "what is known of the oracle stays")

	got, err = benchmark.Run(t.Context(), plan(t, t.TempDir(), o, perfect()))
	require.ErrorContains(t, err, "no luck")
	assert.Nil(t, got)
}

func TestWeakJudge(t *testing.T) {
	got, err := benchmark.Run(t.Context(), plan(t, t.TempDir(), &oracle{wrong: true}, perfect()))
	require.NoError(t, err)
	require.Len(t, got.Oracle.Warnings, 1)
	assert.Contains(t, got.Oracle.Warnings[0], "a weak judge: it labels 33.3% of the test snapshots correctly")
}

func TestJobsChangeNoNumber(t *testing.T) {
	hashes := func(jobs int) (all []string) {
		var methods []*method
		for i, name := range []string{"a", "b", "c", "d", "e"} {
			methods = append(methods, &method{name: name, predict: moved(i)})
		}
		p := plan(t, t.TempDir(), &oracle{}, methods...)
		p.Jobs = jobs
		got, err := benchmark.Run(t.Context(), p)
		require.NoError(t, err)
		for _, run := range got.Runs {
			all = append(all, run.Method)
			all = append(all, run.PredictionSHA256...)
		}
		return all
	}
	assert.Equal(t, hashes(1), hashes(4))
}

func TestPlanRefuses(t *testing.T) {
	m := perfect()
	twice := plan(t, t.TempDir(), &oracle{}, m)
	twice.Entries = append(twice.Entries, benchmark.Entry{Written: "again", Method: m, Options: twice.Entries[0].Options})
	_, err := benchmark.Run(t.Context(), twice)
	assert.ErrorIs(t, err, core.ErrDuplicate)

	empty := plan(t, t.TempDir(), &oracle{})
	_, err = benchmark.Run(t.Context(), empty)
	assert.ErrorIs(t, err, core.ErrOption)

	inTheWay := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(inTheWay, nil, 0o644))
	_, err = benchmark.Run(t.Context(), plan(t, inTheWay, &oracle{}, m))
	assert.ErrorContains(t, err, "--out")
	assert.Zero(t, m.fits.Load(), "nothing is fitted before the folder is known to be writable")
}

func TestObserverIsTold(t *testing.T) {
	o := &observer{ends: map[string]int{}}
	p := plan(t, t.TempDir(), &oracle{}, perfect())
	p.Observer, p.Jobs = o, 2
	_, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	_, err = benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"the oracle ok": 1, "perfect ok": 2, "perfect ok reused": 2}, o.ends)
}

type observer struct {
	mu   sync.Mutex
	ends map[string]int
}

func (*observer) Begin(string, int64) core.Progress { return core.NoProgress }

func (o *observer) End(method string, _ int64, outcome benchmark.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := method + " " + string(outcome.Status)
	if outcome.Reused {
		key += " reused"
	}
	o.ends[key]++
}
