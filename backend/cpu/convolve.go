package cpu

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// The kernels convolve 2-D images with stride one, no dilation and no groups.
// This file reduces other convolutions to those: groups become convolutions
// of their own, dilations become zeros between elements, and of a strided
// result what is not wanted is computed and dropped. That multiplies the
// work by maxWaste at most, and is still far ahead of a loop without kernels.

const (
	maxWaste  = 36
	maxGroups = 64
)

func product(x []int) int {
	n := 1
	for _, v := range x {
		n *= v
	}
	return n
}

// canonicalConv turns a convolution into opConv or one of its gradients, with
// what they need around them. It returns nil if it must stay what it is.
func (g *graph) canonicalConv(op *operation) *value {
	a := op.attrs.(convAttrs)
	x, w, out := op.inputs[0], op.inputs[1], op.outputs[0]
	rank := x.shape.Rank()
	if x.shape.DType != dtypes.Float32 || w.shape.DType != dtypes.Float32 || out.shape.DType != dtypes.Float32 ||
		rank != 3 && rank != 4 || x.shape.Size() == 0 || w.shape.Size() == 0 ||
		out.shape.Size() == 0 ||
		slices.ContainsFunc(a.paddings, func(p [2]int) bool { return p[0] < 0 || p[1] < 0 }) {
		return nil
	}
	switch {
	case a.channelGroupCount > 1:
		n := a.channelGroupCount
		a.channelGroupCount = 1
		return g.splitGroups(a, n, a.axes.InputChannels, x, w, out)
	case a.batchGroupCount > 1:
		n := a.batchGroupCount
		a.batchGroupCount = 1
		return g.splitGroups(a, n, a.axes.InputBatch, x, w, out)
	case isOne(a.strides) && isOne(a.inputDilations) && isOne(a.kernelDilations):
		return g.plainConv(a, x, w, out)
	case product(a.strides)*product(a.inputDilations)*product(a.kernelDilations) > maxWaste:
		return nil
	}
	// Zeros between elements for dilations; a strided slice of the whole result.
	x = g.spread(x, a.axes.InputSpatial, a.inputDilations)
	if w.op != nil && w.op.kind == compute.OpTypeReverse {
		axes := w.op.attrs.(axesAttrs).axes
		w = g.spread(w.op.inputs[0], a.axes.KernelSpatial, a.kernelDilations)
		w = g.emit1(compute.OpTypeReverse, axesAttrs{axes}, w.shape,
			func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
				return one(f.Reverse(in[0], axes...))
			}, w)
	} else {
		w = g.spread(w, a.axes.KernelSpatial, a.kernelDilations)
	}
	dims := slices.Clone(out.shape.Dimensions)
	strides := make([]int, rank)
	for k := range strides {
		strides[k] = 1
	}
	for i, axis := range a.axes.OutputSpatial {
		pad := 0
		if len(a.paddings) > 0 {
			pad = a.paddings[i][0] + a.paddings[i][1]
		}
		dims[axis] = x.shape.Dimensions[a.axes.InputSpatial[i]] + pad - w.shape.Dimensions[a.axes.KernelSpatial[i]] + 1
		if len(a.strides) > 0 {
			strides[axis] = a.strides[i]
		}
	}
	a.strides, a.inputDilations, a.kernelDilations = nil, nil, nil
	y := g.convGeneral(a, x, w, dims)
	limits := make([]int, rank)
	for k, n := range out.shape.Dimensions {
		limits[k] = (n-1)*strides[k] + 1
	}
	return g.slice(y, make([]int, rank), limits, strides)
}

