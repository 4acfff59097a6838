package benchmark_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/lorenz"
	"github.com/koopbench/koopbench/methods/linear"
)

// standing is a method that predicts its input, and counts its fits.
func standing() *method {
	return &method{name: "still", predict: func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
		return core.NewSnapshots(slices.Clone(x.Floats()), x.Shape()...)
	}}
}

func lorenzTask(t testing.TB, options map[string]any, change func(*core.Problem)) (*benchmark.Task, error) {
	of := lorenz.Task{Change: change}
	o, err := of.Describe().Resolve(options)
	require.NoError(t, err)
	p, err := of.Open(t.Context(), o)
	require.NoError(t, err)
	return benchmark.NewTask(t.Context(), of.Describe(), o, p)
}

// lorenzPlan is a plan of two methods for the task, whose problem is changed.
func lorenzPlan(t testing.TB, out string, change func(*core.Problem), s results.Shard) benchmark.Plan {
	task, err := lorenzTask(t, nil, change)
	require.NoError(t, err)
	p := plan(t, out, &oracle{}, standing())
	p.Task, p.Oracle, p.Shard = task, benchmark.OraclePlan{}, s
	m := linear.New()
	p.Entries = append(p.Entries, benchmark.Entry{Written: "linear", Method: m, Options: defaults(t, m.Describe())})
	return p
}

// TestATaskOfAnotherKind: a flow in three numbers that is scored by an error runs as every task does,
// and is stored, read, verified, continued and merged.
func TestATaskOfAnotherKind(t *testing.T) {
	out := filepath.Join(t.TempDir(), "whole")
	p := lorenzPlan(t, out, nil, results.Shard{})
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, got.Runs, 4)
	for _, run := range got.Runs {
		require.Equal(t, results.StatusOK, run.Status, run.Reason)
		e := run.Ranked
		assert.Nil(t, e.Labels)
		require.Len(t, e.Scores, 5)
		require.Len(t, e.Scores[0], 35)
		assert.Positive(t, e.Score[0])
		for step, scores := range e.Scores {
			for _, v := range scores {
				short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 9, 64), 64)
				require.NoError(t, err)
				assert.Equal(t, short, v)
			}
			assert.Equal(t, got.Task.Measure.Together(scores), e.Score[step], "means are those of what is stored")
		}
	}
	assert.Nil(t, got.Expected)
	assert.Zero(t, got.Oracle)
	require.Len(t, got.Baselines, 2)
	persistence := got.Runs[0]
	require.Equal(t, "still", persistence.Method)
	assert.Equal(t, persistence.Ranked.Scores, got.Baselines[0].Scores, "persistence is the model that predicts its input")
	assert.Less(t, got.Runs[2].Ranked.Score[0], persistence.Ranked.Score[0], "one step of the flow is nearly linear")
	powers := got.Runs[2].Evaluation(results.ProtocolPowers)
	require.Equal(t, results.StatusOK, powers.Status, powers.Reason)
	assert.Equal(t, results.StatusSkipped, persistence.Evaluation(results.ProtocolPowers).Status)

	read, err := results.OpenStore(out).Results()
	require.NoError(t, err)
	assert.Equal(t, asJSON(t, got), asJSON(t, read))
	found, _ := verifyFolder(t, out, p)
	assert.Empty(t, found)
	m := p.Entries[0].Method.(*method)
	before := m.fits.Load()
	again, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, asJSON(t, got), asJSON(t, again))
	assert.Equal(t, before, m.fits.Load(), "finished runs are not repeated")

	base := t.TempDir()
	folders := []string{filepath.Join(base, "1"), filepath.Join(base, "2")}
	for i, folder := range folders {
		_, err := benchmark.Run(t.Context(), lorenzPlan(t, folder, nil, results.Shard{Index: i + 1, Count: 2}))
		require.NoError(t, err)
	}
	merged, err := results.Merge(filepath.Join(base, "all"), folders, nil)
	require.NoError(t, err)
	assert.Equal(t, asJSON(t, timeless(got)), asJSON(t, timeless(merged.Results)))
}

