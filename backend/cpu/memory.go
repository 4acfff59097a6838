package cpu

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/gomlx/compute/shapes"
)

// Where values live: in parameters and constants, in outputs, in buffers that
// the Go backend reads, and else in one block of memory, the arena.

// output is how a plan makes one output.
type output struct {
	shape shapes.Shape
	slot  int  // whose memory is the output's
	own   bool // allocated before the steps; else a step on the Go backend brings it
}

// place claims outputs: a value that is an output is written where it is
// returned; parameters, constants and values returned twice are copied.
func (p *planner) place() (outputs []output, copied []*value) {
	copied = make([]*value, len(p.g.outputs))
	for i, out := range p.g.outputs {
		r := root(out)
		_, twice := p.claimed[r]
		u := p.unitOf[r.op]
		plain := r.op != nil && u != nil && !twice &&
			(r.shape.Equal(out.shape) || u.class != classFallback && !p.pinned[r])
		if plain {
			p.claimed[r] = i
			outputs = append(outputs, output{out.shape, p.slot(r), u.class != classFallback})
			continue
		}
		t := &value{shape: out.shape}
		copied[i] = t
		p.claimed[t] = i
		outputs = append(outputs, output{out.shape, p.slot(t), true})
	}
	return outputs, copied
}

// copySteps adds the steps that copy outputs.
func (p *planner) copySteps(copied []*value) {
	for i, t := range copied {
		if t == nil {
			continue
		}
		from, to, n := p.slot(p.g.outputs[i]), p.slot(t), bytes(t.shape)
		p.add(&step{name: fmt.Sprintf("copy %v", t.shape.Dimensions), reads: []*value{p.g.outputs[i]}, writes: []*value{t},
			run: func(f *frame, _, _ int) {
				copy(f.bytes(to, n), f.bytes(from, n))
			}})
	}
}

// bytes is the memory that a shape takes.
func bytes(s shapes.Shape) int { return s.DType.SizeForDimensions(s.Dimensions...) }

// placement is the place of a slot in the arena, or the index of its parameter.
type placement struct{ slot, offset int }

// arena gives each value that lives between steps a place in one block of
// memory, such that values alive at the same time do not overlap.
func (p *planner) arena() (places []placement, size int) {
	type life struct {
		v           *value
		first, last int
		size        int
	}
	var lives []*life
	byValue := map[*value]*life{}
	for i, s := range p.steps {
		for _, v := range s.writes {
			if _, ok := p.claimed[v]; ok || p.pinned[v] || s.group != nil {
				continue
			}
			if byValue[v] == nil {
				l := &life{v, i, i, (bytes(v.shape) + 63) &^ 63}
				byValue[v] = l
				lives = append(lives, l)
			}
			byValue[v].last = i
		}
		for _, v := range s.reads {
			if l := byValue[v]; l != nil {
				l.last = i
			}
		}
	}
	// Large values first, each at the lowest place that is free throughout its life.
	slices.SortStableFunc(lives, func(a, b *life) int { return b.size - a.size })
	done := arenaPlaces{alive: make([][]*placed, len(p.steps))}
	for _, l := range lives {
		offset := done.place(l.first, l.last, l.size)
		places = append(places, placement{p.slot(l.v), offset})
		size = max(size, offset+l.size)
	}
	return places, size
}

// placed is a value that has its place in the arena, from the first step of its life to the last.
type placed struct{ first, last, offset, size int }

// arenaPlaces are the values that have their places.
type arenaPlaces struct {
	all   []*placed   // by offset
	alive [][]*placed // at each step
}

// place gives a value the lowest place that is free throughout its life.
func (a *arenaPlaces) place(first, last, size int) int {
	offset := 0
	for _, d := range a.during(first, last) {
		if d.first > last || d.last < first {
			continue
		}
		if offset+size <= d.offset {
			break
		}
		offset = max(offset, d.offset+d.size)
	}
	now := &placed{first, last, offset, size}
	at, _ := slices.BinarySearchFunc(a.all, offset, func(d *placed, o int) int { return d.offset - o })
	a.all = slices.Insert(a.all, at, now)
	for step := first; step <= last; step++ {
		a.alive[step] = append(a.alive[step], now)
	}
	return offset
}

// during returns, by offset, at least the values that are alive at some of these steps: all values, if
// these are not many more.
func (a *arenaPlaces) during(first, last int) []*placed {
	n := 0
	for step := first; step <= last && n < len(a.all); step++ {
		n += len(a.alive[step])
	}
	if n >= len(a.all) {
		return a.all
	}
	found := slices.Concat(a.alive[first : last+1]...)
	slices.SortFunc(found, func(x, y *placed) int { return x.offset - y.offset })
	return found
}

func bytesOf(flat any, shape shapes.Shape) []byte {
	return unsafe.Slice((*byte)(memoryOf(flat)), bytes(shape))
}
