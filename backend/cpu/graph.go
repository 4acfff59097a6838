package cpu

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// The operations that a graph holds beside GoMLX's after its passes.
const (
	// opPassesGradient is 0 where x < 0, else 1: what GoMLX's gradient of Max(x, 0) spells Sign(Add(Sign(x), 1)).
	opPassesGradient = iota + compute.OpTypeLast + 1
	// opIsPositive is 1 where x > 0, else 0: what GoMLX's gradient of Max(0, x) spells 1 − PassesGradient(0 − x).
	opIsPositive
	// opConv: x, w[, bias] → y[, winner]; attributes convolution.
	opConv
	// opConvKernelGradient: x, g[, winner] → dw[, db]; attributes convolution.
	opConvKernelGradient
	// opConvInputGradient: g, w[, winner] → dx; attributes convolution.
	opConvInputGradient
	// opMaxPool: x → y[, winner], 2×2 windows of NHWC images.
	opMaxPool
	// opMaxPoolGradient: g, winner → dx.
	opMaxPoolGradient
	// opWindow: x → y; opWindowGradient: x, g → dx; attributes window.
	opWindow
	opWindowGradient
	// opMatMul: a, b → c; attributes matMul.
	opMatMul
	// opFoldWeights and opUnfoldWeights: w → w; attributes kernel.Conv. See upsample.go.
	opFoldWeights
	opUnfoldWeights
	// opReLUGradient: g, winner → dx.
	opReLUGradient
)

// graph is what passes work on: the operations that the outputs depend on,
// inputs before users.
type graph struct {
	backend    *Backend
	operations []*operation
	outputs    []*value
	replaced   map[*value]*value
	known      map[string]*operation // by key, for common subexpressions
	pools      map[*value]*operation // opMaxPool by its input
}

func (g *graph) resolve(v *value) *value {
	for {
		r, ok := g.replaced[v]
		if !ok {
			return v
		}
		v = r
	}
}

// newGraph takes over a recorded function, simplified: aliases resolved, dead
// code gone, common subexpressions merged, constants folded, convolutions
// and pools in one form.
func newGraph(b *Builder) (*graph, error) {
	g := &graph{backend: b.backend, replaced: map[*value]*value{}, known: map[string]*operation{},
		pools: map[*value]*operation{}}
	for _, op := range live(b.main.operations, b.main.outputs) {
		own := *op
		own.inputs = slices.Clone(op.inputs)
		for i, in := range own.inputs {
			own.inputs[i] = g.resolve(in)
		}
		own.outputs = make([]*value, len(op.outputs))
		for i, out := range op.outputs {
			own.outputs[i] = &value{op: &own, index: i, shape: out.shape}
			g.replaced[out] = own.outputs[i]
		}
		if err := g.add(&own); err != nil {
			return nil, err
		}
	}
	for _, out := range b.main.outputs {
		g.outputs = append(g.outputs, g.resolve(out))
	}
	g.sweep()
	return g, nil
}

// sweep drops what no output depends on.
func (g *graph) sweep() {
	g.rename()
	g.operations = live(g.operations, g.outputs)
}

// rename lets operations and outputs use what replaced their inputs.
func (g *graph) rename() {
	for i, out := range g.outputs {
		g.outputs[i] = g.resolve(out)
	}
	for _, op := range g.operations {
		for i, in := range op.inputs {
			op.inputs[i] = g.resolve(in)
		}
	}
}

// live returns those operations that outputs depend on, inputs before users.
func live(operations []*operation, outputs []*value) []*operation {
	seen := map[*operation]bool{}
	var order []*operation
	var visit func(op *operation)
	visit = func(op *operation) {
		if op == nil || seen[op] {
			return
		}
		seen[op] = true
		for _, in := range op.inputs {
			visit(in.op)
		}
		order = append(order, op)
	}
	for _, out := range outputs {
		visit(out.op)
	}
	// The recorded order is a good schedule: keep it where it is one.
	position := map[*operation]int{}
	for i, op := range operations {
		position[op] = i
	}
	sorted := slices.Clone(order)
	slices.SortStableFunc(sorted, func(a, b *operation) int { return position[a] - position[b] })
	done := map[*operation]bool{}
	for _, op := range sorted {
		for _, in := range op.inputs {
			if in.op != nil && !done[in.op] {
				return order
			}
		}
		done[op] = true
	}
	return sorted
}