// rooted is a score taken together by the root of the mean square.
type rooted struct{ core.Score }

func (r rooted) Measure() core.Measure {
	m := r.Score.Measure()
	m.RootMeanSquare = true
	return m
}

// TestScoresTakenTogetherByTheirSquares: the score of a step is what the measure makes of those of the starts, in runs
// and in baselines, and verification makes it again.
func TestScoresTakenTogetherByTheirSquares(t *testing.T) {
	out := t.TempDir()
	p := lorenzPlan(t, out, func(p *core.Problem) { p.Score = rooted{p.Score} }, results.Shard{})
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	require.True(t, got.Task.Measure.RootMeanSquare)
	m := got.Task.Measure.Measure()
	for _, run := range got.Runs {
		require.Equal(t, results.StatusOK, run.Status, run.Reason)
		for step, scores := range run.Ranked.Scores {
			assert.Equal(t, m.Together(scores), run.Ranked.Score[step])
			assert.Greater(t, run.Ranked.Score[step], core.Measure{}.Together(scores))
		}
	}
	assert.Equal(t, m.Together(got.Baselines[0].Scores[2]), got.Baselines[0].Score[2])
	read, err := results.OpenStore(out).Results()
	require.NoError(t, err)
	assert.Equal(t, asJSON(t, got), asJSON(t, read))
	found, _ := verifyFolder(t, out, p)
	assert.Empty(t, found)
}

// scored is a score whose scores are changed by a function of the step and the first predicted number.
type scored struct {
	core.Score
	change func(step int, first float32, scores []float64) ([]float64, error)
}

func (s scored) Fit(ctx context.Context, t *core.Training) (core.Scorer, error) {
	scorer, err := s.Score.Fit(ctx, t)
	return rescored{scorer, s.change}, err
}

type rescored struct {
	core.Scorer
	change func(int, float32, []float64) ([]float64, error)
}

func (s rescored) Score(ctx context.Context, step int, x core.Snapshots) ([]float64, error) {
	scores, err := s.Scorer.Score(ctx, step, x)
	if err != nil {
		return nil, err
	}
	return s.change(step, x.Slice(0, 1).Floats()[0], scores)
}

// TestBadProblems: a task that breaks a rule is refused before anything is run, by a sentence that names the rule.
func TestBadProblems(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*core.Problem)
		says   string
	}{
		"no test data": {
			func(p *core.Problem) { p.Test = core.Trajectories{} },
			"the task lorenz: contract broken: the task has no test data",
		},
		"other shapes": {
			func(p *core.Problem) {
				x, err := core.NewSnapshots(make([]float32, 40), 1)
				require.NoError(t, err)
				p.Test = core.OneTrajectory(x)
			}, "training snapshots have the shape [3] and test snapshots [1]",
		},
		"NaN in the data": {
			func(p *core.Problem) {
				x, err := core.NewSnapshots([]float32{1, 2, 3, 4, float32(math.NaN()), 6}, 3)
				require.NoError(t, err)
				p.Validation = core.OneTrajectory(x)
			}, "validation data: ",
		},
		"nothing that judges": {
			func(p *core.Problem) { p.Score = nil }, "neither a score nor states, and nothing can judge predictions; give one",
		},
		"a start twice": {func(p *core.Problem) {
			p.Starts[1] = p.Starts[0]
		}, "start 1 is the test snapshot 0, like an earlier start"},
		"more eigenvalues than results hold": {func(p *core.Problem) {
			p.Truth = &core.Truth{Eigenvalues: make([]complex128, 70000)}
		}, "it has 70000 true eigenvalues, and the most is 65536"},
		"a score by the name of the oracle's": {func(p *core.Problem) { p.Score = named{p.Score, "accuracy", 0} },
			`the measure of its score is called "accuracy", which is that of an oracle; give it another name`},
		"a start that is not there": {func(p *core.Problem) {
			p.Starts[1] = 40
		}, "start 1 is the test snapshot 40; there are 40"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := lorenzTask(t, nil, c.change)
			require.ErrorIs(t, err, core.ErrContract)
			assert.Contains(t, err.Error(), c.says)
		})
	}
}

