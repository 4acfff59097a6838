package cpu

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"

	"github.com/koopbench/koopbench/backend/cpu/internal/elementwise"
	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// A loop computes elementwise operations of one shape block by block, so
// that what passes from one to the next stays in the first-level cache.

const (
	loopBlock = 1024          // elements
	loopPart  = 4 * loopBlock // elements of one part
)

// isView reports whether an operation only reads its input in another order.
func isView(kind compute.OpType) bool {
	switch kind {
	case compute.OpTypeBroadcastInDim, compute.OpTypeTranspose, compute.OpTypeReverse, compute.OpTypeSlice:
		return true
	}
	return false
}

// operandDType is the dtype that decides which loop an operation takes.
func operandDType(op *operation) dtypes.DType {
	if op.kind == compute.OpTypeWhere {
		return op.inputs[1].shape.DType
	}
	return op.inputs[0].shape.DType
}

// loopable reports whether an operation can be part of a loop.
func loopable(op *operation) bool {
	if len(op.inputs) == 0 || len(op.outputs) != 1 {
		return false
	}
	if isView(op.kind) {
		size := op.inputs[0].shape.DType.Size()
		return size == 1 || size == 2 || size == 4 || size == 8 || size == 16
	}
	if loopFunction(kernel.Generic, op) == nil {
		return false
	}
	out := op.outputs[0].shape.Dimensions
	for _, in := range op.inputs {
		d := in.shape.Dimensions
		if in.shape.Size() == 1 {
			continue
		}
		if len(d) != len(out) {
			return false
		}
		for k := range d {
			if d[k] != out[k] && d[k] != 1 {
				return false
			}
		}
	}
	return true
}

// loopFunction returns the loop of an operation, nil if there is none.
func loopFunction(set kernel.Set, op *operation) elementwise.Function {
	if op.kind == compute.OpTypeConvertDType {
		return elementwise.LookupConvert(op.inputs[0].shape.DType, op.outputs[0].shape.DType)
	}
	dtype := operandDType(op)
	switch dtype {
	case dtypes.Float32:
		if f := vectorFunction[float32](set, op.kind); f != nil {
			return f
		}
	case dtypes.Float64:
		if f := vectorFunction[float64](set, op.kind); f != nil {
			return f
		}
	}
	return elementwise.Lookup(op.kind, dtype)
}

var binaryKernels = map[compute.OpType]kernel.BinaryOp{
	compute.OpTypeAdd: kernel.Add, compute.OpTypeSub: kernel.Sub, compute.OpTypeMul: kernel.Mul,
	compute.OpTypeDiv: kernel.Div, compute.OpTypeMax: kernel.Max, compute.OpTypeMin: kernel.Min,
}

var unaryKernels = map[compute.OpType]kernel.UnaryOp{
	compute.OpTypeNeg: kernel.Neg, compute.OpTypeAbs: kernel.Abs, compute.OpTypeSqrt: kernel.Sqrt,
	compute.OpTypeRsqrt: kernel.Rsqrt, compute.OpTypeExp: kernel.Exp, compute.OpTypeExpm1: kernel.Expm1,
	compute.OpTypeLog: kernel.Log, compute.OpTypeLog1p: kernel.Log1p, compute.OpTypeTanh: kernel.Tanh,
	compute.OpTypeLogistic: kernel.Sigmoid, compute.OpTypeSin: kernel.Sin, compute.OpTypeCos: kernel.Cos,
	compute.OpTypeErf: kernel.Erf, compute.OpTypeRound: kernel.Round,
	compute.OpTypeFloor: kernel.Floor, compute.OpTypeCeil: kernel.Ceil, compute.OpTypeSign: kernel.Sign,
	opPassesGradient: kernel.NotNegative, opIsPositive: kernel.Positive,
}

// vectorFunction returns a loop of the kernel set.
func vectorFunction[T float32 | float64](set kernel.Set, kind compute.OpType) elementwise.Function {
	if op, ok := binaryKernels[kind]; ok {
		return func(dst, a, b, _ unsafe.Pointer, n int) {
			kernel.Binary(set, op, slice[T](dst, n), slice[T](a, n), slice[T](b, n))
		}
	}
	if op, ok := unaryKernels[kind]; ok {
		return func(dst, a, _, _ unsafe.Pointer, n int) { kernel.Unary(set, op, slice[T](dst, n), slice[T](a, n)) }
	}
	return nil
}

// lookThrough returns the value that a loop reads for an operand: what was
// broadcast, where it was.
func lookThrough(v *value) *value {
	if v.op != nil && v.op.kind == compute.OpTypeBroadcastInDim {
		return v.op.inputs[0]
	}
	return v
}

// rowMajor returns the strides of a dense array.
func rowMajor(dims []int) []int {
	out := make([]int, len(dims))
	n := 1
	for i, d := range slices.Backward(dims) {
		out[i] = n
		n *= d
	}
	return out
}

