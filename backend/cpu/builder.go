package cpu

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

var _ compute.Builder = (*Builder)(nil)

// Builder records a computation. Each operation is also added to a builder of the Go backend, the
// shadow, which checks it and infers its shapes. So both backends accept the same graphs with the
// same errors. If the graph cannot be planned here, the shadow runs.
type Builder struct {
	backend  *Backend
	shadow   compute.Builder
	main     *Function
	opaque   string // why the graph runs whole on the Go backend; "" if it does not
	compiled bool
}

// emitter adds one operation to a function of another builder.
type emitter func(f compute.Function, in []compute.Value) ([]compute.Value, error)

// operation is one recorded operation.
type operation struct {
	kind    compute.OpType
	attrs   any // comparable by its %v form; nil: never merged with another
	inputs  []*value
	outputs []*value
	emit    emitter
}

// value is one output of an operation: what GoMLX sees as a compute.Value.
type value struct {
	function *Function
	op       *operation
	index    int // among the outputs of op
	shape    shapes.Shape
	shadow   compute.Value
}

func newBuilder(b *Backend, name string) *Builder {
	shadow := b.fallback.Builder(name)
	builder := &Builder{backend: b, shadow: shadow}
	builder.main = &Function{builder: builder, shadow: shadow.Main()}
	return builder
}

// Name returns the name of the computation.
func (b *Builder) Name() string { return b.shadow.Name() }

// Main returns the function that Compile compiles.
func (b *Builder) Main() compute.Function { return b.main }

// NewFunction adds a named function. A graph with functions runs on the Go backend as a whole.
func (b *Builder) NewFunction(name string) (compute.Function, error) {
	shadow, err := b.shadow.NewFunction(name)
	if err != nil {
		return nil, err
	}
	b.setOpaque("it has functions")
	return &Function{builder: b, shadow: shadow}, nil
}

// OpShape returns the shape of a value.
func (b *Builder) OpShape(op compute.Value) (shapes.Shape, error) {
	v, err := b.value(op)
	if err != nil {
		return shapes.Invalid(), err
	}
	return v.shape, nil
}

// DistributedSPMD is not implemented, as in the Go backend.
func (b *Builder) DistributedSPMD(numDevices int) error { return b.shadow.DistributedSPMD(numDevices) }

// DistributedAutoSharding is not implemented, as in the Go backend.
func (b *Builder) DistributedAutoSharding(meshes ...compute.Mesh) error {
	return b.shadow.DistributedAutoSharding(meshes...)
}

// DeviceAssignment accepts the only device, 0.
func (b *Builder) DeviceAssignment(devices ...compute.DeviceNum) error {
	return b.shadow.DeviceAssignment(devices...)
}

// Compile plans the main function and returns its executable. The builder accepts no further
// operations.
func (b *Builder) Compile() (_ compute.Executable, err error) {
	defer recoverError("compile", &err)
	if b.compiled {
		return nil, fmt.Errorf("cpu backend: computation %q is already compiled", b.Name())
	}
	if !b.main.returned {
		return nil, fmt.Errorf("cpu backend: computation %q: call Return on its main function before Compile", b.Name())
	}
	b.compiled = true
	if b.opaque != "" || b.backend.mode == modeFallback {
		inner, err := b.shadow.Compile()
		if err != nil {
			return nil, err
		}
		why := b.opaque
		if why == "" {
			why = "graph=fallback"
		}
		return &fallbackExecutable{b.backend, inner, fmt.Sprintf("graph %q: %s", b.Name(), why)}, nil
	}
	return newPlan(b)
}

func (b *Builder) setOpaque(why string) {
	if b.opaque == "" {
		b.opaque = why
	}
}

// value checks that v was recorded by this builder.
func (b *Builder) value(v compute.Value) (*value, error) {
	out, ok := v.(*value)
	switch {
	case v == nil || ok && out == nil:
		return nil, fmt.Errorf("cpu backend: a value is nil in computation %q", b.Name())
	case !ok:
		return nil, fmt.Errorf("cpu backend: computation %q got a value of another backend (%T)", b.Name(), v)
	case out.function.builder != b:
		return nil, fmt.Errorf("cpu backend: computation %q got a value of computation %q", b.Name(),
			out.function.builder.Name())
	}
	return out, nil
}

// recoverError turns a panic into an error of the named phase.
func recoverError(phase string, err *error) {
	if r := recover(); r != nil {
		*err = panicError(phase, r)
	}
}

func panicError(phase string, r any) error {
	if e, ok := r.(error); ok {
		return fmt.Errorf("cpu backend: %s: %w", phase, e)
	}
	return fmt.Errorf("cpu backend: %s: %v", phase, r)
}
