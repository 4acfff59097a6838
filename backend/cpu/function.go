package cpu

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

var _ compute.Function = (*Function)(nil)

// Function records operations in the order they are added.
type Function struct {
	builder    *Builder
	shadow     compute.Function
	parent     *Function
	parameters []*value
	names      []string // of the parameters
	operations []*operation
	outputs    []*value
	returned   bool
}

// Name returns the name of the function, "" for a closure.
func (f *Function) Name() string { return f.shadow.Name() }

// Builder returns the builder that the function belongs to.
func (f *Function) Builder() compute.Builder { return f.builder }

// Parent returns the function that a closure belongs to, nil for others.
func (f *Function) Parent() compute.Function {
	if f.parent == nil {
		return nil
	}
	return f.parent
}

// Closure adds a function that sees the values of f.
func (f *Function) Closure() (compute.Function, error) {
	shadow, err := f.shadow.Closure()
	if err != nil {
		return nil, err
	}
	return &Function{builder: f.builder, shadow: shadow, parent: f}, nil
}

// Shape returns the shape of a value.
func (f *Function) Shape(v compute.Value) (shapes.Shape, error) { return f.builder.OpShape(v) }

// parameterAttrs is the position of a parameter.
type parameterAttrs struct{ index int }

// constantAttrs holds a private copy of a constant's values: a slice of the
// dtype's Go type.
type constantAttrs struct{ flat any }

// Parameter adds an input. A graph with dynamic shapes runs on the Go backend as a whole.
func (f *Function) Parameter(name string, shape shapes.Shape, sharding *compute.ShardingSpec) (compute.Value, error) {
	if shape.IsDynamic() {
		f.builder.setOpaque("it has dynamic shapes")
	}
	v, err := f.record(compute.OpTypeParameter, parameterAttrs{len(f.parameters)},
		func(g compute.Function, _ []compute.Value) ([]compute.Value, error) {
			return one(g.Parameter(name, shape, sharding))
		})
	if err != nil {
		return nil, err
	}
	f.parameters = append(f.parameters, v[0].(*value))
	f.names = append(f.names, name)
	return v[0], nil
}

// Constant adds a constant; flat is copied.
func (f *Function) Constant(flat any, dims ...int) (compute.Value, error) {
	dims = slices.Clone(dims)
	v, err := f.record(compute.OpTypeConstant, nil, func(g compute.Function, _ []compute.Value) ([]compute.Value, error) {
		return one(g.Constant(flat, dims...))
	})
	if err != nil {
		return nil, err
	}
	op := v[0].(*value).op
	own := dtypes.MakeAnySlice(op.outputs[0].shape.DType, op.outputs[0].shape.Size())
	dtypes.CopyAnySlice(own, flat)
	op.attrs = constantAttrs{own}
	op.emit = func(g compute.Function, _ []compute.Value) ([]compute.Value, error) {
		return one(g.Constant(own, dims...))
	}
	return v[0], nil
}

// Return names the outputs and ends the function.
func (f *Function) Return(outputs []compute.Value, shardings []*compute.ShardingSpec) error {
	own, shadows, err := f.unwrap(outputs)
	if err != nil {
		return err
	}
	if err := f.shadow.Return(shadows, shardings); err != nil {
		return err
	}
	f.outputs, f.returned = own, true
	return nil
}

// Call runs a named function.
func (f *Function) Call(target compute.Function, inputs ...compute.Value) ([]compute.Value, error) {
	g, err := f.shadowsOf(target)
	if err != nil {
		return nil, err
	}
	return f.record(compute.OpTypeCall, nil, func(s compute.Function, in []compute.Value) ([]compute.Value, error) {
		return s.Call(g[0], in...)
	}, inputs...)
}

// shadowsOf returns the Go backend's functions behind functions of this builder.
func (f *Function) shadowsOf(functions ...compute.Function) ([]compute.Function, error) {
	out := make([]compute.Function, len(functions))
	for i, g := range functions {
		own, ok := g.(*Function)
		if !ok || own == nil || own.builder != f.builder {
			return nil, fmt.Errorf("cpu backend: computation %q got a function that is not its own (%T)", f.builder.Name(), g)
		}
		out[i] = own.shadow
	}
	return out, nil
}

// record adds an operation: to the shadow, which checks it, then here.
func (f *Function) record(kind compute.OpType, attrs any, emit emitter,
	inputs ...compute.Value) ([]compute.Value, error) {
	if f.builder.compiled {
		return nil, fmt.Errorf("cpu backend: computation %q is compiled: no operation (%s) can be added", f.builder.Name(),
			kind)
	}
	own, shadows, err := f.unwrap(inputs)
	if err != nil {
		return nil, err
	}
	results, err := emit(f.shadow, shadows)
	if err != nil {
		return nil, err
	}
	return f.recorded(kind, attrs, emit, own, results)
}

// recorded adds an operation that the shadow has.
func (f *Function) recorded(kind compute.OpType, attrs any, emit emitter, own []*value,
	results []compute.Value) ([]compute.Value, error) {
	op := &operation{kind: kind, attrs: attrs, inputs: own, emit: emit}
	out := make([]compute.Value, len(results))
	for i, r := range results {
		shape, err := f.shadow.Shape(r)
		if err != nil {
			return nil, err
		}
		v := &value{function: f, op: op, index: i, shape: shape, shadow: r}
		op.outputs = append(op.outputs, v)
		out[i] = v
	}
	f.operations = append(f.operations, op)
	return out, nil
}

// record1 is record for operations with one output.
func (f *Function) record1(kind compute.OpType, attrs any, emit emitter,
	inputs ...compute.Value) (compute.Value, error) {
	out, err := f.record(kind, attrs, emit, inputs...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func (f *Function) unwrap(values []compute.Value) ([]*value, []compute.Value, error) {
	own, shadows := make([]*value, len(values)), make([]compute.Value, len(values))
	for i, v := range values {
		o, err := f.builder.value(v)
		if err != nil {
			return nil, nil, err
		}
		own[i], shadows[i] = o, o.shadow
	}
	return own, shadows, nil
}

func one(v compute.Value, err error) ([]compute.Value, error) {
	if err != nil {
		return nil, err
	}
	return []compute.Value{v}, nil
}