// operandView returns the value in memory that a loop over out reads for
// operand v, and how.
func operandView(v *value, out []int) (*value, elementwise.Strided) {
	view := elementwise.Strided{Dims: out, Strides: make([]int, len(out)), Size: v.shape.DType.Size()}
	if src := lookThrough(v); src != v && slices.Equal(v.shape.Dimensions, out) {
		broadcastStrides(view.Strides, src.shape.Dimensions, broadcastAxes(v.op), out)
		return root(src), view.Collapse()
	} else if src != v {
		// Broadcast to fewer elements than the loop has: one, or some axes.
		strides := make([]int, len(v.shape.Dimensions))
		broadcastStrides(strides, src.shape.Dimensions, broadcastAxes(v.op), v.shape.Dimensions)
		if len(strides) == len(out) {
			copy(view.Strides, strides)
		}
		return root(src), view.Collapse()
	}
	if v.shape.Size() == 1 {
		return root(v), view.Collapse()
	}
	strides := rowMajor(v.shape.Dimensions)
	for k, d := range v.shape.Dimensions {
		if d == out[k] {
			view.Strides[k] = strides[k]
		}
	}
	return root(v), view.Collapse()
}

// broadcastStrides sets the strides with which an array of dims from is read
// as one of dims to.
func broadcastStrides(strides, from, axes, to []int) {
	for i, s := range rowMajor(from) {
		if from[i] == to[axes[i]] && from[i] != 1 {
			strides[axes[i]] = s
		}
	}
}

// viewOf returns what a view operation reads.
func viewOf(op *operation) (*value, elementwise.Strided) {
	x, out := op.inputs[0], op.outputs[0].shape.Dimensions
	strides := rowMajor(x.shape.Dimensions)
	view := elementwise.Strided{Dims: out, Strides: make([]int, len(out)), Size: x.shape.DType.Size()}
	switch op.kind {
	case compute.OpTypeBroadcastInDim:
		broadcastStrides(view.Strides, x.shape.Dimensions, broadcastAxes(op), out)
	case compute.OpTypeTranspose:
		for k, p := range op.attrs.(axesAttrs).axes {
			view.Strides[k] = strides[p]
		}
	case compute.OpTypeReverse:
		copy(view.Strides, strides)
		for _, k := range op.attrs.(axesAttrs).axes {
			view.Offset += (out[k] - 1) * strides[k]
			view.Strides[k] = -strides[k]
		}
	case compute.OpTypeSlice:
		a := op.attrs.(sliceAttrs)
		for k := range out {
			view.Offset += a.starts[k] * strides[k]
			view.Strides[k] = strides[k]
			if len(a.strides) > 0 {
				view.Strides[k] *= a.strides[k]
			}
		}
	}
	return root(x), view.Collapse()
}

// register is where a loop keeps a block of values.
type register struct {
	view   elementwise.Strided // of memory, if slot ≥ 0
	slot   int                 // of the operand or result, −1: scratch
	direct bool                // the block is used where it lies in memory
	splat  bool                // one value, repeated once for a part
	size   int                 // bytes of an element
	place  int                 // index of the block in scratch, −1: none
}

// instruction is one operation of a loop on registers.
type instruction struct {
	f         elementwise.Function
	dst, a, b int
	c         int
}

type loop struct {
	size      int // elements
	registers []register
	gathered  []int // registers that are read with strides
	splats    []int
	code      []instruction
	scratch   int // slot
	stride    int
	blockSize int // bytes of a scratch block
}

// maxRegisters bounds a loop's registers.
const maxRegisters = 4*maxLoop + 1

