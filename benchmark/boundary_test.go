package benchmark_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

// spoilt is a perfect method but for what is not nil.
type spoilt struct {
	fit    func() error
	report core.Report
	tell   func() core.Report // in the place of report
	values []complex128
	left   func(n int) *mat.CDense
	save   func() (*core.State, error)
}

func (s *spoilt) Describe() core.Description {
	return core.Description{Name: "spoilt", Summary: "a test", Doc: "For tests."}
}

func (s *spoilt) Fit(context.Context, *core.Training) (core.Model, error) {
	if s.fit != nil {
		if err := s.fit(); err != nil {
			return nil, err
		}
	}
	return spoiltModel{s}, nil
}

func (s *spoilt) Load(context.Context, *core.Saved) (core.Model, error) { return spoiltModel{s}, nil }

type spoiltModel struct{ *spoilt }

func (spoiltModel) Predict(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
	return moved(1)(ctx, x)
}

func (s spoiltModel) Report() core.Report {
	if s.tell != nil {
		return s.tell()
	}
	return s.report
}

func (s spoiltModel) Eigenvalues() []complex128 { return s.values }

func (s spoiltModel) LeftEigenfunctions(_ context.Context, x core.Snapshots) (*mat.CDense, error) {
	if s.left != nil {
		return s.left(x.Len()), nil
	}
	return mat.NewCDense(x.Len(), len(s.values), nil), nil
}

func (s spoiltModel) Save(context.Context) (*core.State, error) { return s.save() }

// TestOneRunEndsNoOther: whatever a method returns, in this program or by the wire format of
// plugins, the other runs and the results are there, and the run says what is wrong.
func TestOneRunEndsNoOther(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	invalid, crashed, failed := results.StatusInvalid, results.StatusCrashed, results.StatusFailed
	for name, c := range map[string]struct {
		method *spoilt
		status results.Status
		says   string
	}{
		"compile seconds NaN": {
			&spoilt{report: core.Report{CompileSeconds: nan}},
			invalid, "compile_seconds is NaN; it must be a number in 0 … 1000000000",
		},
		"compile seconds Inf": {
			&spoilt{report: core.Report{CompileSeconds: inf}},
			invalid, "compile_seconds is +Inf",
		},
		"compile seconds 1e308": {
			&spoilt{report: core.Report{CompileSeconds: 1e308}},
			invalid, "compile_seconds is 1e+308",
		},
		"negative rank": {
			&spoilt{report: core.Report{Rank: -1}},
			invalid, "the rank is -1; it must be in 0 … 9007199254740992",
		},
		"negative parameters": {
			&spoilt{report: core.Report{Parameters: -7}},
			invalid, "the number of parameters is -7",
		},
		"epochs in disorder": {
			&spoilt{report: core.Report{History: []core.Epoch{{Number: 2}, {Number: 1}}}},
			invalid, "entry 2 of the history is epoch 1, after epoch 2",
		},
		"huge warning": {
			&spoilt{report: core.Report{Warnings: []string{strings.Repeat("a", 20<<20)}}},
			invalid, "warning 1 has 20971520 bytes; the most is 8192",
		},
		"many warnings": {
			&spoilt{report: core.Report{Warnings: make([]string, 1001)}},
			invalid, "there are 1001 warnings; the most is 1000",
		},
		"huge history": {
			&spoilt{report: core.Report{History: make([]core.Epoch, 1_000_001)}},
			invalid, "the history has 1000001 epochs; the most is 1000000",
		},
		"report panics": {&spoilt{tell: func() core.Report { panic("no report") }}, crashed, "no report"},
		"report ends goroutine": {
			&spoilt{tell: func() core.Report { runtime.Goexit(); return core.Report{} }},
			crashed, "runtime.Goexit was called",
		},
		"fit ends goroutine": {
			&spoilt{fit: func() error { runtime.Goexit(); return nil }},
			crashed, "runtime.Goexit was called",
		},
		"huge panic": {&spoilt{fit: func() error { panic(strings.Repeat("a", 20<<20)) }}, crashed, "aaa … ("},
		"huge error": {
			&spoilt{fit: func() error { return errors.New(strings.Repeat("é", 1<<20)) }},
			failed, "éé … (",
		},
		"no UTF-8 error": {&spoilt{fit: func() error { return errors.New("b\xe4d") }}, failed, "b\uFFFDd"},
		"eigenvalue NaN": {&spoilt{values: []complex128{1, complex(nan, 0)}}, invalid, "(NaN+0i)"},
		"eigenvalue Inf": {&spoilt{values: []complex128{complex(0, inf), 1}}, invalid, "(0+Infi)"},
		"no eigenfunctions": {
			&spoilt{values: []complex128{1}, left: func(int) *mat.CDense { return nil }},
			invalid, "contract broken",
		},
		"eigenfunction NaN": {&spoilt{values: []complex128{1}, left: func(n int) *mat.CDense {
			m := mat.NewCDense(n, 1, nil)
			m.Set(3, 0, complex(nan, 0))
			return m
		}}, invalid, "non-finite value"},
	} {
		for way, m := range bothWays(t, c.method) {
			t.Run(name+" "+way, func(t *testing.T) {
				dir := t.TempDir()
				got := runBeside(t, dir, m, false)
				for _, run := range got.Runs[:2] {
					assert.Equal(t, c.status, run.Status, "%.300s", run.Reason)
					assert.True(t, strings.Contains(run.Reason, c.says), "%.300s", run.Reason)
					assert.Less(t, len(run.Reason), 66_000)
					assert.True(t, utf8.ValidString(run.Reason))
					assert.Empty(t, run.Ranked.Score)
				}
			})
		}
	}
}

