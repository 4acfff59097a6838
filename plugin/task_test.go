//go:build unix

package plugin_test

import (
	"context"
	"math"
	"math/cmplx"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

// faultyTask turns points in the plane, without a fault but for those that are due. Its score
// learns from all that a fit may see.
type faultyTask struct{}

var _ core.Task = faultyTask{}

func (faultyTask) Describe() core.Description {
	d := described("task")
	d.Options = []core.Option{
		core.IntOption("seed", 1, 0, 9, "where it begins"), core.BoolOption("score", true, "whether it has a score"),
		core.BoolOption("plain", false, "whether it tells only what it must"),
	}
	return d
}

func (faultyTask) Open(_ context.Context, o core.Options) (*core.Problem, error) {
	what, err := act("open")
	if err != nil || what == "nil" {
		return nil, err
	}
	angle := float64(o.Int("seed"))
	if what == "other" {
		angle++
	}
	turn := func(n int) (x core.Snapshots, states []int) {
		values := make([]float32, 0, 2*n)
		for range n {
			values = append(values, float32(math.Cos(angle)), float32(math.Sin(angle)))
			states = append(states, len(states)%3)
			angle += 0.3
		}
		x, err = core.NewSnapshots(values, 2)
		return x, states
	}
	const starts, steps = 4, 2
	a, _ := turn(7)
	b, _ := turn(5)
	_, trainStates := turn(12)
	validation, validationStates := turn(6)
	test, testStates := turn(9)
	train, err := core.NewTrajectories(a, b)
	if err != nil {
		return nil, err
	}
	p := &core.Problem{
		Train: train, Validation: core.OneTrajectory(validation), Test: core.OneTrajectory(test), Lag: 2, Steps: steps,
		Rank: 3, Picture: core.CurvePicture,
		States: &core.States{
			Count: 3, Train: trainStates, Validation: validationStates, Test: testStates,
			Expected: [][]int{testStates, testStates},
		},
	}
	if !o.Bool("plain") {
		p.Starts, p.Source, p.States.Word = []int{0, 2, 3, 8}, "a circle", "third"
		p.States.Expected = [][]int{{1, 0, 2, 1}, {0, 2, 1, 0}}
		z := complex(math.Cos(0.6), math.Sin(0.6))
		p.Truth = &core.Truth{Eigenvalues: []complex128{z, cmplx.Conj(z)}}
	}
	if o.Bool("score") {
		p.Score = faultyScore{}
	}
	return p, spoil(p, what)
}

// spoil makes a problem break a rule.
func spoil(p *core.Problem, what string) error {
	wrong := func(values []float32, shape ...int) core.Trajectories {
		x, err := core.NewSnapshots(values, shape...)
		if err != nil {
			panic(err)
		}
		return core.OneTrajectory(x)
	}
	switch what {
	case "no test":
		p.Test = core.Trajectories{}
	case "shapes":
		p.Validation = wrong(make([]float32, 12), 1)
	case "nan":
		p.Train = wrong([]float32{1, 2, 3, float32(math.NaN()), 5, 6, 7, 8}, 2)
	case "steps":
		p.Steps = core.MaxSteps + 1
	case "states":
		p.States.Expected = p.States.Expected[:1]
	case "picture":
		p.Picture = "video"
	case "measure":
		p.Score = faultyScore{core.Measure{Name: "No Name"}}
	case "large":
		x, err := core.NewPixelSnapshots(make([]uint8, 1<<30+2), 2) // memory that is never touched
		p.Test, p.Starts, p.States = core.OneTrajectory(x), nil, nil
		return err
	}
	return nil
}

// faultyScore is the distance to a point that is drawn at random, in units that depend on all that
// a fit may see.
type faultyScore struct{ measure core.Measure }

func (s faultyScore) Measure() core.Measure {
	if s.measure.Name != "" {
		return s.measure
	}
	return core.Measure{
		Name: "distance", Summary: "distance to a point", Unit: "m", LowerIsBetter: true, Least: 0, Most: math.Inf(1),
		Chance: math.NaN(),
	}
}

type faultyScorer struct{ x, y, unit float64 }

func (faultyScore) Fit(_ context.Context, t *core.Training) (core.Scorer, error) {
	what, err := act("fit score")
	if err != nil || what == "nil" {
		return nil, err
	}
	t.Progress.Phase("learning", 1)
	t.Progress.Advance(1)
	random := t.Stream("point")
	s := faultyScorer{random.Float64(), random.Float64(), float64(t.Lag + 10*t.States)}
	for _, labels := range [][]int{t.TrainLabels, t.ValidationLabels} {
		for i, l := range labels {
			s.unit += float64(i * l)
		}
	}
	s.unit += float64(t.Train.Len() + 100*t.Validation.Len())
	return s, nil
}

func (s faultyScorer) Score(_ context.Context, step int, predicted core.Snapshots) ([]float64, error) {
	what, err := act("score")
	if err != nil {
		return nil, err
	}
	values := predicted.Floats()
	scores := make([]float64, predicted.Len())
	for i := range scores {
		scores[i] = s.unit * float64(step) * math.Hypot(float64(values[2*i])-s.x, float64(values[2*i+1])-s.y)
	}
	switch what {
	case "nan":
		scores[2] = math.NaN()
	case "bounds":
		scores[2] = -1
	case "few":
		scores = scores[:2]
	}
	return scores, nil
}

func openTask(ctx context.Context, t testing.TB, thing any, options map[string]any) (*core.Problem, error) {
	task := thing.(core.Task)
	o, err := task.Describe().Resolve(options)
	require.NoError(t, err)
	return task.Open(ctx, o)
}

func fitScore(ctx context.Context, p *core.Problem) (core.Scorer, error) {
	return p.Score.Fit(ctx, &core.Training{
		Train: p.Train, Validation: p.Validation, TrainLabels: p.States.Train,
		ValidationLabels: p.States.Validation, Lag: p.Lag, States: p.States.Count, Seed: 7, Name: "judge",
		Progress: core.NoProgress,
	})
}

func predictions(t testing.TB, n int) core.Snapshots {
	values := make([]float32, 2*n)
	for i := range values {
		values[i] = float32(i) / 3
	}
	x, err := core.NewSnapshots(values, 2)
	require.NoError(t, err)
	return x
}

func useTask(ctx context.Context, t testing.TB, things []any) error {
	p, err := openTask(ctx, t, things[5], nil)
	if err != nil {
		return err
	}
	scorer, err := fitScore(ctx, p)
	if err != nil {
		return err
	}
	_, err = scorer.Score(ctx, 2, predictions(t, p.StartCount()))
	return err
}

// taskFaults are those of a task.
func taskFaults() []fault {
	crash := func(says ...string) []string { return append(says, "far ended (", "signal: killed", "last words") }
	contract := func(says ...string) []string { return append(says, "plugin far: ", "contract broken") }
	return []fault{
		{"open=kill", useTask, core.ErrCrashed, crash()},
		{"open=panic", useTask, core.ErrPanic, []string{"plugin far: ", "the sky is falling", "misbehave_test.go"}},
		{"open=error", useTask, errAny, []string{"the weather is bad"}},
		{"open=nil", useTask, core.ErrContract, contract("neither a problem nor an error")},
		{"open=no test", useTask, core.ErrContract, contract("the task has no test data")},
		{"open=shapes", useTask, core.ErrContract, contract("shape [2] and validation snapshots [1]")},
		{"open=nan", useTask, core.ErrContract, contract("training data: ", "value 1 of snapshot 1 is NaN")},
		{"open=steps", useTask, core.ErrContract, contract("1001 steps of roll-out; there are 1 to 1000")},
		{"open=states", useTask, core.ErrContract, contract("the states expected at 1 steps; a roll-out has 2")},
		{"open=picture", useTask, core.ErrContract, contract(`the picture "video"`)},
		{"open=measure", useTask, core.ErrContract, contract(`the name "No Name" of a measure`)},
		{"fit score=kill", useTask, core.ErrCrashed, crash()},
		{"fit score=panic", useTask, core.ErrPanic, []string{"plugin far: ", "the sky is falling", "misbehave_test.go"}},
		{"fit score=nil", useTask, core.ErrContract, contract("neither a scorer nor an error")},
		{"score=kill", useTask, core.ErrCrashed, crash()},
		{"score=panic", useTask, core.ErrPanic, []string{"plugin far: ", "the sky is falling", "misbehave_test.go"}},
		{"score=error", useTask, errAny, []string{"the weather is bad"}},
		{"score=few", useTask, core.ErrContract, contract("2 scores for 4 starts")},
		{"score=nan", useTask, core.ErrContract,
			contract(`start 2: `, `a score of NaN; the measure "distance" takes finite`)},
		{"score=bounds", useTask, core.ErrContract, contract(`start 2: `, "a score of -1; ")},
	}
}

// TestTasksThreeWays: in this program, through memory, and in another process, a task gives the
// same bits.
func TestTasksThreeWays(t *testing.T) {
	leavesNothing(t)
	loop, err := plugin.Loopback(faultyTask{})
	require.NoError(t, err)
	defer func() { assert.NoError(t, loop.Close()) }()
	t.Setenv(actVariable, "none")
	p := openPlugin(t, testPlugin(t))
	require.Equal(t, faultyTask{}.Describe(), loop.Things[0].(core.Task).Describe())
	for _, options := range []map[string]any{nil, {"seed": 3, "plain": true}, {"score": false}} {
		want, err := openTask(t.Context(), t, faultyTask{}, options)
		require.NoError(t, err)
		for _, thing := range []any{loop.Things[0], p.Things[5]} {
			got, err := openTask(t.Context(), t, thing, options)
			require.NoError(t, err)
			equalProblems(t, want, got)
			if want.Score == nil {
				continue
			}
			near, err := fitScore(t.Context(), want)
			require.NoError(t, err)
			far, err := fitScore(t.Context(), got)
			require.NoError(t, err)
			for step := range want.Steps {
				x := predictions(t, want.StartCount())
				scores, err := near.Score(t.Context(), step+1, x)
				require.NoError(t, err)
				remote, err := far.Score(t.Context(), step+1, x)
				require.NoError(t, err)
				assert.Equal(t, scores, remote)
			}
		}
	}
}

func equalProblems(t *testing.T, want, got *core.Problem) {
	t.Helper()
	if want.Score != nil {
		m, n := want.Score.Measure(), got.Score.Measure()
		assert.True(t, math.IsNaN(m.Chance) && math.IsNaN(n.Chance))
		m.Chance, n.Chance = 0, 0
		assert.Equal(t, m, n)
	}
	for _, part := range [][2]core.Trajectories{
		{want.Train, got.Train}, {want.Validation, got.Validation}, {want.Test, got.Test},
	} {
		assert.Equal(t, part[0].Lengths(), part[1].Lengths())
		assert.Equal(t, part[0].Snapshots(), part[1].Snapshots())
	}
	w, g := *want, *got
	for _, p := range []*core.Problem{&w, &g} {
		p.Train, p.Validation, p.Test, p.Score = core.Trajectories{}, core.Trajectories{}, core.Trajectories{}, nil
	}
	assert.Equal(t, w, g)
}

// TestCallersOfScorers are told what they did wrong, and the plugin is not asked.
func TestCallersOfScorers(t *testing.T) {
	loop, err := plugin.Loopback(faultyTask{})
	require.NoError(t, err)
	p, err := openTask(t.Context(), t, loop.Things[0], nil)
	require.NoError(t, err)
	scorer, err := fitScore(t.Context(), p)
	require.NoError(t, err)
	require.NoError(t, loop.Close())
	other, err := core.NewSnapshots(make([]float32, 4), 1)
	require.NoError(t, err)
	for says, call := range map[string]struct {
		step      int
		predicted core.Snapshots
		is        error
	}{
		"step 0 of a roll-out of 2 steps":       {0, predictions(t, 4), core.ErrOption},
		"step 3 of a roll-out of 2 steps":       {3, predictions(t, 4), core.ErrOption},
		"3 predicted snapshots for 4 starts":    {1, predictions(t, 3), core.ErrShape},
		"have the shape [1] and those of the t": {1, other, core.ErrShape},
	} {
		_, err := scorer.Score(t.Context(), call.step, call.predicted)
		assert.ErrorIs(t, err, call.is)
		assert.ErrorContains(t, err, says)
	}
}

// TestScorerComesBack: a crash is an error of that call; the next is answered by another process,
// to the same bits. If the task gives other data there, it says so.
func TestScorerComesBack(t *testing.T) {
	leavesNothing(t)
	for _, scoped := range []bool{false, true} {
		for _, where := range []string{"score", "fit score"} {
			t.Setenv(actVariable, where+"=kill")
			t.Setenv(onceVariable, filepath.Join(t.TempDir(), "once"))
			require.NoError(t, os.WriteFile(os.Getenv(onceVariable), nil, 0o600)) // not yet
			p := openPlugin(t, testPlugin(t))
			ctx, x := t.Context(), predictions(t, 4)
			problem, err := openTask(ctx, t, p.Things[5], nil)
			require.NoError(t, err)
			scorer, err := fitScore(ctx, problem)
			require.NoError(t, err)
			want, err := scorer.Score(ctx, 1, x)
			require.NoError(t, err)
			require.NoError(t, os.Remove(os.Getenv(onceVariable)))

			call := ctx
			if scoped { // a run, whose process is not that of the scorer
				var scope *core.Scope
				call, scope = core.WithScope(ctx)
				defer func() { assert.NoError(t, scope.Close()) }()
			}
			if where == "score" {
				_, err = scorer.Score(call, 1, x)
			} else {
				_, err = fitScore(call, problem)
			}
			require.ErrorIs(t, err, core.ErrCrashed)
			assert.ErrorContains(t, err, "last words")
			if where == "fit score" { // what was there before is gone, which shows in the next call
				_, err = scorer.Score(call, 1, x)
				require.NoError(t, err, "the process had ended before the call")
			}
			scores, err := scorer.Score(call, 1, x)
			require.NoError(t, err)
			assert.Equal(t, want, scores)
			again, err := fitScore(call, problem)
			require.NoError(t, err)
			scores, err = again.Score(call, 1, x)
			require.NoError(t, err)
			assert.Equal(t, want, scores)

			t.Setenv(actVariable, "score=kill")
			require.NoError(t, p.Close())
		}
	}

	t.Setenv(onceVariable, "")
	t.Setenv(actVariable, "score=kill")
	p := openPlugin(t, testPlugin(t))
	problem, err := openTask(t.Context(), t, p.Things[5], nil)
	require.NoError(t, err)
	scorer, err := fitScore(t.Context(), problem)
	require.NoError(t, err)
	_, err = scorer.Score(t.Context(), 1, predictions(t, 4))
	require.ErrorIs(t, err, core.ErrCrashed)
	t.Setenv(actVariable, "open=other")
	_, err = scorer.Score(t.Context(), 1, predictions(t, 4))
	require.ErrorIs(t, err, core.ErrContract)
	assert.ErrorContains(t, err, "plugin far: ")
	assert.ErrorContains(t, err, "gave other data; equal options must give equal bits")
}

// TestScorerOfAnEndedProcess: if the process has ended by the fault of another call, and there is a new one
// already, the scorer is made again in it, and no call is lost.
func TestScorerOfAnEndedProcess(t *testing.T) {
	leavesNothing(t)
	t.Setenv(actVariable, "predict=kill")
	t.Setenv(onceVariable, filepath.Join(t.TempDir(), "once"))
	p := openPlugin(t, testPlugin(t))
	problem, err := openTask(t.Context(), t, p.Things[5], nil)
	require.NoError(t, err)
	scorer, err := fitScore(t.Context(), problem)
	require.NoError(t, err)
	want, err := scorer.Score(t.Context(), 1, predictions(t, 4))
	require.NoError(t, err)
	require.ErrorIs(t, useMethod(t.Context(), t, p.Things), core.ErrCrashed)
	require.NoError(t, useMethod(t.Context(), t, p.Things))
	scores, err := scorer.Score(t.Context(), 1, predictions(t, 4))
	require.NoError(t, err)
	assert.Equal(t, want, scores)
}

// TestScorersAtOnce: calls to one scorer may come at a time, and all are answered after a crash.
func TestScorersAtOnce(t *testing.T) {
	leavesNothing(t)
	t.Setenv(actVariable, "score=kill")
	t.Setenv(onceVariable, filepath.Join(t.TempDir(), "once"))
	p := openPlugin(t, testPlugin(t))
	problem, err := openTask(t.Context(), t, p.Things[5], nil)
	require.NoError(t, err)
	scorer, err := fitScore(t.Context(), problem)
	require.NoError(t, err)
	_, err = scorer.Score(t.Context(), 1, predictions(t, 4))
	require.ErrorIs(t, err, core.ErrCrashed)
	var wait sync.WaitGroup
	for step := range 2 {
		for range 4 {
			wait.Go(func() {
				_, err := scorer.Score(t.Context(), step+1, predictions(t, 4))
				assert.NoError(t, err)
			})
		}
	}
	wait.Wait()
}

// TestLateScores: the scope in which a task was opened is over, and so is what judges.
func TestLateScores(t *testing.T) {
	leavesNothing(t)
	t.Setenv(actVariable, "none")
	p := openPlugin(t, testPlugin(t))
	ctx, scope := core.WithScope(t.Context())
	problem, err := openTask(ctx, t, p.Things[5], nil)
	require.NoError(t, err)
	scorer, err := fitScore(ctx, problem)
	require.NoError(t, err)
	require.NoError(t, scope.Close())
	_, err = scorer.Score(t.Context(), 1, predictions(t, 4))
	assert.ErrorIs(t, err, core.ErrScopeClosed)
	_, err = fitScore(t.Context(), problem)
	assert.ErrorIs(t, err, core.ErrScopeClosed)
}

// TestLargeTask: data that are too large for the wire are refused in words.
func TestLargeTask(t *testing.T) {
	t.Setenv(actVariable, "open=large")
	loop, err := plugin.Loopback(faultyTask{})
	require.NoError(t, err)
	defer func() { assert.NoError(t, loop.Close()) }()
	_, err = openTask(t.Context(), t, loop.Things[0], nil)
	require.ErrorIs(t, err, core.ErrShape)
	assert.ErrorContains(t, err, `the array "test" of shape [536870913 2] is larger than 1073741824 bytes`)
}

// forgetful is a task whose problem tells when it is no longer referred to in the plugin.
type forgetful struct {
	faultyTask
	forgotten chan struct{}
}

func (f forgetful) Open(ctx context.Context, o core.Options) (*core.Problem, error) {
	p, err := f.faultyTask.Open(ctx, o)
	runtime.AddCleanup(p, func(c chan struct{}) { c <- struct{}{} }, f.forgotten)
	return p, err
}

// TestProblemsAreReleased: the plugin forgets a problem that nothing refers to, and keeps none
// without a score.
func TestProblemsAreReleased(t *testing.T) {
	for _, options := range []map[string]any{nil, {"score": false}} {
		task := forgetful{forgotten: make(chan struct{}, 1)}
		loop, err := plugin.Loopback(task)
		require.NoError(t, err)
		p, err := openTask(t.Context(), t, loop.Things[0], options)
		require.NoError(t, err)
		collect := func() bool {
			for range 20 {
				runtime.GC()
				select {
				case <-task.forgotten:
					return true
				case <-time.After(10 * time.Millisecond):
				}
			}
			return false
		}
		if p.Score != nil {
			scorer, err := fitScore(t.Context(), p)
			require.NoError(t, err)
			p = nil
			assert.False(t, collect(), "the scorer may need it again")
			_, err = scorer.Score(t.Context(), 1, predictions(t, 4))
			require.NoError(t, err)
			scorer = nil
		}
		forgotten := collect()
		for deadline := time.Now().Add(time.Minute); !forgotten && time.Now().Before(deadline); {
			forgotten = collect()
		}
		assert.True(t, forgotten)
		runtime.KeepAlive(p)
		assert.NoError(t, loop.Close())
	}
}

// exposedTask declares an exposure.
type exposedTask struct{ faultyTask }

func (exposedTask) Describe() core.Description {
	d := described("task")
	d.Exposure = core.LabelExposed
	return d
}

func TestTasksHaveNoExposure(t *testing.T) {
	_, err := plugin.Loopback(exposedTask{})
	require.ErrorIs(t, err, core.ErrDescription)
	assert.ErrorContains(t, err, `the task "task" declares the exposure "labels"; a task has none`)
}