func (p *planner) lowerLoop(u *unit) {
	out := u.operations[0].outputs[0].shape
	l := &loop{size: out.Size(), blockSize: loopBlock * 8}
	for _, op := range u.operations {
		l.blockSize = max(l.blockSize, loopBlock*op.outputs[0].shape.DType.Size())
	}
	s := &step{name: loopName(u)}
	registerOf := map[*value]int{}
	operands := map[string]int{}
	load := func(v *value, view elementwise.Strided) int {
		key := fmt.Sprintf("%p %v", v, view)
		if r, ok := operands[key]; ok {
			return r
		}
		r := register{view: view, slot: p.slot(v), size: view.Size, place: -1}
		switch {
		case view.Contiguous():
			r.direct = true
		case view.Offset == 0 && len(view.Dims) == 1 && view.Strides[0] == 0:
			r.splat = true
			l.splats = append(l.splats, len(l.registers))
		default:
			l.gathered = append(l.gathered, len(l.registers))
		}
		if !slices.Contains(s.reads, v) {
			s.reads = append(s.reads, v)
		}
		operands[key] = len(l.registers)
		l.registers = append(l.registers, r)
		return operands[key]
	}
	for _, op := range u.operations {
		ins := instruction{a: -1, b: -1, c: -1}
		y := op.outputs[0]
		if isView(op.kind) {
			ins.f = elementwise.Lookup(compute.OpTypeIdentity, y.shape.DType)
			ins.a = load(viewOf(op))
		} else {
			ins.f = loopFunction(p.g.backend.kernels, op)
			for i, in := range op.inputs {
				r, ok := registerOf[in]
				if !ok {
					r = load(operandView(in, out.Dimensions))
				}
				*[]*int{&ins.a, &ins.b, &ins.c}[i] = r
			}
		}
		r := register{slot: -1, size: y.shape.DType.Size(), place: -1}
		if p.needed[y] && p.leaves(y, u) {
			r.slot, r.direct = p.slot(y), true
			s.writes = append(s.writes, y)
		}
		ins.dst = len(l.registers)
		registerOf[y] = ins.dst
		l.registers = append(l.registers, r)
		l.code = append(l.code, ins)
	}
	blocks := l.allocate()
	if blocks > 0 {
		scratch, stride := p.scratch(blocks * l.blockSize)
		l.scratch, l.stride = p.slot(scratch), stride
		s.writes = append(s.writes, scratch)
	}
	s.flops = arithmetic(u) * int64(l.size)
	s.parts = (l.size + loopPart - 1) / loopPart
	s.run = l.run
	p.add(s)
}

// allocate gives registers that are not used in place blocks of scratch,
// shared by those that are never live together, and returns their number.
func (l *loop) allocate() int {
	last := make([]int, len(l.registers))
	for i, ins := range l.code {
		for _, r := range []int{ins.dst, ins.a, ins.b, ins.c} {
			if r >= 0 {
				last[r] = i
			}
		}
	}
	blocks := 0
	var free []int
	take := func(r int) {
		if n := len(free); n > 0 {
			l.registers[r].place, free = free[n-1], free[:n-1]
			return
		}
		l.registers[r].place = blocks
		blocks++
	}
	for r := range l.registers {
		if reg := &l.registers[r]; reg.slot >= 0 && !reg.direct {
			take(r) // splats stay for the whole part, gathered operands are read at the start of a block
		}
	}
	for i, ins := range l.code {
		if !l.registers[ins.dst].direct {
			take(ins.dst)
		}
		for _, r := range []int{ins.a, ins.b, ins.c, ins.dst} {
			if r >= 0 && last[r] == i && l.registers[r].slot < 0 && l.registers[r].place >= 0 &&
				!slices.Contains(free, l.registers[r].place) {
				free = append(free, l.registers[r].place)
			}
		}
	}
	return blocks
}

func (l *loop) run(f *frame, part, worker int) {
	var pointers [maxRegisters]unsafe.Pointer
	from, to := part*loopPart, min((part+1)*loopPart, l.size)
	var scratch unsafe.Pointer
	if l.stride > 0 {
		scratch = f.scratch(l.scratch, worker, l.stride)
	}
	for i := range l.registers {
		r := &l.registers[i]
		if !r.direct {
			pointers[i] = unsafe.Add(scratch, r.place*l.blockSize)
		}
	}
	for _, i := range l.splats {
		r := &l.registers[i]
		r.view.Gather(pointers[i], f.memory[r.slot], 0, min(loopBlock, to-from))
	}
	for at := from; at < to; at += loopBlock {
		n := min(loopBlock, to-at)
		for i := range l.registers {
			if r := &l.registers[i]; r.direct {
				pointers[i] = unsafe.Add(f.memory[r.slot], at*r.size)
			}
		}
		for _, i := range l.gathered {
			r := &l.registers[i]
			r.view.Gather(pointers[i], f.memory[r.slot], at, n)
		}
		for k := range l.code {
			ins := &l.code[k]
			var a, b, c unsafe.Pointer
			if ins.a >= 0 {
				a = pointers[ins.a]
			}
			if ins.b >= 0 {
				b = pointers[ins.b]
			}
			if ins.c >= 0 {
				c = pointers[ins.c]
			}
			ins.f(pointers[ins.dst], a, b, c, n)
		}
	}
}

// arithmetic is the number of a loop's operations that compute something.
func arithmetic(u *unit) int64 {
	n := 0
	for _, op := range u.operations {
		if !isView(op.kind) && op.kind != compute.OpTypeConvertDType {
			n++
		}
	}
	return int64(n)
}

func loopName(u *unit) string {
	var names []string
	for _, op := range u.operations {
		name := op.kind.String()
		switch op.kind {
		case opPassesGradient:
			name = "PassesGradient"
		case opIsPositive:
			name = "IsPositive"
		}
		names = append(names, name)
	}
	if len(names) > 6 {
		names = append(names[:6], "…")
	}
	return fmt.Sprintf("loop %v %s", u.operations[0].outputs[0].shape.Dimensions, strings.Join(names, "+"))
}