// bothWays returns the method, and its stand-in where it is served as plugins serve it.
func bothWays(t *testing.T, m core.Method) map[string]core.Method {
	l, err := plugin.Loopback(m)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return map[string]core.Method{"in this program": m, "as a plugin": l.Things[0].(core.Method)}
}

// runBeside runs a method at two seeds, and then the perfect one, and returns the results of the
// four as they are in results.json.
func runBeside(t *testing.T, dir string, m core.Method, save bool) *results.Results {
	t.Helper()
	p := plan(t, dir, &oracle{}, perfect())
	spoilt := benchmark.Entry{Written: "spoilt", Method: m, Options: defaults(t, m.Describe())}
	p.Entries = append([]benchmark.Entry{spoilt}, p.Entries...)
	p.SaveModels = save
	_, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	got, err := results.OpenStore(dir).Results()
	require.NoError(t, err)
	require.Len(t, got.Runs, 4)
	for _, run := range got.Runs[2:] {
		assert.Equal(t, results.StatusOK, run.Status, run.Reason)
		assert.Equal(t, []float64{1, 1, 1, 1}, run.Ranked.Score)
	}
	return got
}

// TestOddReportsAreFine: losses that diverge and texts that are no UTF-8 are kept as far as JSON
// can.
func TestOddReportsAreFine(t *testing.T) {
	report := core.Report{
		Untrained: "l\xf6st", Warnings: []string{"w\xe4rm"}, History: make([]core.Epoch, 1000), CompileSeconds: 1e6,
	}
	for i := range report.History {
		report.History[i] = core.Epoch{Number: i + 1, Train: math.NaN(), Validation: math.Inf(1)}
	}
	for way, m := range bothWays(t, &spoilt{report: report}) {
		t.Run(way, func(t *testing.T) {
			run := runBeside(t, t.TempDir(), m, false).Runs[0]
			assert.Equal(t, results.StatusOK, run.Status, run.Reason)
			assert.Equal(t, "l\uFFFDst", run.Reason)
			require.Len(t, run.Warnings, 2)
			assert.Equal(t, "w\uFFFDrm", run.Warnings[0])
			assert.Contains(t, run.Warnings[1], "the method says that it compiled for 1e+06 s, but its whole fit took ")
			require.Len(t, run.History, 1000)
			assert.Equal(t, 1000, run.History[999].Epoch)
			assert.Zero(t, run.FitSeconds, "no less than nothing is left of the fit")
		})
	}
}

// TestModelsThatCannotBeWritten are warnings of their runs.
func TestModelsThatCannotBeWritten(t *testing.T) {
	for says, save := range map[string]func() (*core.State, error){
		"not JSON": func() (*core.State, error) {
			return &core.State{Facts: []byte(`{"rate": NaN}`)}, nil
		},
		"neither a state nor an er": func() (*core.State, error) { return nil, nil },
		`called "../w"`: func() (*core.State, error) {
			return &core.State{Arrays: map[string]core.Array{"../w": {Values: []int64{1}}}}, nil
		},
		`called "header.json"`: func() (*core.State, error) {
			return &core.State{Arrays: map[string]core.Array{"header.json": {Values: []int64{1}}}}, nil
		},
	} {
		for way, m := range bothWays(t, &spoilt{save: save}) {
			t.Run(says+" "+way, func(t *testing.T) {
				dir := t.TempDir()
				for _, run := range runBeside(t, dir, m, true).Runs[:2] {
					assert.Equal(t, results.StatusOK, run.Status, run.Reason)
					require.Len(t, run.Warnings, 1)
					assert.Contains(t, run.Warnings[0], "the model was not saved: ")
					assert.Contains(t, run.Warnings[0], says)
					assert.NoFileExists(t, results.OpenStore(dir).ModelPath(run.Key))
				}
			})
		}
	}
}

