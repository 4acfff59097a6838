package cpu

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
)

// Operations with closures run on the Go backend, the rest of the graph here. What a closure sees of
// the functions around it becomes an input of the operation.

// Sort sorts along an axis with a comparator closure.
func (f *Function) Sort(comparator compute.Function, axis int, isStable bool,
	inputs ...compute.Value,
) ([]compute.Value, error) {
	return f.recordWith([]compute.Function{comparator}, compute.OpTypeSort,
		func(s compute.Function, g []compute.Function, in []compute.Value) ([]compute.Value, error) {
			return s.Sort(g[0], axis, isStable, in...)
		}, inputs...)
}

// While repeats body while cond holds.
func (f *Function) While(cond, body compute.Function, initialState ...compute.Value) ([]compute.Value, error) {
	return f.recordWith([]compute.Function{cond, body}, compute.OpTypeWhile,
		func(s compute.Function, g []compute.Function, in []compute.Value) ([]compute.Value, error) {
			return s.While(g[0], g[1], in...)
		}, initialState...)
}

// If runs one of two branches.
func (f *Function) If(pred compute.Value, trueBranch, falseBranch compute.Function) ([]compute.Value, error) {
	return f.recordWith([]compute.Function{trueBranch, falseBranch}, compute.OpTypeIf,
		func(s compute.Function, g []compute.Function, in []compute.Value) ([]compute.Value, error) {
			return s.If(in[0], g[0], g[1])
		}, pred)
}

// recordWith adds an operation with closures. emit adds it to a function of the Go backend, given its
// closures there.
func (f *Function) recordWith(closures []compute.Function, kind compute.OpType,
	emit func(s compute.Function, closures []compute.Function, in []compute.Value) ([]compute.Value, error),
	inputs ...compute.Value,
) ([]compute.Value, error) {
	if f.builder.compiled {
		return nil, fmt.Errorf("cpu backend: computation %q is compiled: no operation (%s) can be added", f.builder.Name(),
			kind)
	}
	shadowed, err := f.shadowsOf(closures...)
	if err != nil {
		return nil, err
	}
	own, shadows, err := f.unwrap(inputs)
	if err != nil {
		return nil, err
	}
	results, err := emit(f.shadow, shadowed, shadows)
	if err != nil {
		return nil, err
	}
	n := len(own)
	for _, c := range closures {
		for _, v := range c.(*Function).captured() {
			if !slices.Contains(own[n:], v) {
				own = append(own, v)
			}
		}
	}
	seen := own[n:]
	replay := func(s compute.Function, in []compute.Value) ([]compute.Value, error) {
		outer := map[*value]compute.Value{}
		for i, v := range seen {
			outer[v] = in[n+i]
		}
		replayed := make([]compute.Function, len(closures))
		for i, c := range closures {
			var err error
			if replayed[i], err = c.(*Function).replay(s, outer); err != nil {
				return nil, err
			}
		}
		return emit(s, replayed, in[:n])
	}
	return f.recorded(kind, nil, replay, own, results)
}

// captured returns the values of other functions that a closure uses. Closures within it have theirs
// among the inputs of its operations.
func (f *Function) captured() []*value {
	var found []*value
	see := func(values []*value) {
		for _, v := range values {
			if v.function != f && !slices.Contains(found, v) {
				found = append(found, v)
			}
		}
	}
	for _, op := range f.operations {
		see(op.inputs)
	}
	see(f.outputs)
	return found
}

// replay adds the closure to a function of the Go backend, in which outer are the values that it sees.
func (f *Function) replay(parent compute.Function, outer map[*value]compute.Value) (compute.Function, error) {
	closure, err := parent.Closure()
	if err != nil {
		return nil, err
	}
	values := map[*value]compute.Value{}
	get := func(vs []*value) []compute.Value {
		out := make([]compute.Value, len(vs))
		for i, v := range vs {
			if v.function == f {
				out[i] = values[v]
			} else {
				out[i] = outer[v]
			}
		}
		return out
	}
	for _, op := range f.operations {
		results, err := op.emit(closure, get(op.inputs))
		if err != nil {
			return nil, err
		}
		for i, v := range op.outputs {
			values[v] = results[i]
		}
	}
	return closure, closure.Return(get(f.outputs), nil)
}