// splitGroups convolves each of n groups of the input's channels, or of its batch, by itself, with its
// share of the output channels.
func (g *graph) splitGroups(a convAttrs, n, grouped int, x, w, out *value) *value {
	if n > maxGroups {
		return nil
	}
	part := func(v *value, axis, i int) *value {
		d := v.shape.Dimensions
		starts, limits := make([]int, len(d)), slices.Clone(d)
		starts[axis], limits[axis] = i*d[axis]/n, (i+1)*d[axis]/n
		return g.slice(v, starts, limits, nil)
	}
	dims := slices.Clone(out.shape.Dimensions)
	axis := a.axes.OutputChannels
	dims[axis] /= n
	parts := make([]*value, n)
	for i := range n {
		parts[i] = g.convGeneral(a, part(x, grouped, i), part(w, a.axes.KernelOutputChannels, i), dims)
	}
	return g.emit1(compute.OpTypeConcatenate, concatAttrs{axis}, out.shape,
		func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(f.Concatenate(axis, in...))
		}, parts...)
}

func (g *graph) convGeneral(a convAttrs, x, w *value, dims []int) *value {
	return g.emit1(compute.OpTypeConvGeneral, a, shapes.Make(dtypes.Float32, dims...),
		func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(f.ConvGeneral(in[0], in[1], a.axes, a.strides, a.paddings, a.inputDilations, a.kernelDilations,
				a.channelGroupCount, a.batchGroupCount))
		}, x, w)
}

// spread puts dilation − 1 zeros between the elements along axes.
func (g *graph) spread(x *value, axes, dilations []int) *value {
	if isOne(dilations) {
		return x
	}
	pads := make([]compute.PadAxis, x.shape.Rank())
	dims := slices.Clone(x.shape.Dimensions)
	for i, axis := range axes {
		pads[axis].Interior = dilations[i] - 1
		dims[axis] = (dims[axis]-1)*dilations[i] + 1
	}
	zero := g.constant([]float32{0}, shapes.Make(dtypes.Float32))
	return g.emit1(compute.OpTypePad, padAttrs{pads}, shapes.Make(x.shape.DType, dims...),
		func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(f.Pad(in[0], in[1], pads...))
		}, x, zero)
}

func (g *graph) slice(x *value, starts, limits, strides []int) *value {
	dims := make([]int, len(starts))
	for k := range dims {
		step := 1
		if len(strides) > 0 {
			step = strides[k]
		}
		dims[k] = (limits[k] - starts[k] + step - 1) / step
	}
	if slices.Equal(dims, x.shape.Dimensions) {
		return x
	}
	return g.emit1(compute.OpTypeSlice, sliceAttrs{starts, limits, strides}, shapes.Make(x.shape.DType, dims...),
		func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(f.Slice(in[0], starts, limits, strides))
		}, x)
}

// images returns x with axes permuted to batch (or what takes its place),
// spatial axes, last; sequences become images of height one.
func (g *graph) images(x *value, batch int, spatial []int, last int) *value {
	x = g.transpose(x, slices.Concat([]int{batch}, spatial, []int{last}))
	if d := x.shape.Dimensions; len(d) == 3 {
		return g.reshape(x, d[0], 1, d[1], d[2])
	}
	return x
}

// weights returns w with axes permuted to spatial axes, in, out.
func (g *graph) weights(w *value, spatial []int, in, out int) *value {
	w = g.transpose(w, slices.Concat(spatial, []int{in, out}))
	if d := w.shape.Dimensions; len(d) == 3 {
		return g.reshape(w, 1, d[0], d[1], d[2])
	}
	return w
}

