package cpu

import "slices"

// unit is what is scheduled as one: an operation, a loop of several, or a
// subgraph for the Go backend.
type unit struct {
	class      class
	operations []*operation
	depends    []*unit
	users      []*unit // the units that depend on this one, some by what they were before they joined another
	joined     *unit   // the loop that this one is a part of now
	level      int     // above the levels of all units that it depends on
	stage      int
	placed     bool
}

// whole returns the unit that u is, or has become a part of.
func (u *unit) whole() *unit {
	for u.joined != nil {
		u = u.joined
	}
	return u
}

// rise raises a unit to a level, and those above it.
func (u *unit) rise(level int) {
	type raised struct {
		u     *unit
		level int
	}
	for todo := []raised{{u, level}}; len(todo) > 0; {
		now := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if now.u.level >= now.level {
			continue
		}
		now.u.level = now.level
		for _, user := range now.u.users {
			todo = append(todo, raised{user.whole(), now.level + 1})
		}
	}
}

// waits reports whether unit a is unit b or depends on it, if need be through others. Only what is
// above b can.
func waits(a, b *unit) bool {
	seen := map[*unit]bool{}
	for todo := []*unit{a}; len(todo) > 0; {
		u := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if u == b {
			return true
		}
		if u.level <= b.level || seen[u] {
			continue
		}
		seen[u] = true
		todo = append(todo, u.depends...)
	}
	return false
}

// depend notes that unit u depends on unit d.
func (p *planner) depend(u, d *unit) {
	if u == d || p.edges[[2]*unit{u, d}] {
		return
	}
	p.edges[[2]*unit{u, d}] = true
	u.depends = append(u.depends, d)
	d.users = append(d.users, u)
	u.rise(d.level + 1)
}

// group sorts the needed operations into units: loops as large as they can
// be, and one subgraph for the Go backend in each odd stage, own work in the
// even stages between.
func (p *planner) group() {
	stages := map[int]*unit{}
	for _, op := range p.g.operations {
		c := p.classOf(op)
		if c == classNone || !slices.ContainsFunc(op.outputs, func(v *value) bool { return p.needed[v] }) {
			continue
		}
		depends, stage := p.dependsOn(op, c)
		var home *unit
		switch c {
		case classFallback:
			home = stages[stage]
		case classLoop:
			home = p.loopFor(op, depends, stage)
		}
		if home == nil {
			home = &unit{class: c, stage: stage}
			p.units = append(p.units, home)
			if c == classFallback {
				stages[stage] = home
			}
		}
		home.operations = append(home.operations, op)
		for _, d := range depends {
			p.depend(home, d)
		}
		p.unitOf[op] = home
		if c == classLoop {
			for _, d := range depends {
				p.merge(home, d)
			}
		}
	}
	p.schedule()
}

// dependsOn returns the units that an operation of a class reads from, and the earliest stage in which
// it can run.
func (p *planner) dependsOn(op *operation, c class) (depends []*unit, stage int) {
	if c == classFallback {
		stage = 1
	}
	for _, v := range p.reads(op) {
		d := p.unitOf[v.op]
		if v.op == nil || d == nil {
			continue
		}
		if !slices.Contains(depends, d) {
			depends = append(depends, d)
		}
		at := d.stage
		if (c == classFallback) != (d.class == classFallback) {
			at++
		}
		stage = max(stage, at)
	}
	return depends, stage
}

// maxLoop is the largest number of operations in a loop.
const maxLoop = 48

// loopFor returns a loop among the inputs' that an operation can join: of the
// same size, and not one that another of its inputs waits for.
func (p *planner) loopFor(op *operation, depends []*unit, stage int) *unit {
	for _, c := range depends {
		if !p.inRegisters(op, c) || c.class != classLoop || c.stage != stage || len(c.operations) >= maxLoop ||
			!slices.Equal(c.operations[0].outputs[0].shape.Dimensions, op.outputs[0].shape.Dimensions) {
			continue
		}
		if !slices.ContainsFunc(depends, func(d *unit) bool { return d != c && waits(d, c) }) {
			return c
		}
	}
	return nil
}

// inRegisters reports whether an operation can read all that a loop computes
// block by block, without a look at other elements.
func (p *planner) inRegisters(op *operation, loop *unit) bool {
	for _, in := range op.inputs {
		r := root(in)
		if !isView(op.kind) {
			r = root(lookThrough(in))
		}
		if r.op != nil && p.unitOf[r.op] == loop && (r != in || isView(op.kind)) {
			return false
		}
	}
	return true
}

// merge makes one loop of two where that is possible: neither waits for the
// other through a third unit.
func (p *planner) merge(a, b *unit) {
	b = b.whole()
	if a == b || b.class != classLoop || a.stage != b.stage || len(a.operations)+len(b.operations) > maxLoop ||
		!slices.Equal(a.operations[0].outputs[0].shape.Dimensions, b.operations[0].outputs[0].shape.Dimensions) {
		return
	}
	through := func(from, to *unit) bool {
		return slices.ContainsFunc(from.depends, func(d *unit) bool { return d != to && waits(d, to) })
	}
	apart := func(a, b *unit) bool {
		return slices.ContainsFunc(a.operations, func(op *operation) bool { return !p.inRegisters(op, b) })
	}
	if apart(a, b) || apart(b, a) || through(a, b) || through(b, a) {
		return
	}
	for _, op := range b.operations {
		p.unitOf[op] = a
	}
	a.operations = append(a.operations, b.operations...)
	slices.SortFunc(a.operations, func(x, y *operation) int { return p.order[x] - p.order[y] })
	b.joined = a
	a.depends = slices.DeleteFunc(a.depends, func(d *unit) bool { return d == b })
	for _, d := range b.depends {
		p.depend(a, d)
	}
	for _, u := range b.users {
		if u = u.whole(); u != a {
			u.depends = slices.DeleteFunc(u.depends, func(d *unit) bool { return d == b })
			p.depend(u, a)
		}
	}
}

// schedule orders the units, dependencies first.
func (p *planner) schedule() {
	var order []*unit
	var visit func(u *unit)
	visit = func(u *unit) {
		if u.placed {
			return
		}
		u.placed = true
		for _, d := range u.depends {
			visit(d)
		}
		order = append(order, u)
	}
	for _, u := range slices.SortedStableFunc(slices.Values(p.units), func(a, b *unit) int { return a.stage - b.stage }) {
		if u.joined == nil {
			visit(u)
		}
	}
	p.units = order
	for _, u := range p.units {
		for _, op := range u.operations {
			for _, v := range p.reads(op) {
				if list := p.readers[v]; len(list) == 0 || list[len(list)-1] != u {
					p.readers[v] = append(list, u)
				}
			}
		}
	}
	for _, out := range p.g.outputs {
		p.readers[root(out)] = append(p.readers[root(out)], nil)
	}
}
