package cpu

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// A convolution of an image enlarged ×2 by nearest neighbour is one of the
// small image with smaller, summed weights and four times the channels: one
// group for each parity of the pixel's row and column (kernel.FoldUpsampling).
// So are its gradients.

// foldUpsampling replaces such convolutions and gradients.
func (g *graph) foldUpsampling() {
	g.known = map[string]*operation{} // fuse changed what it knew
	for _, op := range slices.Clone(g.operations) {
		switch op.kind {
		case opConv:
			g.foldConv(op)
		case opConvKernelGradient:
			g.foldKernelGradient(op)
		case opConvInputGradient:
			g.foldInputGradient(op)
		}
	}
	g.sweep()
}

// enlarged returns the small image [n, h, w, c] of which v is the enlarged
// one, nil if it is not.
func (g *graph) enlarged(v *value) *value {
	if v.op == nil || v.op.kind != compute.OpTypeReshape {
		return nil
	}
	b := v.op.inputs[0].op
	if b == nil || b.kind != compute.OpTypeBroadcastInDim {
		return nil
	}
	small, d := b.inputs[0], b.outputs[0].shape.Dimensions
	if len(d) != 6 || d[2] != 2 || d[4] != 2 || small.shape.Size()*4 != v.shape.Size() ||
		!slices.Equal(v.shape.Dimensions, []int{d[0], 2 * d[1], 2 * d[3], d[5]}) {
		return nil
	}
	strides := make([]int, 6)
	broadcastStrides(strides, small.shape.Dimensions, broadcastAxes(b), d)
	if strides[2] != 0 || strides[4] != 0 {
		return nil
	}
	return g.reshape(small, d[0], d[1], d[3], d[5])
}

func (g *graph) reshape(x *value, dims ...int) *value {
	return g.emit1(compute.OpTypeReshape, axesAttrs{dims}, shapes.Make(x.shape.DType, dims...),
		func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(f.Reshape(in[0], dims...))
		}, x)
}

// scatterParities turns [n, h, w, 4c] into [n, 2h, 2w, c].
func (g *graph) scatterParities(x *value) *value {
	d := x.shape.Dimensions
	x = g.reshape(x, d[0], d[1], d[2], 2, 2, d[3]/4)
	x = g.transpose(x, []int{0, 1, 3, 2, 4, 5})
	return g.reshape(x, d[0], 2*d[1], 2*d[2], d[3]/4)
}

// gatherParities turns [n, 2h, 2w, c] into [n, h, w, 4c].
func (g *graph) gatherParities(x *value) *value {
	d := x.shape.Dimensions
	x = g.reshape(x, d[0], d[1]/2, 2, d[2]/2, 2, d[3])
	x = g.transpose(x, []int{0, 1, 3, 2, 4, 5})
	return g.reshape(x, d[0], d[1]/2, d[2]/2, 4*d[3])
}

// folded returns the attribute of the folded convolution.
func folded(a convolution) (convolution, bool) {
	if a.epilogue&kernel.MaxPool2x2 != 0 {
		return a, false
	}
	c, ok := kernel.FoldUpsampling(&a.geometry)
	a.geometry = c
	return a, ok && c.Valid() == nil
}

func weightsShape(c kernel.Conv) shapes.Shape {
	return shapes.Make(dtypes.Float32, c.KernelHeight, c.KernelWidth, c.In, c.Out)
}

func (g *graph) foldWeights(a, small convolution, w *value) *value {
	return g.emit1(opFoldWeights, a.geometry, weightsShape(small.geometry), nil, w)
}

func (g *graph) foldConv(op *operation) {
	a := op.attrs.(convolution)
	x := g.enlarged(op.inputs[0])
	small, ok := folded(a)
	if x == nil || !ok {
		return
	}
	inputs := []*value{x, g.foldWeights(a, small, op.inputs[1])}
	if len(op.inputs) > 2 {
		n := a.geometry.Out
		dims := []int{4, n}
		b := g.emit1(compute.OpTypeBroadcastInDim, broadcastInDimAttrs{[]int{1}, dims}, shapes.Make(dtypes.Float32, dims...),
			nil, g.reshape(op.inputs[2], n))
		inputs = append(inputs, g.reshape(b, 4*n))
	}
	d := op.outputs[0].shape.Dimensions
	conv := &operation{kind: opConv, attrs: small, inputs: inputs}
	for i, out := range op.outputs {
		conv.outputs = append(conv.outputs, &value{op: conv, index: i, shape: shapes.Make(out.shape.DType, d[0], d[1]/2,
			d[2]/2, 4*d[3])})
	}
	g.operations = append(g.operations, conv)
	for i, out := range op.outputs {
		g.replaced[out] = g.scatterParities(conv.outputs[i])
	}
	g.rename()
}

