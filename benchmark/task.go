package benchmark

import (
	"fmt"

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

// NewTask returns the problem that the task of that description gave with these options. The error
// is [core.ErrContract] if it breaks a rule of [core.Problem].
func NewTask(d core.Description, options core.Options, p *core.Problem) (*Task, error) {
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
	}
	t.Info.DataSHA256 = results.HashData(p)
	if p.States != nil {
		t.Info.ExpectedSHA256 = results.HashStates(p.States.Expected...)
	}
	if err := t.Info.Check(); err != nil { // results that nobody can read are found before anything is fitted
		return nil, fmt.Errorf("the task %s: %w: %w", d.Name, core.ErrContract, err)
	}
	return t, nil
}

// startsOf are the test snapshots with these indices, sharing memory if they are one whole trajectory.
func startsOf(p *core.Problem, at []int) (core.Snapshots, error) {
	if p.Starts == nil && p.Test.Count() == 1 {
		return p.Test.At(0), nil
	}
	values := make([]float32, len(at)*p.Test.At(0).Size())
	p.Test.Gather(values, at)
	return core.NewSnapshots(values, p.Test.Shape()...)
}

// expected are the true states after a step, counted from 1; step 0 is that of the starts.
func (t *Task) expected(step int) []int {
	if step == 0 {
		return t.startStates
	}
	return t.States.Expected[step-1]
}

func newTaskArrays(t *Task) *results.TaskArrays {
	n := min(results.SampleSize(t.Info), t.Train.At(0).Len())
	a := &results.TaskArrays{
		Sample: t.Train.At(0).Slice(0, n), Starts: t.starts.Slice(0, min(results.RolloutSnapshots, t.starts.Len())),
	}
	if t.States != nil {
		a.SampleStates, a.TestStates = t.States.Train[:n], t.States.Test
	}
	return a
}
