package cpu

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

var _ compute.Executable = (*fallbackExecutable)(nil)

// fallbackExecutable runs a whole graph on the Go backend.
type fallbackExecutable struct {
	backend *Backend
	inner   compute.Executable
	name    string // of the graph, and why it runs there
}

// Finalize frees the executable.
func (e *fallbackExecutable) Finalize() { e.inner.Finalize() }

// Inputs returns the parameters' names and shapes.
func (e *fallbackExecutable) Inputs() (names []string, inputShapes []shapes.Shape) {
	return e.inner.Inputs()
}

// Outputs returns the outputs' shapes.
func (e *fallbackExecutable) Outputs() (outputShapes []shapes.Shape) { return e.inner.Outputs() }

// Execute runs the graph.
func (e *fallbackExecutable) Execute(inputs []compute.Buffer, donate []bool,
	_ compute.DeviceNum) (_ []compute.Buffer, err error) {
	defer recoverError("execute", &err)
	in := make([]compute.Buffer, len(inputs))
	for i, b := range inputs {
		s, err := e.backend.input(b, i)
		if err != nil {
			return nil, err
		}
		in[i] = s.inner
	}
	stop := e.backend.profile.start(e.name, "go", 0)
	results, err := e.inner.Execute(in, nil, 0)
	stop()
	if err != nil {
		return nil, err
	}
	out := make([]compute.Buffer, len(results))
	for i, r := range results {
		s, err := newStorage(r)
		if err != nil {
			return nil, err
		}
		out[i] = e.backend.newBuffer(s)
	}
	consume(inputs, donate)
	return out, nil
}

// input returns the storage of an input buffer.
func (b *Backend) input(buffer compute.Buffer, index int) (*storage, error) {
	own, ok := buffer.(*Buffer)
	if !ok || own == nil || own.backend != b {
		return nil, fmt.Errorf("cpu backend: input %d is not a buffer of this backend (%T)", index, buffer)
	}
	s, err := own.live()
	if err != nil {
		return nil, fmt.Errorf("input %d: %w", index, err)
	}
	return s, nil
}

// consume ends donated inputs.
func consume(inputs []compute.Buffer, donate []bool) {
	for i, b := range inputs {
		if i < len(donate) && donate[i] {
			_ = b.Finalize()
		}
	}
}

// fallbackGroup is a subgraph that runs on the Go backend.
type fallbackGroup struct {
	exec    compute.Executable
	inputs  []int // slots
	outputs []int
}

// release gives back results that are not outputs.
func (g *fallbackGroup) release(f *frame) {
	for _, slot := range g.outputs {
		if s := f.held[slot]; s != nil {
			f.plan.backend.release(s)
			f.held[slot], f.memory[slot] = nil, nil
		}
	}
}

func (g *fallbackGroup) run(f *frame) error {
	in := make([]compute.Buffer, len(g.inputs))
	for i, slot := range g.inputs {
		in[i] = f.held[slot].inner
	}
	out, err := g.exec.Execute(in, nil, 0)
	if err != nil {
		return err
	}
	for i, slot := range g.outputs {
		s, err := newStorage(out[i])
		if err != nil {
			return err
		}
		f.held[slot], f.memory[slot] = s, s.memory
	}
	return nil
}

// pin notes that the Go backend reads what a unit does not compute itself.
func (p *planner) pin(u *unit) {
	for _, op := range u.operations {
		for _, v := range p.reads(op) {
			if from := p.unitOf[v.op]; v.op != nil && from != nil && from.class != classFallback {
				p.pinned[v] = true
			}
		}
	}
}

// lowerFallback compiles a unit's operations for the Go backend.
func (p *planner) lowerFallback(u *unit) error {
	builder := p.g.backend.fallback.Builder("fallback")
	r := newGroup(builder.Main())
	r.members = map[*operation]bool{}
	for _, op := range u.operations {
		r.members[op] = true
	}
	var outputs []*value
	var values []compute.Value
	kinds := map[compute.OpType]bool{}
	name := ""
	for _, op := range u.operations {
		if !kinds[op.kind] {
			kinds[op.kind] = true
			name += " " + op.kind.String()
		}
		for _, out := range op.outputs {
			v, err := r.value(out)
			if err != nil {
				return err
			}
			if p.needed[out] && p.leaves(out, u) {
				outputs, values = append(outputs, out), append(values, v)
			}
		}
	}
	if err := builder.Main().Return(values, nil); err != nil {
		return err
	}
	exec, err := builder.Compile()
	if err != nil {
		return err
	}
	group := &fallbackGroup{exec: exec}
	for _, v := range r.inputs {
		group.inputs = append(group.inputs, p.slot(v))
	}
	for _, v := range outputs {
		group.outputs = append(group.outputs, p.slot(v))
	}
	p.add(&step{name: "subgraph:" + name, where: "go", parts: 1, group: group, reads: slices.Clone(r.inputs),
		writes: outputs,
		run:    func(f *frame, _, _ int) { f.err = group.run(f) }})
	return nil
}