// TestBadScores: scores that no measure allows end the command before a method is fitted, since they would
// spoil every run. A scorer that crashes costs the evaluations at which it does, and baselines, and nothing else.
func TestBadScores(t *testing.T) {
	with := func(change func(int, float32, []float64) ([]float64, error)) func(*core.Problem) {
		return func(p *core.Problem) { p.Score = scored{p.Score, change} }
	}
	for name, c := range map[string]struct {
		change func(int, float32, []float64) ([]float64, error)
		says   string
	}{
		"one too few": {
			func(_ int, _ float32, s []float64) ([]float64, error) { return s[1:], nil },
			"34 scores for 35 starts; there must be one for each",
		},
		"NaN": {
			func(step int, _ float32, s []float64) ([]float64, error) {
				if step == 3 {
					s[2] = math.NaN()
				}
				return s, nil
			},
			"at step 3: the score squared-distance: start 2: contract broken: a score of NaN; the measure",
		},
		"below the least": {
			func(_ int, _ float32, s []float64) ([]float64, error) { s[0] = -1; return s, nil },
			"a score of -1; the measure \"squared-distance\" takes finite numbers in 0 … +Inf",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := lorenzPlan(t, t.TempDir(), with(c.change), results.Shard{})
			_, err := benchmark.Run(t.Context(), p)
			require.ErrorIs(t, err, core.ErrContract)
			assert.ErrorContains(t, err, c.says)
			assert.ErrorContains(t, err, "the baseline persistence")
			assert.Zero(t, p.Entries[0].Method.(*method).fits.Load())
		})
	}

	task, err := lorenzTask(t, nil, nil)
	require.NoError(t, err)
	first := task.Test.At(0).Slice(0, 1).Floats()[0] // what persistence predicts for the first start
	out := t.TempDir()
	p := lorenzPlan(t, out, with(func(step int, x float32, s []float64) ([]float64, error) {
		if step == 2 && x == first {
			panic("no such place")
		}
		return s, nil
	}), results.Shard{})
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	for _, run := range got.Runs[:2] {
		assert.Equal(t, results.StatusCrashed, run.Status)
		assert.Contains(t, run.Reason, "at step 2: ")
		assert.Contains(t, run.Reason, "no such place")
	}
	for _, run := range got.Runs[2:] {
		assert.Equal(t, results.StatusOK, run.Status, run.Reason)
	}
	require.Len(t, got.Baselines, 1)
	assert.Equal(t, results.Mean, got.Baselines[0].Name)
	require.Len(t, got.Notes, 1)
	assert.Contains(t, got.Notes[0], "the baseline persistence is left out: ")
	assert.Contains(t, got.Notes[0], "no such place")
	_, err = results.OpenStore(out).Results()
	require.NoError(t, err)

	failing := lorenzPlan(t, t.TempDir(), func(p *core.Problem) { p.Score = unfit{p.Score} }, results.Shard{})
	_, err = benchmark.Run(t.Context(), failing)
	assert.ErrorContains(t, err, "the score squared-distance of the task lorenz: the ruler is lost")
}

// unfit is a score that cannot be fitted.
type unfit struct{ core.Score }

func (unfit) Fit(context.Context, *core.Training) (core.Scorer, error) {
	return nil, errors.New("the ruler is lost")
}

