package cpu

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// convolution is the attribute of the three convolution operations. geometry
// is that of the forward convolution, also for its gradients.
type convolution struct {
	geometry kernel.Conv
	images   int
	epilogue kernel.Epilogue // what came before y, or what g is the gradient of
}

// canonical replaces an operation by the form that has kernels, and reports
// whether it did. Layouts other than NHWC are transposed.
func (g *graph) canonical(op *operation) bool {
	if !plannable(op) {
		return false
	}
	var v *value
	switch op.kind {
	case compute.OpTypeSign:
		v = g.passesGradient(op)
	case compute.OpTypeSub:
		v = g.isPositive(op)
	case compute.OpTypeTranspose:
		v = g.mergeTransposes(op)
	case compute.OpTypeReshape:
		if in := op.inputs[0]; in.op != nil && in.op.kind == compute.OpTypeReshape {
			dims := op.outputs[0].shape.Dimensions
			v = g.emit1(compute.OpTypeReshape, axesAttrs{dims}, op.outputs[0].shape,
				func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
					return one(f.Reshape(in[0], dims...))
				}, in.op.inputs[0])
		}
	case compute.OpTypePad:
		v = g.canonicalPad(op)
	case compute.OpTypeConvGeneral:
		v = g.canonicalConv(op)
	case compute.OpTypeDotGeneral:
		v = g.canonicalDot(op)
	case compute.OpTypeReduceWindow, compute.OpTypeSelectAndScatterMax, compute.OpTypeSelectAndScatterMin:
		v = g.canonicalPool(op)
	}
	if v == nil {
		v = g.sinkTranspose(op)
	}
	if v == nil {
		return false
	}
	g.replaced[op.outputs[0]] = v
	return true
}

// sinkTranspose moves a transpose of images from before an elementwise
// operation to behind it, where it meets the one that undoes it: networks
// whose channels come first then look like the others.
func (g *graph) sinkTranspose(op *operation) *value {
	if len(op.inputs) == 0 || len(op.outputs) != 1 || op.outputs[0].shape.Rank() != 4 || isView(op.kind) || !loopable(op) {
		return nil
	}
	out := op.outputs[0].shape
	var perm []int
	for _, in := range op.inputs {
		if in.op != nil && in.op.kind == compute.OpTypeTranspose && slices.Equal(in.shape.Dimensions, out.Dimensions) {
			perm = in.op.attrs.(axesAttrs).axes
			break
		}
	}
	if perm == nil {
		return nil
	}
	undo := inverse(perm)
	inputs := make([]*value, len(op.inputs))
	for i, in := range op.inputs {
		d := in.shape.Dimensions
		switch {
		case in.op != nil && in.op.kind == compute.OpTypeTranspose && slices.Equal(in.op.attrs.(axesAttrs).axes, perm):
			inputs[i] = in.op.inputs[0]
		case len(d) == 0:
			inputs[i] = in
		case len(d) == 4 && in.shape.Size() == slices.Max(d): // one long axis: its order is the same
			dims := make([]int, 4)
			for k, axis := range undo {
				dims[k] = d[axis]
			}
			inputs[i] = g.reshape(in, dims...)
		default:
			return nil
		}
	}
	dims := make([]int, 4)
	for k, axis := range undo {
		dims[k] = out.Dimensions[axis]
	}
	return g.transpose(g.emit1(op.kind, op.attrs, shapes.Make(out.DType, dims...), op.emit, inputs...), perm)
}

// passesGradient recognises Sign(Add(Sign(x), 1)).
func (g *graph) passesGradient(op *operation) *value {
	add := op.inputs[0].op
	if add == nil || add.kind != compute.OpTypeAdd || !op.outputs[0].shape.DType.IsFloat() {
		return nil
	}
	for i, in := range add.inputs {
		if in.op != nil && in.op.kind == compute.OpTypeSign && isConstant(add.inputs[1-i], 1) &&
			in.shape.Equal(op.outputs[0].shape) &&
			(in.shape.DType == dtypes.Float32 || in.shape.DType == dtypes.Float64) {
			return g.emit1(opPassesGradient, noAttrs{}, op.outputs[0].shape, nil, in.op.inputs[0])
		}
	}
	return nil
}

// isPositive recognises 1 − PassesGradient(0 − x).
func (g *graph) isPositive(op *operation) *value {
	m := op.inputs[1].op
	if m == nil || m.kind != opPassesGradient || !isConstant(op.inputs[0], 1) ||
		!op.inputs[1].shape.Equal(op.outputs[0].shape) {
		return nil
	}
	minus := m.inputs[0].op
	if minus == nil || minus.kind != compute.OpTypeSub || !isConstant(minus.inputs[0], 0) ||
		!minus.inputs[1].shape.Equal(op.outputs[0].shape) {
		return nil
	}
	return g.emit1(opIsPositive, noAttrs{}, op.outputs[0].shape, nil, minus.inputs[1])
}

