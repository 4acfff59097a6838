package server

import (
	"fmt"
	"slices"

	"google.golang.org/grpc"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/describe"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

// Open implements [wire.PluginServer].
func (s *Server) Open(call grpc.BidiStreamingServer[wire.Frame, wire.Frame]) error {
	return answer(call, func(in *stream, first *wire.Frame) error {
		c := first.GetOpen()
		if c == nil {
			return fmt.Errorf("%w: %s begins the opening of a task; OpenCall must", core.ErrContract, transfer.Kind(first))
		}
		thing, err := s.thing(wire.Kind_TASK, c.GetName())
		if err != nil {
			return err
		}
		task := thing.(core.Task)
		options, err := describe.Options(task.Describe(), c.GetOptions())
		if err != nil {
			return err
		}
		var p *core.Problem
		err = in.compute(func() (err error) {
			p, err = task.Open(in.ctx, options)
			return err
		})
		if err != nil {
			return err
		}
		if p, err = core.GuardProblem(p); err != nil {
			return err
		}
		return s.sendProblem(in, p)
	})
}

// sendProblem sends a problem, which is valid, and keeps it if it has a score.
func (s *Server) sendProblem(in *stream, p *core.Problem) error {
	reply, arrays := opened(p)
	if err := transfer.CheckSize(arrays...); err != nil {
		return err
	}
	if p.Score != nil {
		reply.Handle = s.keep(&fitted{kind: wire.Kind_TASK, thing: p})
	}
	err := in.sendWhole(&wire.Frame{Content: &wire.Frame_Opened{Opened: reply}}, arrays...)
	if err != nil || in.ctx.Err() != nil { // no one knows the handle
		s.forget(reply.GetHandle())
	}
	return err
}

// opened returns a problem, which is valid, as it is sent.
func opened(p *core.Problem) (*wire.Opened, []transfer.Array) {
	reply := &wire.Opened{
		Lag: uint64(p.Lag), Steps: uint64(p.Steps), Rank: uint64(p.Rank), Source: p.Source, Picture: string(p.Picture),
		Interval: p.Clock.Interval, TimeUnit: p.Clock.Unit, ValidUpTo: p.ValidUpTo,
		TrainLengths: sentLengths(p.Train), ValidationLengths: sentLengths(p.Validation), TestLengths: sentLengths(p.Test),
	}
	arrays := []transfer.Array{
		transfer.Snapshots("train", p.Train.Snapshots()), transfer.Snapshots("validation", p.Validation.Snapshots()),
		transfer.Snapshots("test", p.Test.Snapshots()),
	}
	if p.Starts != nil {
		arrays = append(arrays, transfer.Labels("starts", p.Starts))
	}
	if states := p.States; states != nil {
		reply.States, reply.Word = uint64(states.Count), states.Word
		arrays = append(arrays, transfer.Labels("train_states", states.Train),
			transfer.Labels("validation_states", states.Validation), transfer.Labels("test_states", states.Test),
			transfer.Whole("expected_states", slices.Concat(states.Expected...), p.Steps, p.StartCount()))
	}
	if p.Truth != nil {
		values := p.Truth.Eigenvalues
		arrays = append(arrays, transfer.Complexes("eigenvalues", values, len(values)))
		reply.Leading = uint64(p.Truth.Leading)
		if functions := p.Truth.Eigenfunctions; len(functions) > 0 {
			arrays = append(arrays, transfer.Complexes("eigenfunctions", slices.Concat(functions...), len(functions),
				p.Test.Len()))
		}
		if density := p.Truth.Density; density != nil {
			arrays = append(arrays, transfer.Doubles("density", density, len(density)))
		}
	}
	if p.Score != nil {
		m := p.Score.Measure()
		reply.Measure = &wire.Measure{
			Name: m.Name, Summary: m.Summary, Unit: m.Unit, LowerIsBetter: m.LowerIsBetter, Least: m.Least, Most: m.Most,
			Chance: m.Chance, RootMeanSquare: m.RootMeanSquare,
		}
	}
	reply.Arrays = transfer.Headers(arrays)
	return reply, arrays
}

// sentLengths are the lengths of trajectories as they are sent.
func sentLengths(t core.Trajectories) []uint64 {
	var lengths []uint64
	for _, n := range t.Lengths() {
		lengths = append(lengths, uint64(n))
	}
	return lengths
}

// fitScore fits the score of a problem that was opened before.
func (s *Server) fitScore(in *stream, c *wire.FitScoreCall) error {
	kept, err := s.find(c.GetProblem())
	if err != nil {
		return err
	}
	p, ok := kept.thing.(*core.Problem)
	if !ok {
		return fmt.Errorf("%w: the handle %d is no problem's, and only a problem has a score", core.ErrUnknown,
			c.GetProblem())
	}
	t, err := scoreTraining(in, p, c)
	if err != nil {
		return err
	}
	var fit core.Scorer
	err = in.compute(func() (err error) {
		if fit, err = p.Score.Fit(in.ctx, t); err == nil {
			err = t.Progress.(*progress).wrong()
		}
		return err
	})
	return s.finish(in, &fitted{kind: wire.Kind_TASK, thing: fit}, err)
}

// scoreTraining is what the score of a problem may see.
func scoreTraining(in *stream, p *core.Problem, c *wire.FitScoreCall) (*core.Training, error) {
	t := &core.Training{
		Train: p.Train, Validation: p.Validation, Lag: p.Lag, Seed: c.GetSeed(), Name: c.GetName(),
		Progress: &progress{s: in},
	}
	if p.States != nil {
		t.TrainLabels, t.ValidationLabels = p.States.Train, p.States.Validation
	}
	var err error
	if t.States, err = small("number of states", c.GetStates()); err != nil {
		return nil, err
	}
	return t, t.Validate()
}

// score scores predictions.
func (s *Server) score(in *stream, c *wire.ScoreCall) error {
	kept, err := s.find(c.GetHandle())
	if err != nil {
		return err
	}
	scorer, ok := kept.thing.(core.Scorer)
	if !ok {
		return fmt.Errorf("%w: the handle %d is not that of a score that was fitted", core.ErrUnknown, c.GetHandle())
	}
	step, err := small("step", c.GetStep())
	if err != nil {
		return err
	}
	arrays, err := transfer.Receive(in, c.GetArrays(), "snapshots")
	if err != nil {
		return err
	}
	x, err := arrays[0].Snapshots()
	if err != nil {
		return err
	}
	var scores []float64
	err = in.compute(func() (err error) {
		scores, err = scorer.Score(in.ctx, step, x)
		return err
	})
	if err != nil {
		return err
	}
	result := []transfer.Array{transfer.Doubles("scores", scores, len(scores))}
	reply := &wire.Frame{Content: &wire.Frame_Result{Result: &wire.Result{Arrays: transfer.Headers(result)}}}
	return in.sendWhole(reply, result...)
}
