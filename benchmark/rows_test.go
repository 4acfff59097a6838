package benchmark_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

type predictor = func(context.Context, core.Snapshots) (core.Snapshots, error)

func stateAt(x core.Snapshots, i int) int { return state(x.Slice(i, i+1).Floats()[0]) }

// shown returns snapshots of these states.
func shown(x core.Snapshots, states []int) (core.Snapshots, error) {
	var values []float32
	for _, s := range states {
		values = append(values, image(s)...)
	}
	return core.NewSnapshots(values, x.Shape()...)
}

// vote lets all rows of a call vote on the phase, as if they came in the order of time, and answers
// by the place of each row. A third of the rows are misread, as an honest method would misread
// them.
func vote(x core.Snapshots) []int {
	votes := make([]int, states)
	for i := range x.Len() {
		seen := stateAt(x, i)
		if i%3 == 0 {
			seen = (seen + 1) % states
		}
		votes[((seen-i)%states+states)%states]++
	}
	phase := slices.Index(votes, slices.Max(votes))
	next := make([]int, x.Len())
	for i := range next {
		next[i] = (phase + 1 + i) % states
	}
	return next
}

func voting(_ context.Context, x core.Snapshots) (core.Snapshots, error) { return shown(x, vote(x)) }

// honest predicts from a row alone.
func honest(x core.Snapshots, wrong int) []int {
	next := make([]int, x.Len())
	for i := range next {
		next[i] = (stateAt(x, i) + 1) % states
		if sum := sha256.Sum256(fmt.Append(nil, x.Slice(i, i+1).Floats())); int(sum[0])%3 < wrong {
			next[i] = (next[i] + 1) % states
		}
	}
	return next
}

// TestCheatsAreInvalid: what is predicted for a row must depend on that row alone. Each of these
// methods is right at every step, or about as good as it can be, if the rows of a call come in the
// order of time and no row is predicted twice.
func TestCheatsAreInvalid(t *testing.T) {
	var steps, calls int
	source := rand.New(rand.NewPCG(1, 2))
	for name, predict := range map[string]predictor{
		"all rows vote on the phase": voting,
		"the size of the call tells the test": func(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
			if x.Len() == 15 {
				return voting(ctx, x)
			}
			return shown(x, honest(x, 1))
		},
		"the sum of the call is subtracted": func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
			values := slices.Clone(x.Floats())
			var sum float32
			for _, v := range values {
				sum += v + 1
			}
			for i := range values {
				values[i] -= sum / 1000
			}
			return core.NewSnapshots(values, x.Shape()...)
		},
		"steps are counted": func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
			steps++
			next := honest(x, 0)
			for i := range next {
				next[i] = (next[i] + steps) % states
			}
			return shown(x, next)
		},
		"chance decides": func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
			next := honest(x, 0)
			for i := range next {
				next[i] = source.IntN(states)
			}
			return shown(x, next)
		},
		"noise is added": func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
			values := slices.Clone(x.Floats())
			for i := range values {
				values[i] += 0.01 * source.Float32()
			}
			return core.NewSnapshots(values, x.Shape()...)
		},
		"the last call is carried on": func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
			calls++
			values := slices.Clone(x.Floats())
			for i := range values {
				values[i] += float32(calls) / 50
			}
			return core.NewSnapshots(values, x.Shape()...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(t, t.TempDir(), &oracle{}, &method{name: "cheat", predict: predict}, perfect())
			got, err := benchmark.Run(t.Context(), p)
			require.NoError(t, err)
			for _, run := range got.Runs[:2] {
				assert.Equal(t, results.StatusInvalid, run.Status)
				assert.Contains(t, run.Reason, "row-independence: test snapshot ")
				assert.Empty(t, run.Ranked.Score)
			}
			assert.Equal(t, results.StatusOK, got.Runs[2].Status)
		})
	}
}

// A method that remembers what it answered for each row gives the same answer for the same row
// again, and is not caught. It gains nothing: the places of the rows say nothing of the time.
func TestPlacesSayNothing(t *testing.T) {
	answers := map[string]int{}
	remember := func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
		next := vote(x)
		for i := range next {
			row, err := json.Marshal(x.Slice(i, i+1).Floats())
			if err != nil {
				return x, err
			}
			if known, ok := answers[string(row)]; ok {
				next[i] = known
			}
			answers[string(row)] = next[i]
		}
		return shown(x, next)
	}
	p := plan(t, t.TempDir(), &oracle{}, &method{name: "remembers", predict: remember})
	p.Task = noisy(t, problemOf(t, 1, 300, 1)) // test snapshots enough for chance to be small
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	for _, run := range got.Runs {
		require.Equal(t, results.StatusOK, run.Status, run.Reason)
		assert.InDelta(t, 1.0/states, run.Ranked.Score[0], 0.2, "voting in the order of time would be right always")
	}
}

