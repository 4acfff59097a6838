package server

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
	"google.golang.org/grpc"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/describe"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

// fitted is a model, an embedding, an operator, a judge, a problem or the scorer of one.
type fitted struct {
	kind    wire.Kind
	thing   any
	encoder *oracleEncoder // of the oracle that judges, nil if the thing does not see it
}

// describe returns what the host must know of it, and its eigenvalues.
func (f *fitted) describe() (*wire.Fitted, []transfer.Array, error) {
	reply := &wire.Fitted{}
	if r, ok := core.As[core.Reporter](f.thing); ok {
		var err error
		if reply.Report, err = describe.Report(r.Report()); err != nil {
			return nil, nil, err
		}
	}
	var eigenvalues func() []complex128
	switch f.kind {
	case wire.Kind_METHOD:
		if s, ok := core.As[core.Spectral](f.thing); ok {
			eigenvalues = s.Eigenvalues
			if _, ok := core.As[core.RightSpectral](f.thing); ok {
				reply.Abilities = append(reply.Abilities, describe.AbilityName(core.AbilityRightSpectral))
			}
		}
		if _, ok := core.As[core.Forecaster](f.thing); ok {
			reply.Abilities = append(reply.Abilities, describe.AbilityName(core.AbilityForecaster))
		}
		if _, ok := core.As[core.Saver](f.thing); ok {
			reply.Abilities = append(reply.Abilities, describe.AbilityName(core.AbilitySaver))
		}
	case wire.Kind_EMBEDDER:
		var err error
		if reply.Dim, err = describe.Count("number of features", f.thing.(core.Embedding).Dim()); err != nil {
			return nil, nil, err
		}
		if _, ok := core.As[core.Decoder](f.thing); ok {
			reply.Abilities = append(reply.Abilities, describe.AbilityName(core.AbilityDecoder))
		}
	case wire.Kind_OPERATOR:
		var err error
		if reply.Rank, err = describe.Count("rank", f.thing.(core.Operator).Rank()); err != nil {
			return nil, nil, err
		}
		if s, ok := core.As[core.SpectralOperator](f.thing); ok {
			eigenvalues = s.Eigenvalues
		}
	case wire.Kind_ORACLE:
		if e, ok := core.As[core.Encoder](f.thing); ok {
			var err error
			if reply.Dim, err = describe.Count("number of features", e.Encoder().Dim()); err != nil {
				return nil, nil, err
			}
			reply.Abilities = append(reply.Abilities, describe.AbilityName(core.AbilityEncoder))
		}
	case wire.Kind_TASK: // it is the scorer of one
	default:
		return nil, nil, fmt.Errorf("%w: a %s is not fitted", core.ErrContract, f.kind)
	}
	if eigenvalues == nil {
		return reply, nil, nil
	}
	reply.Abilities = append(reply.Abilities, describe.AbilityName(core.AbilitySpectral))
	values := eigenvalues()
	return reply, []transfer.Array{transfer.Complexes("eigenvalues", values, len(values))}, nil
}

// Apply implements [wire.PluginServer].
func (s *Server) Apply(call grpc.BidiStreamingServer[wire.Frame, wire.Frame]) error {
	return answer(call, func(in *stream, first *wire.Frame) error {
		if c := first.GetScore(); c != nil {
			return s.score(in, c)
		}
		c := first.GetApply()
		if c == nil {
			return fmt.Errorf("%w: %s begins an application; ApplyCall or ScoreCall must", core.ErrContract,
				transfer.Kind(first))
		}
		f, err := s.find(c.GetHandle())
		if err != nil {
			return err
		}
		if c.GetOperation() == wire.Operation_SAVE {
			return f.save(in, c)
		}
		var result transfer.Array
		err = f.encoder.during(in, func() (err error) {
			result, err = f.apply(in, c)
			return err
		})
		if err != nil {
			return err
		}
		arrays := []transfer.Array{result}
		return in.sendWhole(&wire.Frame{Content: &wire.Frame_Result{Result: &wire.Result{Arrays: transfer.Headers(arrays)}}},
			arrays...)
	})
}

func (f *fitted) apply(in *stream, c *wire.ApplyCall) (result transfer.Array, err error) {
	onFeatures := f.kind == wire.Kind_OPERATOR || c.GetOperation() == wire.Operation_DECODE
	name := "snapshots"
	if onFeatures {
		name = "features"
	}
	arrays, err := transfer.Receive(in, c.GetArrays(), name)
	if err != nil {
		return result, err
	}
	if onFeatures {
		z, err := arrays[0].Matrix()
		if err != nil {
			return result, err
		}
		err = in.compute(func() (err error) {
			result, err = f.applyToFeatures(in, c, z)
			return err
		})
		return result, err
	}
	x, err := arrays[0].Snapshots()
	if err != nil {
		return result, err
	}
	err = in.compute(func() (err error) {
		result, err = f.applyToSnapshots(in, c, x)
		return err
	})
	return result, err
}

