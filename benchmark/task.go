package benchmark

import (
	"context"
	"fmt"
	"sort"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// Task is an opened [core.Task], as the harness runs it. It is immutable.
type Task struct {
	Info results.TaskInfo
	*core.Problem

	starts      core.Snapshots // from which roll-outs begin
	startStates []int          // theirs, nil if they are not known
}

// NewTask returns the problem that the described task gave with these options. It reads all data,
// to hash them. The error is [core.ErrContract] if the problem breaks a rule of [core.Problem], or
// that of ctx.
func NewTask(ctx context.Context, d core.Description, options core.Options, p *core.Problem) (*Task, error) {
	p, err := core.GuardProblem(p)
	if err != nil {
		return nil, fmt.Errorf("the task %s: %w", d.Name, err)
	}
	t := &Task{Problem: p}
	at := p.Starts
	if at == nil {
		at = firstRows(p.Test.Len())
	}
	if t.starts, err = startsOf(p, at); err != nil {
		return nil, err
	}
	values := options.Map()
	delete(values, core.DataOption)
	t.Info = results.TaskInfo{
		Name: d.Name, Options: values, Source: p.Source, Shape: p.Train.Shape(),
		Train: p.Train.Len(), Validation: p.Validation.Len(), Test: p.Test.Len(), Starts: len(at),
		Lag: p.Lag, Steps: p.Steps, Rank: p.Rank, Picture: string(p.Picture), Measure: results.NewMeasureInfo(p.Measure()),
		Interval: p.Clock.Interval, TimeUnit: p.Clock.Unit, ValidUpTo: p.ValidUpTo,
	}
	if s := p.States; s != nil {
		t.Info.States, t.Info.StateWord = s.Count, s.Word
		for _, i := range at {
			t.startStates = append(t.startStates, s.Test[i])
		}
	}
	if p.Truth != nil {
		for _, v := range p.Truth.Eigenvalues {
			t.Info.Eigenvalues = append(t.Info.Eigenvalues, results.Complex(v))
		}
		t.Info.Leading = p.Truth.Leading
		if len(p.Truth.Eigenfunctions) > 0 {
			t.Info.TruthSHA256 = results.HashFunctions(p.Truth.Eigenfunctions)
		}
	}
	if t.Info.DataSHA256, err = results.HashData(ctx, p); err != nil {
		return nil, err
	}
	if p.States != nil {
		t.Info.ExpectedSHA256 = results.HashStates(p.States.Expected...)
	}
	if err := t.Info.Check(); err != nil { // results that nobody can read are found before anything is fitted
		return nil, fmt.Errorf("the task %s: %w: %w", d.Name, core.ErrContract, err)
	}
	return t, nil
}

// leastRank is the rank that an operator must have to say something of the process: one that tells its states apart,
// or, without states, more than constants.
func (t *Task) leastRank() int {
	if t.States != nil {
		return t.States.Count
	}
	return min(2, t.Rank)
}

// startsOf are the test snapshots with these indices, sharing memory if they are one whole trajectory.
func startsOf(p *core.Problem, at []int) (core.Snapshots, error) {
	if p.Starts == nil && p.Test.Count() == 1 {
		return p.Test.At(0), nil
	}
	return gather(p.Test, at)
}

// expected are the true states after a step, counted from 1; step 0 is that of the starts.
func (t *Task) expected(step int) []int {
	if step == 0 {
		return t.startStates
	}
	return t.States.Expected[step-1]
}

// newTaskArrays is what figures need of the task.
func newTaskArrays(t *Task) (*results.TaskArrays, error) {
	n := min(results.SampleSize(t.Info), t.Train.Len())
	if t.States != nil {
		n = min(n, t.Train.At(0).Len()) // states follow one another
	}
	kept := min(results.RolloutSnapshots, t.starts.Len())
	a := &results.TaskArrays{Starts: t.starts.Slice(0, kept)}
	var err error
	if a.Sample, err = gather(t.Train, firstRows(n)); err != nil {
		return nil, err
	}
	if t.States != nil {
		a.SampleStates, a.TestStates = t.States.Train[:n], t.States.Test
	}
	if a.Futures, err = t.futures(kept); err != nil {
		return nil, err
	}
	if seen := results.EigenfunctionSnapshots(t.Info); t.Info.OnLine() {
		if a.Test, err = gather(t.Test, firstRows(seen)); err != nil {
			return nil, err
		}
		if t.Truth != nil && t.Truth.Density != nil {
			a.TrueDensity = t.Truth.Density[:seen]
		}
		if t.Truth != nil && len(t.Truth.Eigenfunctions) > 0 {
			a.TrueEigenfunctions = mat.NewCDense(seen, len(t.Truth.Eigenfunctions), nil)
			for j, f := range t.Truth.Eigenfunctions {
				for i := range seen {
					a.TrueEigenfunctions.Set(i, j, f[i])
				}
			}
		}
	}
	return a, nil
}

// futures are the test snapshots that follow the first starts, at each step; nil if a trajectory ends before.
func (t *Task) futures(kept int) (results.Rollout, error) {
	at := firstRows(kept)
	if t.Starts != nil {
		at = t.Starts[:kept]
	}
	whole := t.Test.PairStarts(t.Lag * t.Steps) // from which all steps lie in one trajectory
	for _, i := range at {
		k := sort.Search(whole.Len(), func(k int) bool { return whole.At(k) >= i })
		if k == whole.Len() || whole.At(k) != i {
			return nil, nil
		}
	}
	var all results.Rollout
	for step := 1; step <= t.Steps; step++ {
		later := make([]int, kept)
		for k, i := range at {
			later[k] = i + step*t.Lag
		}
		x, err := gather(t.Test, later)
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, nil
}

// gather copies the snapshots at these places, of one sequence or of several trajectories.
func gather(x interface {
	Size() int
	Shape() []int
	Gather(dst []float32, at []int)
}, at []int) (core.Snapshots, error) {
	values := make([]float32, len(at)*x.Size())
	x.Gather(values, at)
	return core.NewSnapshots(values, x.Shape()...)
}
