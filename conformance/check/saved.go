package check

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/koopbench/koopbench/core"
)

// load brings back what a thing saved, by whichever loader its kind has. It reports whether it has it.
func load(ctx context.Context, thing any, s *core.Saved) (loaded any, can bool, err error) {
	if l, ok := core.As[core.ModelLoader](thing); ok {
		loaded, err = l.Load(ctx, s)
		return loaded, true, err
	}
	if l, ok := core.As[core.EmbeddingLoader](thing); ok {
		loaded, err = l.Load(ctx, s)
		return loaded, true, err
	}
	if l, ok := core.As[core.JudgeLoader](thing); ok {
		loaded, err = l.Load(ctx, s)
		return loaded, true, err
	}
	if l, ok := core.As[core.OperatorLoader](thing); ok {
		loaded, err = l.Load(ctx, s)
		return loaded, true, err
	}
	return nil, false, nil
}

// again saves what a thing has fitted and returns what the thing loads from that.
func again(ctx context.Context, kind Kind, thing, fitted any, oracle core.Embedding) (any, error) {
	saver, saves := core.As[core.Saver](fitted)
	_, loads, _ := load(ctx, thing, &core.Saved{OracleEmbedding: oracle}) // what it makes of nothing must not be a panic
	switch {
	case !saves && !loads:
		return nil, undeclared("fitted "+string(kind), "Saver")
	case !saves:
		return nil, wrong("implement core.Saver, or declare neither",
			"the %s declares that it loads, and what it fits cannot be saved", kind)
	case !loads:
		return nil, wrong("implement the loader of the kind, or declare neither",
			"what was fitted can be saved, and the %s declares no loader", kind)
	}
	state, err := saver.Save(ctx)
	if err != nil {
		return nil, failed("Save", err)
	}
	if state == nil {
		return nil, wrong("return a state", "Save returned neither a state nor an error")
	}
	read, err := copied(state)
	if err != nil {
		return nil, err
	}
	loaded, _, err := load(ctx, thing, &core.Saved{State: *read, OracleEmbedding: oracle})
	if err != nil {
		return nil, failed("Load", err)
	}
	return loaded, nil
}

// copied returns a state as it comes back from a file.
func copied(s *core.State) (*core.State, error) {
	const remedy = "facts are JSON, and arrays have names of words joined by slashes and fill their shapes"
	if err := s.Validate(); err != nil {
		return nil, wrong(remedy, "what Save returned cannot be stored: %v", err)
	}
	if s.Facts != nil && !json.Valid(s.Facts) {
		return nil, wrong(remedy, "the facts that Save returned are not JSON: %.60q", s.Facts)
	}
	c := &core.State{Facts: slices.Clone(s.Facts), Arrays: map[string]core.Array{}}
	for name, a := range s.Arrays {
		switch v := a.Values.(type) {
		case []float32:
			a.Values = slices.Clone(v)
		case []float64:
			a.Values = slices.Clone(v)
		case []int64:
			a.Values = slices.Clone(v)
		case []uint8:
			a.Values = slices.Clone(v)
		}
		a.Shape = slices.Clone(a.Shape)
		c.Arrays[name] = a
	}
	return c, nil
}

func (s *trainee) checkSaved(ctx context.Context, _ *notes) error {
	l, err := s.fitLong(ctx)
	if err != nil {
		return err
	}
	loaded, err := again(ctx, s.kind, s.thing, l.fitted, l.training.OracleEmbedding)
	if err != nil {
		return err
	}
	x := l.training.Validation.At(0)
	want, err := s.apply(ctx, l.fitted, x)
	if err != nil {
		return failed(s.use, err)
	}
	got, err := s.apply(ctx, loaded, x)
	if err != nil {
		return failed(s.use+" of what was loaded", err)
	}
	if d := want.difference(got); d != "" {
		return wrong("keep all that it computes with, in the precision in which it computes",
			"%s of what was fitted, and of the same saved and loaded: %s", s.use, d)
	}
	return nil
}

func (s *operating) checkSaved(ctx context.Context, _ *notes) error {
	fitted, want, err := s.fitAndProbe(ctx, s.system, nil)
	if err != nil {
		return err
	}
	loaded, err := again(ctx, core.KindOperator, s.operator, fitted, nil)
	if err != nil {
		return err
	}
	operator, ok := loaded.(core.Operator)
	if !ok {
		return wrong("return an operator", "Load returned neither an operator nor an error")
	}
	got, err := s.probe(ctx, operator)
	if err != nil {
		return inCase("of an operator that was saved and loaded", err)
	}
	if d := want.difference(got); d != "" {
		return wrong("keep all that it computes with, in the precision in which it computes",
			"predictions of what was fitted, and of the same saved and loaded: %s", d)
	}
	return nil
}