func (g *graph) foldKernelGradient(op *operation) {
	a := op.attrs.(convolution)
	x := g.enlarged(op.inputs[0])
	small, ok := folded(a)
	if x == nil || !ok {
		return
	}
	inputs := []*value{x}
	for _, v := range op.inputs[1:] {
		inputs = append(inputs, g.gatherParities(v))
	}
	n := a.geometry.Out
	grad := &operation{kind: opConvKernelGradient, attrs: small, inputs: inputs}
	grad.outputs = []*value{{op: grad, shape: weightsShape(small.geometry)}}
	g.operations = append(g.operations, grad)
	g.replaced[op.outputs[0]] = g.emit1(opUnfoldWeights, a.geometry, op.outputs[0].shape, nil, grad.outputs[0])
	if len(op.outputs) > 1 {
		db := &value{op: grad, index: 1, shape: shapes.Make(dtypes.Float32, 4*n)}
		grad.outputs = append(grad.outputs, db)
		g.replaced[op.outputs[1]] = g.emit1(compute.OpTypeReduceSum, axesAttrs{[]int{0}}, shapes.Make(dtypes.Float32, n), nil,
			g.reshape(db, 4, n))
	}
	g.rename()
}

// foldInputGradient also takes over the sum over each group of four pixels,
// which must be the gradient's only use.
func (g *graph) foldInputGradient(op *operation) {
	a := op.attrs.(convolution)
	small, ok := folded(a)
	if !ok {
		return
	}
	back := small.geometry.InputGradient()
	u := g.usesOf()
	split := u.soleUser(op.outputs[0], compute.OpTypeReshape)
	if back.Valid() != nil || split == nil {
		return
	}
	sum := u.soleUser(split.outputs[0], compute.OpTypeReduceSum)
	if sum == nil || !slices.Equal(sum.attrs.(axesAttrs).axes, []int{2, 4}) {
		return
	}
	d := op.outputs[0].shape.Dimensions
	if !slices.Equal(split.outputs[0].shape.Dimensions, []int{d[0], d[1] / 2, 2, d[2] / 2, 2, d[3]}) {
		return
	}
	inputs := []*value{g.gatherParities(op.inputs[0]), g.foldWeights(a, small, op.inputs[1])}
	if len(op.inputs) > 2 {
		inputs = append(inputs, g.gatherParities(op.inputs[2]))
	}
	g.replaced[sum.outputs[0]] = g.emit1(opConvInputGradient, small, sum.outputs[0].shape, nil, inputs...)
	g.rename()
}

func (p *planner) lowerFoldWeights(op *operation) {
	p.weightsStep(op, "fold weights", kernel.FoldWeights)
}

func (p *planner) lowerUnfoldWeights(op *operation) {
	p.weightsStep(op, "unfold weights", kernel.UnfoldWeights)
}

func (p *planner) weightsStep(op *operation, name string,
	f func(s kernel.Set, c *kernel.Conv, lo, hi int, dst, src []float32)) {
	const block = 4 // input channels
	c, set := op.attrs.(kernel.Conv), p.set()
	x, y := op.inputs[0], op.outputs[0]
	nx, ny, sx, sy := x.shape.Size(), y.shape.Size(), p.slot(x), p.slot(y)
	p.add(&step{name: fmt.Sprintf("%s %v", name, x.shape.Dimensions), parts: (c.In + block - 1) / block,
		reads: []*value{x}, writes: []*value{y}, run: func(fr *frame, part, _ int) {
			f(set, &c, part*block, min((part+1)*block, c.In), at[float32](fr, sy, ny), at[float32](fr, sx, nx))
		}})
}