func (f *fitted) applyToSnapshots(in *stream, c *wire.ApplyCall, x core.Snapshots) (result transfer.Array, err error) {
	switch c.GetOperation() {
	case wire.Operation_PREDICT:
		if model, ok := f.thing.(core.Model); ok {
			return snapshots(model.Predict(in.ctx, x))
		}
	case wire.Operation_FORECAST:
		if forecaster, ok := core.As[core.Forecaster](f.thing); ok {
			steps, err := stepsOf(c)
			if err != nil {
				return result, err
			}
			return snapshots(forecaster.Forecast(in.ctx, x, steps))
		}
	case wire.Operation_LEFT_EIGENFUNCTIONS:
		if s, ok := core.As[core.Spectral](f.thing); ok {
			return values(s.LeftEigenfunctions(in.ctx, x))
		}
	case wire.Operation_RIGHT_EIGENFUNCTIONS:
		if s, ok := core.As[core.RightSpectral](f.thing); ok {
			return values(s.RightEigenfunctions(in.ctx, x))
		}
	case wire.Operation_EMBED:
		if e, ok := f.thing.(core.Embedding); ok {
			return matrix("features")(e.Embed(in.ctx, x))
		}
		if e, ok := core.As[core.Encoder](f.thing); ok {
			return matrix("features")(e.Encoder().Embed(in.ctx, x))
		}
	case wire.Operation_CLASSIFY:
		if judge, ok := f.thing.(core.Judge); ok {
			labels, err := judge.Classify(in.ctx, x)
			return transfer.Labels("labels", labels), err
		}
	}
	return result, f.cannot(c)
}

func (f *fitted) applyToFeatures(in *stream, c *wire.ApplyCall, z *mat.Dense) (result transfer.Array, err error) {
	if c.GetOperation() == wire.Operation_DECODE {
		if d, ok := core.As[core.Decoder](f.thing); ok {
			return snapshots(d.Decode(in.ctx, z))
		}
		return result, f.cannot(c)
	}
	operator, ok := f.thing.(core.Operator)
	if !ok {
		return result, f.cannot(c)
	}
	spectrum, spectral := core.As[core.SpectralOperator](f.thing)
	steps := 0
	if c.GetOperation() == wire.Operation_PREDICT_FEATURES || c.GetOperation() == wire.Operation_PREDICT_OBSERVABLE {
		if steps, err = stepsOf(c); err != nil {
			return result, err
		}
	}
	switch operation := c.GetOperation(); {
	case operation == wire.Operation_PREDICT_FEATURES:
		return matrix("features")(operator.Predict(in.ctx, z, steps))
	case operation == wire.Operation_PREDICT_OBSERVABLE:
		return matrix("observable")(operator.PredictObservable(in.ctx, z, steps))
	case operation == wire.Operation_LEFT_EIGENFUNCTIONS && spectral:
		return values(spectrum.LeftEigenfunctions(in.ctx, z))
	case operation == wire.Operation_RIGHT_EIGENFUNCTIONS && spectral:
		return values(spectrum.RightEigenfunctions(in.ctx, z))
	}
	return result, f.cannot(c)
}

// stepsOf is the number of steps that a prediction is asked for.
func stepsOf(c *wire.ApplyCall) (int, error) { return small("number of steps", c.GetSteps()) }

func (f *fitted) cannot(c *wire.ApplyCall) error {
	return fmt.Errorf("%w: what was fitted, a %s, cannot do %s", core.ErrUnavailable, f.kind, c.GetOperation())
}

func snapshots(x core.Snapshots, err error) (transfer.Array, error) {
	if err != nil {
		return transfer.Array{}, err
	}
	return transfer.Snapshots("snapshots", x), nil
}

func matrix(name string) func(*mat.Dense, error) (transfer.Array, error) {
	return func(m *mat.Dense, err error) (transfer.Array, error) {
		if err != nil {
			return transfer.Array{}, err
		}
		return transfer.Matrix(name, m), nil
	}
}

func values(m *mat.CDense, err error) (transfer.Array, error) {
	if err != nil {
		return transfer.Array{}, err
	}
	if m == nil {
		return transfer.Array{}, fmt.Errorf("%w: the result is nil without an error", core.ErrContract)
	}
	return transfer.ComplexMatrix("values", m), nil
}

// Evaluate implements [wire.PluginServer].
func (s *Server) Evaluate(call grpc.BidiStreamingServer[wire.Frame, wire.Frame]) error {
	return answer(call, func(in *stream, first *wire.Frame) error {
		c := first.GetEvaluate()
		if c == nil {
			return fmt.Errorf("%w: %s begins an evaluation; EvaluateCall must", core.ErrContract, transfer.Kind(first))
		}
		thing, err := s.thing(wire.Kind_LOSS, c.GetName())
		if err != nil {
			return err
		}
		loss := thing.(core.Loss)
		options, err := describe.Options(loss.Describe(), c.GetOptions())
		if err != nil {
			return err
		}
		arrays, err := transfer.Receive(in, c.GetArrays(), "x", "y")
		if err != nil {
			return err
		}
		x, err := arrays[0].Matrix()
		if err != nil {
			return err
		}
		y, err := arrays[1].Matrix()
		if err != nil {
			return err
		}
		var value core.LossValue
		err = in.compute(func() (err error) {
			value, err = loss.Evaluate(in.ctx, x, y, options)
			return err
		})
		if err != nil {
			return err
		}
		gradients := []transfer.Array{transfer.Matrix("gradient_x", value.GradX), transfer.Matrix("gradient_y", value.GradY)}
		reply := &wire.LossValue{
			Value: value.Value, Warnings: transfer.Texts(value.Warnings, core.MaxSentence),
			Arrays: transfer.Headers(gradients),
		}
		return in.sendWhole(&wire.Frame{Content: &wire.Frame_Loss{Loss: reply}}, gradients...)
	})
}
