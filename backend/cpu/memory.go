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
	type placed struct {
		*life
		offset int
	}
	var done []placed
	for _, l := range lives {
		offset := 0
		for _, d := range done { // done is sorted by offset
			if d.first > l.last || d.last < l.first {
				continue
			}
			if offset+l.size <= d.offset {
				break
			}
			offset = max(offset, d.offset+d.size)
		}
		at, _ := slices.BinarySearchFunc(done, offset, func(d placed, o int) int { return d.offset - o })
		done = slices.Insert(done, at, placed{l, offset})
		places = append(places, placement{p.slot(l.v), offset})
		size = max(size, offset+l.size)
	}
	return places, size
}

func bytesOf(flat any, shape shapes.Shape) []byte {
	return unsafe.Slice((*byte)(memoryOf(flat)), bytes(shape))
}