// add appends an operation, simplified.
func (g *graph) add(op *operation) error {
	if alias := g.aliasOf(op); alias != nil {
		g.replaced[op.outputs[0]] = alias
		return nil
	}
	if op.kind == compute.OpTypeOptimizationBarrier || op.kind == compute.OpTypeSchedulingBarrier {
		for i, out := range op.outputs {
			g.replaced[out] = op.inputs[i]
		}
		return nil
	}
	if key, ok := g.key(op); ok {
		if same := g.known[key]; same != nil {
			for i, out := range op.outputs {
				g.replaced[out] = same.outputs[i]
			}
			return nil
		}
		g.known[key] = op
	}
	folded, err := g.fold(op)
	if err != nil {
		return err
	}
	if folded {
		return nil
	}
	if g.canonical(op) {
		return nil
	}
	g.operations = append(g.operations, op)
	return nil
}

// emit1 adds an operation with one output and returns that.
func (g *graph) emit1(kind compute.OpType, attrs any, shape shapes.Shape, emit emitter, inputs ...*value) *value {
	op := &operation{kind: kind, attrs: attrs, inputs: inputs, emit: emit}
	v := &value{op: op, shape: shape}
	op.outputs = []*value{v}
	if err := g.add(op); err != nil {
		panic(err)
	}
	return g.resolve(v)
}

func (g *graph) transpose(x *value, perm []int) *value {
	dims := make([]int, len(perm))
	for i, p := range perm {
		dims[i] = x.shape.Dimensions[p]
	}
	return g.emit1(compute.OpTypeTranspose, axesAttrs{perm}, shapes.Make(x.shape.DType, dims...),
		func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(f.Transpose(in[0], perm...))
		}, x)
}

// key identifies what an operation computes, if that can be said in a string.
func (g *graph) key(op *operation) (string, bool) {
	if op.attrs == nil || op.kind == compute.OpTypeParameter {
		return "", false
	}
	var s strings.Builder
	fmt.Fprint(&s, op.kind, " ", op.outputs[0].shape)
	if c, ok := op.attrs.(constantAttrs); ok {
		if op.outputs[0].shape.Size() > maxFolded {
			return "", false
		}
		fmt.Fprintf(&s, " %x", bytesOf(c.flat, op.outputs[0].shape))
	} else {
		fmt.Fprintf(&s, " %v", op.attrs)
	}
	for _, in := range op.inputs {
		fmt.Fprintf(&s, " %p", in)
	}
	return s.String(), true
}

// aliasOf returns the input that a one-output operation merely repeats.
func (g *graph) aliasOf(op *operation) *value {
	if len(op.inputs) == 0 || len(op.outputs) != 1 {
		return nil
	}
	x, out := op.inputs[0], op.outputs[0]
	same := func(v *value) bool { return v.shape.Equal(out.shape) }
	switch op.kind {
	case compute.OpTypeIdentity:
		return x
	case compute.OpTypeReshape, compute.OpTypeBroadcastInDim, compute.OpTypeConvertDType:
		if same(x) {
			return x
		}
	case compute.OpTypeConcatenate:
		if len(op.inputs) == 1 {
			return x
		}
	case compute.OpTypeTranspose:
		if isIota(op.attrs.(axesAttrs).axes) {
			return x
		}
	case compute.OpTypeSub: // x − 0 is x, also for −0 and NaN
		if same(x) && isConstant(op.inputs[1], 0) {
			return x
		}
	case compute.OpTypeMul, compute.OpTypeDiv:
		if same(x) && isConstant(op.inputs[1], 1) {
			return x
		}
		if op.kind == compute.OpTypeMul && same(op.inputs[1]) && isConstant(x, 1) {
			return op.inputs[1]
		}
	}
	return nil
}

func isIota(axes []int) bool {
	for i, a := range axes {
		if i != a {
			return false
		}
	}
	return true
}

// isConstant reports whether every element of v is known to be c, with its sign if that is zero.
func isConstant(v *value, c float64) bool {
	for v.op != nil && (v.op.kind == compute.OpTypeReshape || v.op.kind == compute.OpTypeBroadcastInDim) {
		v = v.op.inputs[0]
	}
	if v.op == nil || v.op.kind != compute.OpTypeConstant || v.shape.Size() != 1 {
		return false
	}
	switch flat := v.op.attrs.(constantAttrs).flat.(type) {
	case []float32:
		return math.Float32bits(flat[0]) == math.Float32bits(float32(c))
	case []float64:
		return math.Float64bits(flat[0]) == math.Float64bits(c)
	}
	return false
}

