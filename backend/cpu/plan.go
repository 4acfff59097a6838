package cpu

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// step is a part of a plan that runs after the steps before it. Its work is
// cut into parts by shape alone; parts may run at the same time.
type step struct {
	name, where string
	flops       int64
	parts       int
	run         func(f *frame, part, worker int)
	reads       []*value // whose memory it reads
	writes      []*value // whose memory it defines, and its scratch
	group       *fallbackGroup
}

// planner turns a graph into steps and decides where values live.
type planner struct {
	name    string
	g       *graph
	u       uses
	needed  map[*value]bool // values that must be in memory
	classes map[*operation]class
	order   map[*operation]int // in the graph
	readers map[*value][]*unit // set by schedule
	units   []*unit
	unitOf  map[*operation]*unit
	edges   map[[2]*unit]bool // from a unit to one that it depends on
	steps   []*step
	slots   map[*value]int
	claimed map[*value]int // roots that are written straight into an output
	pinned  map[*value]bool
}

// class is where an operation runs.
type class int

const (
	classNone     class = iota // parameters, constants and what is only looked through
	classLoop                  // elementwise, fused into loops
	classOwn                   // a kernel of its own
	classFallback              // the Go backend
)

// root returns the value whose memory v is.
func root(v *value) *value {
	for v.op != nil && v.op.kind == compute.OpTypeReshape {
		v = v.op.inputs[0]
	}
	return v
}

// classOf returns where an operation runs.
func (p *planner) classOf(op *operation) class {
	c, ok := p.classes[op]
	if !ok {
		c = classify(op)
		p.classes[op] = c
	}
	return c
}

func classify(op *operation) class {
	switch op.kind {
	case compute.OpTypeParameter, compute.OpTypeConstant, compute.OpTypeReshape:
		return classNone
	}
	if !plannable(op) {
		return classFallback
	}
	if loopable(op) {
		return classLoop
	}
	if lowering(op) != nil {
		return classOwn
	}
	return classFallback
}

const maxRank = 12

// plannable reports whether values of these shapes can be computed here. All other operations are left
// to the Go backend as they were recorded, and no pass may make others of them.
func plannable(op *operation) bool {
	return !slices.ContainsFunc(slices.Concat(op.inputs, op.outputs), func(v *value) bool {
		return v.shape.Size() == 0 || v.shape.DType.IsPacked() || v.shape.Rank() > maxRank
	})
}

// reads returns the values whose memory an operation reads.
func (p *planner) reads(op *operation) []*value {
	var out []*value
	for _, in := range op.inputs {
		if !isView(op.kind) && p.classOf(op) == classLoop {
			in = lookThrough(in)
		}
		if v := root(in); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func newPlanner(g *graph) *planner {
	p := &planner{g: g, u: g.usesOf(), needed: map[*value]bool{},
		unitOf: map[*operation]*unit{}, edges: map[[2]*unit]bool{},
		classes: map[*operation]class{}, order: map[*operation]int{}, readers: map[*value][]*unit{},
		slots: map[*value]int{}, claimed: map[*value]int{}, pinned: map[*value]bool{}}
	for _, out := range g.outputs {
		p.needed[root(out)] = true
	}
	for i, op := range g.operations {
		p.order[op] = i
	}
	for _, op := range slices.Backward(g.operations) {
		if p.classOf(op) == classNone || !slices.ContainsFunc(op.outputs, func(v *value) bool { return p.needed[v] }) {
			continue
		}
		for _, v := range p.reads(op) {
			p.needed[v] = true
		}
	}
	return p
}

// leaves reports whether a value is read outside its unit.
func (p *planner) leaves(v *value, u *unit) bool {
	return slices.ContainsFunc(p.readers[v], func(reader *unit) bool { return reader != u })
}

// lower turns units into steps.
func (p *planner) lower() error {
	for _, u := range p.units {
		switch u.class {
		case classLoop:
			p.lowerLoop(u)
		case classOwn:
			lowering(u.operations[0])(p, u.operations[0])
		case classFallback:
			if err := p.lowerFallback(u); err != nil {
				return err
			}
		}
	}
	return nil
}

// slot returns the index of a value's memory in a frame.
func (p *planner) slot(v *value) int {
	v = root(v)
	if s, ok := p.slots[v]; ok {
		return s
	}
	s := len(p.slots)
	p.slots[v] = s
	return s
}

// temporary returns a new value of n bytes for the memory of steps.
func (p *planner) temporary(n int) *value {
	return &value{shape: shapes.Make(dtypes.Uint8, n)}
}

// scratch returns memory of n bytes for each worker, and its stride.
func (p *planner) scratch(n int) (*value, int) {
	n = (n + 63) &^ 63
	return p.temporary(n * p.g.backend.pool.Size()), n
}

func (p *planner) add(s *step) {
	if s.where == "" {
		s.where = p.g.backend.kernels.String()
	}
	for i, v := range s.reads {
		s.reads[i] = root(v)
	}
	for i, v := range s.writes {
		s.writes[i] = root(v)
	}
	s.parts = max(s.parts, 1)
	p.steps = append(p.steps, s)
}

// check verifies that steps read only what is in memory by then.
func (p *planner) check() error {
	written := map[*value]bool{}
	for _, s := range p.steps {
		for _, v := range s.reads {
			given := v.op != nil && (v.op.kind == compute.OpTypeParameter || v.op.kind == compute.OpTypeConstant && p.needed[v])
			if !given && !written[v] {
				return fmt.Errorf("cpu backend: plan of %q: step %q reads a value that no step before it writes", p.name, s.name)
			}
		}
		for _, v := range s.writes {
			written[v] = true
		}
	}
	return nil
}

// newPlan compiles a recorded computation.
func newPlan(b *Builder) (compute.Executable, error) {
	g, err := newGraph(b)
	if err != nil {
		return nil, err
	}
	g.fuse()
	g.foldUpsampling()
	p := newPlanner(g)
	p.name = b.Name()
	p.group()
	e := &executable{backend: b.backend, name: b.Name(), names: b.main.names}
	for _, v := range b.main.parameters {
		e.inputs = append(e.inputs, v.shape)
	}
	size := 0
	for _, out := range b.main.outputs {
		e.shapes = append(e.shapes, out.shape)
		size += bytes(out.shape)
	}
	b.backend.storage.raise(size)
	for _, u := range p.units {
		if u.class == classFallback {
			p.pin(u)
		}
	}
	var copied []*value
	e.outputs, copied = p.place()
	if err := p.lower(); err != nil {
		return nil, err
	}
	p.copySteps(copied)
	for _, op := range g.operations {
		switch a := op.attrs.(type) {
		case parameterAttrs:
			e.parameters = append(e.parameters, placement{p.slot(op.outputs[0]), a.index})
		case constantAttrs:
			if p.needed[op.outputs[0]] {
				e.constants = append(e.constants, constant{p.slot(op.outputs[0]), a.flat})
			}
		}
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	e.places, e.arenaSize = p.arena()
	for v := range p.pinned {
		if _, ok := p.claimed[v]; !ok {
			e.pinned = append(e.pinned, pin{p.slot(v), v.shape})
		}
	}
	e.steps = p.steps
	e.slots = len(p.slots)
	return e, nil
}