// plainConv turns a convolution that kernels can do into opConv or one of its
// gradients. Other layouts than NHWC are transposed.
func (g *graph) plainConv(a convAttrs, x, w, out *value) *value {
	var pad [2][2]int
	ax := a.axes
	two := func(v *value, axes []int) [2]int {
		if len(axes) == 1 {
			return [2]int{1, v.shape.Dimensions[axes[0]]}
		}
		return [2]int{v.shape.Dimensions[axes[0]], v.shape.Dimensions[axes[1]]}
	}
	copy(pad[2-len(ax.InputSpatial):], a.paddings)
	in, k, y := two(x, ax.InputSpatial), two(w, ax.KernelSpatial), two(out, ax.OutputSpatial)
	dims := func(v *value, axis int) int { return v.shape.Dimensions[axis] }
	batch, channels := dims(x, ax.InputBatch), dims(x, ax.InputChannels)
	kernelIn, kernelOut := dims(w, ax.KernelInputChannels), dims(w, ax.KernelOutputChannels)

	// A kernel larger than the result: the gradient of a convolution's
	// weights, its batch as channels here and its channels as batch.
	if k[0] >= y[0] && k[1] > y[1] {
		c := kernel.Conv{
			Height: in[0], Width: in[1], In: batch, KernelHeight: y[0], KernelWidth: y[1], Out: kernelOut,
			PadTop: pad[0][0], PadBottom: pad[0][1], PadLeft: pad[1][0], PadRight: pad[1][1],
		}
		if c.Valid() != nil || c.OutHeight() != k[0] || c.OutWidth() != k[1] {
			return nil
		}
		images := g.images(x, ax.InputChannels, ax.InputSpatial, ax.InputBatch)
		grads := g.images(w, ax.KernelInputChannels, ax.KernelSpatial, ax.KernelOutputChannels)
		dw := g.emit1(opConvKernelGradient, convolution{c, channels, 0}, weightsShape(c), nil, images, grads)
		if len(ax.OutputSpatial) == 1 {
			dw = g.reshape(dw, y[1], batch, kernelOut)
		}
		return g.transpose(dw, inverse(slices.Concat(ax.OutputSpatial, []int{ax.OutputBatch, ax.OutputChannels})))
	}
	images := g.images(x, ax.InputBatch, ax.InputSpatial, ax.InputChannels)
	shape := shapes.Make(dtypes.Float32, batch, y[0], y[1], kernelOut)
	back := func(v *value) *value {
		if len(ax.OutputSpatial) == 1 {
			v = g.reshape(v, batch, y[1], kernelOut)
		}
		return g.transpose(v, inverse(slices.Concat([]int{ax.OutputBatch}, ax.OutputSpatial, []int{ax.OutputChannels})))
	}

	// Weights turned round: the gradient of a convolution's input.
	if w.op != nil && w.op.kind == compute.OpTypeReverse {
		turned, spatial := slices.Clone(w.op.attrs.(axesAttrs).axes), slices.Clone(ax.KernelSpatial)
		slices.Sort(turned)
		slices.Sort(spatial)
		c := kernel.Conv{
			Height: y[0], Width: y[1], In: kernelOut, KernelHeight: k[0], KernelWidth: k[1], Out: kernelIn,
			PadTop: k[0] - 1 - pad[0][0], PadBottom: k[0] - 1 - pad[0][1],
			PadLeft: k[1] - 1 - pad[1][0], PadRight: k[1] - 1 - pad[1][1],
		}
		gradient := c.InputGradient()
		if slices.Equal(turned, spatial) && c.Valid() == nil && gradient.Valid() == nil && c.OutHeight() == in[0] &&
			c.OutWidth() == in[1] {
			weights := g.weights(w.op.inputs[0], ax.KernelSpatial, ax.KernelOutputChannels, ax.KernelInputChannels)
			return back(g.emit1(opConvInputGradient, convolution{c, batch, 0}, shape, nil, images, weights))
		}
	}
	c := kernel.Conv{
		Height: in[0], Width: in[1], In: channels, KernelHeight: k[0], KernelWidth: k[1], Out: kernelOut,
		PadTop: pad[0][0], PadBottom: pad[0][1], PadLeft: pad[1][0], PadRight: pad[1][1],
	}
	if c.Valid() != nil || c.OutHeight() != y[0] || c.OutWidth() != y[1] {
		return nil
	}
	weights := g.weights(w, ax.KernelSpatial, ax.KernelInputChannels, ax.KernelOutputChannels)
	return back(g.emit1(opConv, convolution{c, batch, 0}, shape, nil, images, weights))
}