// placing is an oracle that calls snapshots right by their places: a method and an oracle from one
// author could conspire so.
type placing struct{ *oracle }

func (o placing) Fit(context.Context, *core.Training) (core.Judge, error) { return placingJudge{}, nil }

type placingJudge struct{}

func (placingJudge) Classify(ctx context.Context, x core.Snapshots) ([]int, error) {
	if x.Floats()[0] != 9 { // not of the conspirator
		return judge{}.Classify(ctx, x)
	}
	labels := make([]int, x.Len())
	for i := range labels {
		labels[i] = (i + 1) % states
	}
	return labels, nil
}

// TestJudgesThatGoByPlace: a judge must label each snapshot by itself, as a method must predict it.
func TestJudgesThatGoByPlace(t *testing.T) {
	constant := func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
		return core.NewSnapshots(slices.Repeat([]float32{9}, 4*x.Len()), x.Shape()...)
	}
	p := plan(t, t.TempDir(), &oracle{}, &method{name: "constant", predict: constant}, perfect())
	p.Oracle.Oracle = placing{&oracle{}}
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	for _, run := range got.Runs[:2] {
		assert.Equal(t, results.StatusInvalid, run.Status)
		assert.Contains(t, run.Reason, "the oracle: contract broken: row-independence: ")
	}
	assert.Equal(t, results.StatusOK, got.Runs[2].Status, got.Runs[2].Reason)
}

// TestOrdersAreSecret: two commands with the same seed and data draw other orders.
func TestOrdersAreSecret(t *testing.T) {
	orders := map[string]bool{}
	for range 4 {
		var given, eigen []core.Snapshots
		p := plan(t, t.TempDir(), &oracle{}, perfect())
		p.Task, p.Seeds = noisyTask(t, 2), p.Seeds[:1]
		p.Entries[0].Method = watching{&method{name: "perfect", predict: still}, &given, &eigen}
		_, err := benchmark.Run(t.Context(), p)
		require.NoError(t, err)
		for _, x := range append(given, eigen...) {
			if x.Len() == 15 {
				orders[fmt.Sprint(x.Floats())] = true
			}
		}
	}
	assert.Len(t, orders, 4*3)
}

// noisyTask is the tests' process with snapshots that are all different.
func noisyTask(t *testing.T, steps int) *benchmark.Task { return noisy(t, problem(t, steps)) }

func noisy(t *testing.T, p *core.Problem) *benchmark.Task {
	noise := rand.New(rand.NewPCG(3, 4))
	for _, x := range []*core.Trajectories{&p.Train, &p.Validation, &p.Test} {
		values := slices.Clone(x.At(0).Floats())
		for i := range values {
			values[i] += 0.1 * (noise.Float32() - 0.5)
		}
		y, err := core.NewSnapshots(values, 2, 2)
		require.NoError(t, err)
		*x = core.OneTrajectory(y)
	}
	return taskOf(t, p)
}

// Rows that differ in their last bits, as those of libraries do in batches of another size, are no
// reason to refuse a run.
func TestRoundingIsNoCheat(t *testing.T) {
	rounding := &method{name: "rounds", predict: func(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
		next, err := moved(1)(ctx, x)
		if err != nil {
			return next, err
		}
		values := slices.Clone(next.Floats())
		for i := range values {
			values[i] *= 1 + 0x1p-20*float32(x.Len()%7)
		}
		return core.NewSnapshots(values, x.Shape()...)
	}}
	got, err := benchmark.Run(t.Context(), plan(t, t.TempDir(), &oracle{}, rounding))
	require.NoError(t, err)
	for _, run := range got.Runs {
		require.Equal(t, results.StatusOK, run.Status, run.Reason)
		assert.Equal(t, []float64{1, 1, 1, 1}, run.Ranked.Score)
	}
}

// watching keeps what a model is given, and has eigenfunctions that tell the rows apart.
type watching struct {
	*method
	given, eigen *[]core.Snapshots
}

func (w watching) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	m, err := w.method.Fit(ctx, t)
	return watched{m.(model), w}, err
}

type watched struct {
	model
	w watching
}

