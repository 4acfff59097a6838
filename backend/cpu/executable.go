package cpu

import (
	"fmt"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"

	"github.com/koopbench/koopbench/backend/cpu/internal/workers"
)

var _ compute.Executable = (*executable)(nil)

// executable is a planned computation. Executions at the same time have a
// frame each.
type executable struct {
	backend    *Backend
	name       string
	names      []string
	inputs     []shapes.Shape
	shapes     []shapes.Shape // of the outputs
	outputs    []output
	parameters []placement // slot, and index of the parameter
	constants  []constant
	pinned     []pin
	places     []placement
	arenaSize  int
	slots      int
	steps      []*step

	mu        sync.Mutex
	frames    []*frame // that no execution uses
	finalized bool
}

type constant struct {
	slot int
	flat any
}

// pin is memory that the Go backend reads: a buffer of its own.
type pin struct {
	slot  int
	shape shapes.Shape
}

// frame is the memory of one execution.
type frame struct {
	plan    *executable
	memory  []unsafe.Pointer // by slot
	held    []*storage       // by slot: of inputs, outputs, pins and the Go backend's results
	arena   []byte
	results []*storage
	job     workers.Job
	step    *step
	err     error // of a step on the Go backend
}

// Run runs a part of the current step.
func (f *frame) Run(part, worker int) { f.step.run(f, part, worker) }

func (f *frame) bytes(slot, n int) []byte { return unsafe.Slice((*byte)(f.memory[slot]), n) }

// scratch returns a worker's part of scratch memory.
func (f *frame) scratch(slot, worker, stride int) unsafe.Pointer {
	return unsafe.Add(f.memory[slot], worker*stride)
}

func slice[T any](p unsafe.Pointer, n int) []T { return unsafe.Slice((*T)(p), n) }

// at returns the first n values of a slot.
func at[T any](f *frame, slot, n int) []T { return unsafe.Slice((*T)(f.memory[slot]), n) }

func (e *executable) newFrame() (*frame, error) {
	f := &frame{plan: e, memory: make([]unsafe.Pointer, e.slots), held: make([]*storage, e.slots),
		results: make([]*storage, len(e.outputs))}
	const align = 64
	f.arena = make([]byte, e.arenaSize+align)
	base := unsafe.Pointer(unsafe.SliceData(f.arena))
	base = unsafe.Add(base, -int(uintptr(base))&(align-1))
	for _, p := range e.places {
		f.memory[p.slot] = unsafe.Add(base, p.offset)
	}
	for _, c := range e.constants {
		f.memory[c.slot] = memoryOf(c.flat)
	}
	for _, p := range e.pinned {
		s, err := e.backend.allocate(p.shape)
		if err != nil {
			return nil, err
		}
		f.held[p.slot], f.memory[p.slot] = s, s.memory
	}
	return f, nil
}

func (e *executable) frame() (*frame, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.finalized {
		return nil, fmt.Errorf("cpu backend: executable %q is finalized", e.name)
	}
	if n := len(e.frames); n > 0 {
		f := e.frames[n-1]
		e.frames = e.frames[:n-1]
		return f, nil
	}
	return e.newFrame()
}

func (e *executable) giveBack(f *frame) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.finalized {
		e.frames = append(e.frames, f)
	}
}

// Finalize frees the executable.
func (e *executable) Finalize() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.finalized, e.frames = true, nil
	for _, s := range e.steps {
		if s.group != nil {
			s.group.exec.Finalize()
		}
	}
}

// Inputs returns the parameters' names and shapes.
func (e *executable) Inputs() (names []string, inputShapes []shapes.Shape) {
	return slices.Clone(e.names), slices.Clone(e.inputs)
}

// Outputs returns the outputs' shapes.
func (e *executable) Outputs() []shapes.Shape { return slices.Clone(e.shapes) }

// Execute runs the plan. It may be called concurrently. Inputs marked in
// donate are invalid after it succeeds.
func (e *executable) Execute(inputs []compute.Buffer, donate []bool, _ compute.DeviceNum) ([]compute.Buffer, error) {
	if len(inputs) != len(e.inputs) {
		return nil, fmt.Errorf("cpu backend: %q has %d parameters, got %d inputs", e.name, len(e.inputs), len(inputs))
	}
	if len(donate) != 0 && len(donate) != len(inputs) {
		return nil, fmt.Errorf("cpu backend: %q got %d donate flags for %d inputs", e.name, len(donate), len(inputs))
	}
	f, err := e.frame()
	if err != nil {
		return nil, err
	}
	if err := e.execute(f, inputs); err != nil {
		// What a failed step left behind is not used again: drop the frame.
		return nil, err
	}
	out := make([]compute.Buffer, len(e.outputs))
	for i := range out {
		out[i] = e.backend.newBuffer(f.results[i])
		f.results[i] = nil
	}
	e.giveBack(f)
	consume(inputs, donate)
	return out, nil
}

func (e *executable) execute(f *frame, inputs []compute.Buffer) error {
	for i, b := range inputs {
		s, err := e.backend.input(b, i)
		if err != nil {
			return err
		}
		if !s.shape.Equal(e.inputs[i]) {
			return fmt.Errorf("cpu backend: input %d (%q) of %q has shape %s, want %s", i, e.names[i], e.name,
				s.shape, e.inputs[i])
		}
	}
	for _, p := range e.parameters {
		s, err := e.backend.input(inputs[p.offset], p.offset)
		if err != nil {
			return err
		}
		f.held[p.slot], f.memory[p.slot] = s, s.memory
	}
	for i, o := range e.outputs {
		if !o.own {
			continue
		}
		s, err := e.backend.allocate(o.shape)
		if err != nil {
			return err
		}
		f.results[i], f.held[o.slot], f.memory[o.slot] = s, s, s.memory
	}
	profiled := e.backend.profile.on.Load()
	for _, s := range e.steps {
		var begin time.Time
		if profiled {
			begin = time.Now()
		}
		f.step = s
		if err := e.backend.pool.Run(&f.job, f, s.parts); err != nil {
			return fmt.Errorf("cpu backend: %s: %w", s.name, err)
		}
		if f.err != nil {
			return fmt.Errorf("cpu backend: %w", f.err)
		}
		if profiled {
			e.backend.profile.add(s.name, s.where, s.flops, time.Since(begin))
		}
	}
	for i, o := range e.outputs {
		if !o.own {
			f.results[i] = f.held[o.slot]
			f.held[o.slot] = nil
		}
	}
	for _, s := range e.steps {
		if s.group != nil {
			s.group.release(f)
		}
	}
	// An idle frame keeps no inputs or outputs alive.
	for _, p := range e.parameters {
		f.held[p.slot], f.memory[p.slot] = nil, nil
	}
	for _, o := range e.outputs {
		f.held[o.slot], f.memory[o.slot] = nil, nil
	}
	return nil
}