// TestATaskThatGivesOtherData: equal options must give equal bits. Data that do not share no table, and the sentence
// names the rule.
func TestATaskThatGivesOtherData(t *testing.T) {
	other := func(p *core.Problem) { p.Validation = core.OneTrajectory(p.Train.At(1).Slice(0, 60)) }
	const rule = "the task lorenz breaks the rule that equal options give equal bits"
	out := t.TempDir()
	first, err := benchmark.Run(t.Context(), lorenzPlan(t, out, nil, results.Shard{}))
	require.NoError(t, err)
	p := lorenzPlan(t, out, other, results.Shard{})
	again, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Contains(t, strings.Join(again.Notes, "\n"), rule, "the runs are made again")
	p.Entries = p.Entries[:1]
	p.Task, err = lorenzTask(t, nil, nil)
	require.NoError(t, err)
	_, err = benchmark.Run(t.Context(), p)
	require.ErrorIs(t, err, results.ErrNotComparable, "others would stay")
	assert.ErrorContains(t, err, rule)

	shards := t.TempDir()
	_, err = benchmark.Run(t.Context(), lorenzPlan(t, shards, nil, results.Shard{Index: 1, Count: 2}))
	require.NoError(t, err)
	_, err = benchmark.Run(t.Context(), lorenzPlan(t, shards, other, results.Shard{Index: 2, Count: 2}))
	require.ErrorIs(t, err, results.ErrNotComparable)
	assert.ErrorContains(t, err, rule)

	changed := *first
	changed.Task.DataSHA256, changed.Task.Options = "other", map[string]any{"data_seed": 43, "steps": 5}
	differences := results.Differences(&changed, first)
	require.NotEmpty(t, differences)
	assert.NotContains(t, differences[0].Text, rule, "other options may give other data")
}

// named is a score with another name, of which every score is v, if that is not 0.
type named struct {
	core.Score
	name string
	v    float64
}

func (n named) Measure() core.Measure {
	m := n.Score.Measure()
	m.Name = n.name
	return m
}

func (n named) Fit(ctx context.Context, t *core.Training) (core.Scorer, error) {
	scorer, err := n.Score.Fit(ctx, t)
	if n.v != 0 {
		scorer = always(n.v)
	}
	return scorer, err
}

type always float64

func (a always) Score(_ context.Context, _ int, x core.Snapshots) ([]float64, error) {
	return slices.Repeat([]float64{float64(a)}, x.Len()), nil
}

// TestScoresWhoseMeanIsInfinite: each is within its bounds. It costs the evaluation, and is told.
func TestScoresWhoseMeanIsInfinite(t *testing.T) {
	dir := t.TempDir()
	p := lorenzPlan(t, dir, func(p *core.Problem) { p.Score = named{p.Score, "large", 1e308} }, results.Shard{})
	r, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Empty(t, r.Baselines)
	for _, run := range r.Runs {
		assert.Equal(t, results.StatusInvalid, run.Status)
		assert.Contains(t, run.Reason, "at step 1: the scores together: contract broken: a score of +Inf")
	}
	_, err = results.OpenStore(dir).Results()
	require.NoError(t, err)
}

// waiting is a score that judges nothing before its context ends.
type waiting struct{ core.Score }

func (w waiting) Fit(ctx context.Context, t *core.Training) (core.Scorer, error) {
	scorer, err := w.Score.Fit(ctx, t)
	return waits{scorer}, err
}

type waits struct{ core.Scorer }

func (waits) Score(ctx context.Context, _ int, _ core.Snapshots) ([]float64, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestTimeoutBoundsBaselines: they take as long as a run at most.
func TestTimeoutBoundsBaselines(t *testing.T) {
	p := lorenzPlan(t, t.TempDir(), func(p *core.Problem) { p.Score = waiting{p.Score} }, results.Shard{})
	p.Timeout = 50 * time.Millisecond
	_, err := benchmark.Run(t.Context(), p)
	require.ErrorContains(t, err, "it took more than 50ms; give more with --timeout")
}