// TestBadDescriptionsBeginNothing: the name of a run, by which it is kept, is made of them.
func TestBadDescriptionsBeginNothing(t *testing.T) {
	infinite := core.Description{Name: "odd", Summary: "a test", Options: []core.Option{
		core.FloatOption("rate", math.Inf(1), 0, math.Inf(1), "rate"),
	}}
	for says, describe := range map[string]func() core.Description{
		"the option \"rate\" takes numbers in 0 … +Inf": func() core.Description { return infinite },
		"no words":                  func() core.Description { panic("no words") },
		"runtime.Goexit was called": func() core.Description { runtime.Goexit(); return infinite },
	} {
		m := perfect()
		p := plan(t, filepath.Join(t.TempDir(), "out"), &oracle{}, m)
		p.Entries = append(p.Entries, benchmark.Entry{Written: "odd?x=1", Method: oddly{perfect(), describe}})
		_, err := benchmark.Run(t.Context(), p)
		assert.ErrorContains(t, err, "the method odd?x=1: ")
		assert.ErrorContains(t, err, says)
		assert.Zero(t, m.fits.Load())
	}
	p := plan(t, t.TempDir(), &oracle{}, perfect())
	options, err := infinite.Resolve(nil)
	require.NoError(t, err)
	p.Entries[0].Options = options
	_, err = benchmark.Run(t.Context(), p)
	assert.ErrorIs(t, err, core.ErrOption)
}

// oddly is a method with another description.
type oddly struct {
	core.Method
	describe func() core.Description
}

func (o oddly) Describe() core.Description { return o.describe() }

// TestOraclesEndTheirWay: one that cannot judge ends the command with its reason, however it goes
// about it.
func TestOraclesEndTheirWay(t *testing.T) {
	for says, o := range map[string]core.Oracle{
		"compile_seconds is NaN": &spoiltOracle{tell: func() core.Report {
			return core.Report{CompileSeconds: math.NaN()}
		}},
		"no report":                 &spoiltOracle{tell: func() core.Report { panic("no report") }},
		"runtime.Goexit was called": &spoiltOracle{tell: func() core.Report { runtime.Goexit(); return core.Report{} }},
	} {
		p := plan(t, t.TempDir(), &oracle{}, perfect())
		p.Oracle.Oracle = o
		watch := &observer{ends: map[string]int{}}
		p.Observer = watch
		_, err := benchmark.Run(t.Context(), p)
		assert.ErrorContains(t, err, `the oracle "brightness": `)
		assert.ErrorContains(t, err, says)
		assert.NotContains(t, watch.ends, "oracle ok")
	}
}

type spoiltOracle struct {
	oracle
	tell func() core.Report
}

func (o *spoiltOracle) Fit(context.Context, *core.Training) (core.Judge, error) {
	return spoiltJudge{judge{}, o.tell}, nil
}

type spoiltJudge struct {
	judge
	tell func() core.Report
}

func (j spoiltJudge) Report() core.Report { return j.tell() }

// TestWhatCannotBeWrittenIsInvalid: where a rule is missing, as for what a run is said to have
// spent, the run alone is lost.
func TestWhatCannotBeWrittenIsInvalid(t *testing.T) {
	m := &method{name: "spoilt", predict: moved(1), fit: func(ctx context.Context, _ *core.Training) error {
		core.ScopeOf(ctx).Spend(core.Spent{StartSeconds: math.NaN()})
		return nil
	}}
	dir := t.TempDir()
	for _, run := range runBeside(t, dir, m, false).Runs[:2] {
		assert.Equal(t, results.StatusInvalid, run.Status)
		assert.Contains(t, run.Reason, "contract broken: its result cannot be written: json: unsupported value: NaN")
		assert.Empty(t, run.Ranked.Score)
		assert.NoFileExists(t, filepath.Join(dir, "runs", run.Key+".npz"))
	}
}

// TestAFullDiskIsAnErrorOfTheCommand, not one of the run whose result has no room.
func TestAFullDiskIsAnErrorOfTheCommand(t *testing.T) {
	dir := t.TempDir()
	blocked := &method{name: "blocked", fit: func(context.Context, *core.Training) error {
		runs := filepath.Join(dir, "runs")
		return errors.Join(os.RemoveAll(runs), os.WriteFile(runs, nil, 0o644))
	}, predict: moved(1)}
	_, err := benchmark.Run(t.Context(), plan(t, dir, &oracle{}, blocked))
	assert.ErrorContains(t, err, filepath.Join(dir, "runs"))
}
