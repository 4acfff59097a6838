package server

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/describe"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

// Fit implements [wire.PluginServer].
func (s *Server) Fit(call grpc.BidiStreamingServer[wire.Frame, wire.Frame]) error {
	return answer(call, func(in *stream, first *wire.Frame) error {
		if c := first.GetLoad(); c != nil {
			return s.load(in, c)
		}
		if c := first.GetFitScore(); c != nil {
			return s.fitScore(in, c)
		}
		c := first.GetFit()
		if c == nil {
			return fmt.Errorf("%w: %s begins a fit; FitCall, LoadCall or FitScoreCall must", core.ErrContract,
				transfer.Kind(first))
		}
		thing, err := s.thing(c.GetKind(), c.GetName())
		if err != nil {
			return err
		}
		if o, ok := thing.(core.EvolutionOperator); ok {
			return s.fitOperator(in, o, c)
		}
		return s.fitOnSnapshots(in, thing, c)
	})
}

// fitOnSnapshots fits a method, an embedder or an oracle.
func (s *Server) fitOnSnapshots(in *stream, thing any, c *wire.FitCall) error {
	t, encoder, err := receiveTraining(in, thing, c)
	if err != nil {
		return err
	}
	var result any
	err = encoder.during(in, func() error {
		return in.compute(func() (err error) {
			defer t.Checkpoints.(*checkpoints).end()
			if result, err = fitThing(in.ctx, thing, t); err == nil {
				err = t.Progress.(*progress).wrong()
			}
			return err
		})
	})
	return s.finish(in, &fitted{kind: c.GetKind(), thing: result, encoder: encoder}, err)
}

func fitThing(ctx context.Context, thing any, t *core.Training) (any, error) {
	switch thing := thing.(type) {
	case core.Method:
		return thing.Fit(ctx, t)
	case core.Embedder:
		return thing.Fit(ctx, t)
	case core.Oracle:
		return thing.Fit(ctx, t)
	}
	return nil, fmt.Errorf("%w: a %T is not fitted", core.ErrContract, thing)
}

func (s *Server) fitOperator(in *stream, o core.EvolutionOperator, c *wire.FitCall) error {
	names := []string{"features", "observable"}
	arrays, err := transfer.Receive(in, c.GetArrays(), names[:min(max(len(c.GetArrays()), 1), 2)]...)
	if err != nil {
		return err
	}
	t := &core.OperatorTraining{Precision: c.GetPrecision()}
	if t.Lag, err = small("lag", c.GetLag()); err != nil {
		return err
	}
	if t.Features, err = arrays[0].Matrix(); err != nil {
		return err
	}
	if len(arrays) > 1 {
		if t.Observable, err = arrays[1].Matrix(); err != nil {
			return err
		}
	}
	if t.Lengths, err = lengths(c.GetFeatureLengths()); err != nil {
		return err
	}
	if t.Options, err = describe.Options(o.Describe(), c.GetOptions()); err != nil {
		return err
	}
	if _, err := t.PairStarts(); err != nil {
		return err
	}
	var result core.Operator
	err = in.compute(func() (err error) {
		result, err = o.Fit(in.ctx, t)
		return err
	})
	return s.finish(in, &fitted{kind: c.GetKind(), thing: result}, err)
}

// finish keeps what was fitted and sends what it is.
func (s *Server) finish(in *stream, f *fitted, err error) error {
	if err != nil {
		return err
	}
	reply, arrays, err := f.describe()
	if err != nil {
		return err
	}
	reply.Handle, reply.Arrays = s.keep(f), transfer.Headers(arrays)
	err = in.sendWhole(&wire.Frame{Content: &wire.Frame_Fitted{Fitted: reply}}, arrays...)
	if err != nil || in.ctx.Err() != nil { // no one knows the handle
		s.forget(reply.GetHandle())
	}
	return err
}