// maxFolded is the size in elements to which constants are folded.
const maxFolded = 1 << 12

// fold computes an elementwise operation on constants on the Go backend, once.
func (g *graph) fold(op *operation) (bool, error) {
	if op.kind > compute.OpTypeLast || len(op.outputs) != 1 || op.outputs[0].shape.Size() > maxFolded ||
		op.kind != compute.OpTypeIota && op.kind != compute.OpTypeConcatenate && !loopable(op) {
		return false, nil
	}
	for _, in := range op.inputs {
		if _, ok := constantOf(in); !ok {
			return false, nil
		}
	}
	if op.kind == compute.OpTypeBroadcastInDim && op.inputs[0].shape.Size() != op.outputs[0].shape.Size() {
		return false, nil // loops read through it
	}
	builder := g.backend.fallback.Builder("fold")
	group := newGroup(builder.Main())
	v, err := group.value(op.outputs[0])
	if err != nil {
		return false, err
	}
	if err := builder.Main().Return([]compute.Value{v}, nil); err != nil {
		return false, err
	}
	exec, err := builder.Compile()
	if err != nil {
		return false, err
	}
	defer exec.Finalize()
	out, err := exec.Execute(nil, nil, 0)
	if err != nil {
		return false, err
	}
	shape := op.outputs[0].shape
	flat := dtypes.MakeAnySlice(shape.DType, shape.Size())
	if err := out[0].ToFlatData(flat); err != nil {
		return false, err
	}
	g.replaced[op.outputs[0]] = g.constant(flat, shape)
	return true, nil
}

func (g *graph) constant(flat any, shape shapes.Shape) *value {
	return g.emit1(compute.OpTypeConstant, constantAttrs{flat}, shape,
		func(f compute.Function, _ []compute.Value) ([]compute.Value, error) {
			return one(f.Constant(flat, shape.Dimensions...))
		})
}

// constantOf looks through reshapes.
func constantOf(v *value) (*value, bool) {
	for v.op != nil && v.op.kind == compute.OpTypeReshape {
		v = v.op.inputs[0]
	}
	return v, v.op != nil && v.op.kind == compute.OpTypeConstant
}

// uses counts how operations and outputs use values.
type uses map[*value][]*operation

// usesOf returns the users of each value; an output counts as a use by nil.
func (g *graph) usesOf() uses {
	u := uses{}
	for _, op := range g.operations {
		for _, in := range op.inputs {
			if list := u[in]; len(list) == 0 || list[len(list)-1] != op {
				u[in] = append(u[in], op)
			}
		}
	}
	for _, out := range g.outputs {
		u[out] = append(u[out], nil)
	}
	return u
}

// only reports whether v is used by these operations and nothing else.
func (u uses) only(v *value, ops ...*operation) bool {
	for _, user := range u[v] {
		if user == nil || !slices.Contains(ops, user) {
			return false
		}
	}
	return true
}

// group replays operations into a function of the Go backend.
type group struct {
	function compute.Function
	members  map[*operation]bool // operations to replay; nil: all
	values   map[*value]compute.Value
	inputs   []*value // that became parameters, in order
}

func newGroup(f compute.Function) *group {
	return &group{function: f, values: map[*value]compute.Value{}}
}

// value returns v in the function, replaying or adding a parameter.
func (r *group) value(v *value) (compute.Value, error) {
	if out, ok := r.values[v]; ok {
		return out, nil
	}
	op := v.op
	replay := op != nil && (r.members == nil || r.members[op] || op.kind == compute.OpTypeReshape ||
		op.kind == compute.OpTypeConstant)
	if !replay {
		p, err := r.function.Parameter(fmt.Sprintf("p%d", len(r.inputs)), v.shape, nil)
		if err != nil {
			return nil, err
		}
		r.inputs = append(r.inputs, v)
		r.values[v] = p
		return p, nil
	}
	in := make([]compute.Value, len(op.inputs))
	for i, x := range op.inputs {
		var err error
		if in[i], err = r.value(x); err != nil {
			return nil, err
		}
	}
	if op.emit == nil {
		return nil, fmt.Errorf("cpu backend: operation %v of shape %v has no form for the Go backend", op.kind,
			op.outputs[0].shape)
	}
	out, err := op.emit(r.function, in)
	if err != nil {
		return nil, err
	}
	for i, o := range op.outputs {
		r.values[o] = out[i]
	}
	return r.values[v], nil
}