func (m watched) Predict(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
	*m.w.given = append(*m.w.given, x)
	return m.model.Predict(ctx, x)
}

func (m watched) LeftEigenfunctions(_ context.Context, x core.Snapshots) (*mat.CDense, error) {
	*m.w.eigen = append(*m.w.eigen, x)
	left := mat.NewCDense(x.Len(), 2, nil)
	for i := range x.Len() {
		left.Set(i, 1, complex(float64(x.Slice(i, i+1).Floats()[0]), 0))
	}
	return left, nil
}

// still predicts that nothing moves, so that rows stay apart.
func still(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
	return core.NewSnapshots(slices.Clone(x.Floats()), x.Shape()...)
}

// TestOrderOfRows: a model is given all test snapshots at every step, in an order that changes, and
// for its eigenfunctions too; what is kept is in the order of time.
func TestOrderOfRows(t *testing.T) {
	var given, eigen []core.Snapshots
	dir := t.TempDir()
	p := plan(t, dir, &oracle{}, perfect())
	p.Task, p.Seeds = noisyTask(t, 4), p.Seeds[:1]
	p.Entries[0].Method = watching{&method{name: "perfect", predict: still}, &given, &eigen}
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, results.StatusOK, got.Runs[0].Status, got.Runs[0].Reason)

	inTime := p.Task.Test.At(0).Floats()
	var whole, single, some int
	seen := map[string]bool{}
	for _, x := range append(given, eigen...) {
		switch x.Len() {
		case 15:
			whole++
			assert.NotEqual(t, inTime, x.Floats())
			assert.ElementsMatch(t, inTime, x.Floats())
			text := fmt.Sprint(x.Floats())
			assert.False(t, seen[text], "an order twice")
			seen[text] = true
		case 1:
			single++
		default:
			some++
		}
	}
	assert.Equal(t, []int{5, 4, 1}, []int{whole, single, some})
	require.Len(t, eigen, 1)

	arrays, err := results.OpenStore(dir).RunArrays(got.Runs[0].Key)
	require.NoError(t, err)
	assert.Equal(t, inTime[:40], arrays.Rollouts[results.ProtocolReencode][3].Floats())
	for i := range 15 {
		assert.Equal(t, complex(float64(inTime[4*i]), 0), arrays.LeftEigenfunctions.At(i, 1))
	}
}

// TestAboveTheCeiling: a method that knows the test snapshots, as one can that reads them from a
// file, answers better than the oracle sees the true ones. Nothing tells it from an honest one but
// that, and a warning says so.
func TestAboveTheCeiling(t *testing.T) {
	p := plan(t, t.TempDir(), &oracle{}, perfect(), &method{name: "knowing"})
	of := *noisyTask(t, 4).Problem
	values := slices.Clone(of.Test.At(0).Floats())
	known := map[float32]int{} // the state of each test snapshot by its first pixel
	for i, label := range of.States.Test {
		if i%3 == 0 { // it shows another state than it is in
			copy(values[4*i:4*i+4], image((label+1)%states))
			values[4*i] += float32(i+1) / 1000
		}
		known[values[4*i]] = label
	}
	x, err := core.NewSnapshots(values, 2, 2)
	require.NoError(t, err)
	of.Test = core.OneTrajectory(x)
	p.Task = taskOf(t, &of)
	knowing := func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
		next := make([]int, x.Len())
		for i := range next {
			label, ok := known[x.Slice(i, i+1).Floats()[0]]
			if !ok {
				label = stateAt(x, i)
			}
			next[i] = (label + 1) % states
		}
		return shown(x, next)
	}
	p.Entries[1].Method = &method{name: "knowing", predict: knowing}
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.InDelta(t, 10/15.0, got.Oracle.TestAccuracy, 1e-12)
	for _, run := range got.Runs {
		require.Equal(t, results.StatusOK, run.Status, run.Reason)
		if run.Method == "perfect" {
			assert.InDelta(t, 10/15.0, run.Ranked.Score[0], 1e-12)
		} else {
			assert.Equal(t, []float64{1, 1, 1, 1}, run.Ranked.Score)
		}
	}
	require.Len(t, got.Warnings, 1)
	assert.Contains(t, got.Warnings[0],
		"knowing: the oracle is right about 1.000 of its predictions and about 0.667 of the "+
			"true test snapshots, which chance does not explain (p = 0.0")
	read, err := results.OpenStore(p.Out).Results()
	require.NoError(t, err)
	assert.Equal(t, got.Warnings, read.Warnings)
}