func (g *graph) mergeTransposes(op *operation) *value {
	in := op.inputs[0]
	if in.op == nil || in.op.kind != compute.OpTypeTranspose {
		return nil
	}
	first, second := in.op.attrs.(axesAttrs).axes, op.attrs.(axesAttrs).axes
	perm := make([]int, len(first))
	for i, p := range second {
		perm[i] = first[p]
	}
	return g.transpose(in.op.inputs[0], perm)
}

// inverse returns the permutation that undoes perm.
func inverse(perm []int) []int {
	out := make([]int, len(perm))
	for i, p := range perm {
		out[p] = i
	}
	return out
}

// canonicalPad turns a Pad that removes elements into a Slice and a Pad that
// adds.
func (g *graph) canonicalPad(op *operation) *value {
	x, out := op.inputs[0], op.outputs[0]
	rank := x.shape.Rank()
	pads := make([]compute.PadAxis, rank)
	copy(pads, op.attrs.(padAttrs).axes)
	if padable(op) || x.shape.Size() == 0 || out.shape.Size() == 0 {
		return nil
	}
	starts, limits := make([]int, rank), make([]int, rank)
	for k, a := range pads {
		step, n := a.Interior+1, out.shape.Dimensions[k]
		if a.Interior < 0 {
			return nil
		}
		if a.Start < 0 {
			starts[k] = (-a.Start + step - 1) / step
		}
		if n <= a.Start {
			return g.filled(op)
		}
		limits[k] = min(x.shape.Dimensions[k], (n-1-a.Start)/step+1)
		if starts[k] >= limits[k] {
			return g.filled(op)
		}
		pads[k].Start = starts[k]*step + a.Start
		pads[k].End = n - 1 - ((limits[k]-1)*step + a.Start)
	}
	return g.emit1(compute.OpTypePad, padAttrs{pads}, out.shape,
		func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(f.Pad(in[0], in[1], pads...))
		}, g.slice(x, starts, limits, nil), op.inputs[1])
}

// filled is the result of a Pad that leaves none of the elements: the value that it fills with.
func (g *graph) filled(pad *operation) *value {
	dims := pad.outputs[0].shape.Dimensions
	shape := pad.outputs[0].shape
	return g.emit1(compute.OpTypeBroadcastInDim, broadcastInDimAttrs{nil, dims}, shape,
		func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(f.BroadcastInDim(in[0], shape, nil))
		}, pad.inputs[1])
}

// matMul is the attribute of opMatMul: batch products of row-major matrices.
type matMul struct {
	batch   int
	product kernel.MatMul
}

// canonicalDot turns a DotGeneral of floats into opMatMul.
func (g *graph) canonicalDot(op *operation) *value {
	a := op.attrs.(dotAttrs)
	x, y, out := op.inputs[0], op.inputs[1], op.outputs[0]
	dtype := x.shape.DType
	if dtype != dtypes.Float32 && dtype != dtypes.Float64 || y.shape.DType != dtype || out.shape.DType != dtype ||
		a.config.AccumulatorDType != dtypes.InvalidDType && a.config.AccumulatorDType != dtype || out.shape.Size() == 0 ||
		x.shape.Size() == 0 {
		return nil
	}
	size := func(v *value, axes []int) int {
		n := 1
		for _, axis := range axes {
			n *= v.shape.Dimensions[axis]
		}
		return n
	}
	free := func(v *value, taken ...[]int) []int {
		var axes []int
		for axis := range v.shape.Rank() {
			if !slices.Contains(slices.Concat(taken...), axis) {
				axes = append(axes, axis)
			}
		}
		return axes
	}
	lhsFree, rhsFree := free(x, a.lhsContract, a.lhsBatch), free(y, a.rhsContract, a.rhsBatch)
	m, n, k := size(x, lhsFree), size(y, rhsFree), size(x, a.lhsContract)
	p := kernel.MatMul{M: m, N: n, K: k, LDA: k, LDB: n, LDC: n}
	if isIota(slices.Concat(a.lhsBatch, a.lhsContract, lhsFree)) &&
		!isIota(slices.Concat(a.lhsBatch, lhsFree, a.lhsContract)) {
		p.TransA, p.LDA = true, m
	} else {
		x = g.transpose(x, slices.Concat(a.lhsBatch, lhsFree, a.lhsContract))
	}
	if isIota(slices.Concat(a.rhsBatch, rhsFree, a.rhsContract)) &&
		!isIota(slices.Concat(a.rhsBatch, a.rhsContract, rhsFree)) {
		p.TransB, p.LDB = true, k
	} else {
		y = g.transpose(y, slices.Concat(a.rhsBatch, a.rhsContract, rhsFree))
	}
	return g.emit1(opMatMul, matMul{size(op.inputs[0], a.lhsBatch), p}, out.shape, nil, x, y)
}