// receiveTraining receives what a fit may see. The encoder is the stand-in for the oracle's, nil without one.
func receiveTraining(in *stream, thing any, c *wire.FitCall) (*core.Training, *oracleEncoder, error) {
	d := thing.(interface{ Describe() core.Description }).Describe()
	names := []string{"train", "validation"}
	if len(c.GetArrays()) > len(names) {
		names = append(names, "train_labels", "validation_labels")
	}
	arrays, err := transfer.Receive(in, c.GetArrays(), names...)
	if err != nil {
		return nil, nil, err
	}
	t := &core.Training{Seed: c.GetSeed(), Name: c.GetName(), Progress: &progress{s: in}}
	kept, err := receiveCheckpoints(in, c)
	if err != nil {
		return nil, nil, err
	}
	t.Checkpoints = kept
	if t.Lag, err = small("lag", c.GetLag()); err != nil {
		return nil, nil, err
	}
	if t.LeastRank, err = small("least rank", c.GetLeastRank()); err != nil {
		return nil, nil, err
	}
	if t.States, err = small("number of states", c.GetStates()); err != nil {
		return nil, nil, err
	}
	if t.Train, err = trajectories(&arrays[0], c.GetTrainLengths()); err != nil {
		return nil, nil, err
	}
	if t.Validation, err = trajectories(&arrays[1], c.GetValidationLengths()); err != nil {
		return nil, nil, err
	}
	if len(arrays) > 2 {
		if t.TrainLabels, err = arrays[2].Labels(); err != nil {
			return nil, nil, err
		}
		if t.ValidationLabels, err = arrays[3].Labels(); err != nil {
			return nil, nil, err
		}
	}
	if t.Options, err = describe.Options(d, c.GetOptions()); err != nil {
		return nil, nil, err
	}
	encoder, err := encoderOf(c.GetOracleDim())
	if err != nil {
		return nil, nil, err
	}
	if encoder != nil {
		t.OracleEmbedding = encoder
	}
	return t, encoder, nil
}

// trajectories are the snapshots that were sent, cut into trajectories of those lengths; none stand
// for one trajectory.
func trajectories(a *transfer.Received, sent []uint64) (core.Trajectories, error) {
	x, err := a.Snapshots()
	if err != nil {
		return core.Trajectories{}, err
	}
	all, err := lengths(sent)
	if err != nil {
		return core.Trajectories{}, err
	}
	return core.CutTrajectories(x, all)
}

// lengths are the lengths of trajectories that were sent, nil for one trajectory.
func lengths(sent []uint64) (all []int, err error) {
	for _, s := range sent {
		n, err := small("length of a trajectory", s)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// encoderOf returns the stand-in for an encoder of so many features, nil for none.
func encoderOf(features uint64) (*oracleEncoder, error) {
	dim, err := small("number of features of the oracle", features)
	if dim == 0 || err != nil {
		return nil, err
	}
	return newOracleEncoder(dim), nil
}

func small(what string, n uint64) (int, error) {
	if n > math.MaxInt32 {
		return 0, fmt.Errorf("%w: a %s of %d; the most is %d", core.ErrOption, what, n, math.MaxInt32)
	}
	return int(n), nil
}

// progress sends how far a fit has come. That it cannot be sent shows in the next thing that is.
type progress struct {
	s     *stream
	first atomic.Pointer[error] // about a number that cannot be sent
}

var _ core.Progress = (*progress)(nil)

// wrong returns the first error about a number.
func (p *progress) wrong() error {
	if err := p.first.Load(); err != nil {
		return *err
	}
	return nil
}

func (p *progress) send(f *wire.Frame, err error) {
	if err != nil {
		p.first.CompareAndSwap(nil, &err)
		return
	}
	_ = p.s.Send(f)
}

func (p *progress) Phase(name string, total int) {
	n, err := describe.Count(fmt.Sprintf("total of the phase %q", name), total)
	phase := &wire.Phase{Name: transfer.Text(name, transfer.MaxName), Total: n}
	p.send(&wire.Frame{Content: &wire.Frame_Phase{Phase: phase}}, err)
}

func (p *progress) Advance(done int) {
	n, err := describe.Count("progress", done)
	p.send(&wire.Frame{Content: &wire.Frame_Advance{Advance: &wire.Advance{Done: n}}}, err)
}

func (p *progress) Epoch(e core.Epoch) {
	sent, err := describe.Epoch(e)
	p.send(&wire.Frame{Content: &wire.Frame_Epoch{Epoch: sent}}, err)
}
