package cpu

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// window is the attribute of opWindow and opWindowGradient: a window over the
// middle axes of [n, h, w, c].
type window struct {
	reduction     compute.ReduceOpType
	height, width int
	strideHeight  int
	strideWidth   int
	top, left     int // padding
}

// canonicalPool turns reductions over windows of two axes of float32 images,
// and SelectAndScatter, into opMaxPool and opMaxPoolGradient, where windows
// of 2×2 lie side by side, else into opWindow and opWindowGradient.
func (g *graph) canonicalPool(op *operation) *value {
	a := op.attrs.(windowAttrs)
	x, out := op.inputs[0], op.outputs[0]
	rank := x.shape.Rank()
	if x.shape.DType != dtypes.Float32 || rank != 4 || x.shape.Size() == 0 || out.shape.Size() == 0 ||
		len(a.window) != rank ||
		!isOne(a.inputDilations) || !isOne(a.dilations) || a.reduction == compute.ReduceOpProduct {
		return nil
	}
	strides, pads := a.strides, a.paddings
	if len(strides) == 0 {
		strides = a.window
	}
	if len(pads) == 0 {
		pads = make([][2]int, rank)
	}
	var windows, others []int
	for axis, w := range a.window {
		switch {
		case pads[axis][0] < 0 || pads[axis][1] < 0:
			return nil
		case w == 1 && strides[axis] == 1 && pads[axis] == [2]int{}:
			others = append(others, axis)
		default:
			windows = append(windows, axis)
		}
	}
	if len(windows) > 2 {
		return nil
	}
	for len(windows) < 2 {
		windows, others = append(windows, others[1]), slices.Delete(others, 1, 2)
	}
	h, w := windows[0], windows[1]
	perm := []int{others[0], h, w, others[1]}
	images := g.transpose(x, perm)
	d := images.shape.Dimensions
	scatter := op.kind != compute.OpTypeReduceWindow
	if a.reduction == compute.ReduceOpMax && a.window[h] == 2 && a.window[w] == 2 && strides[h] == 2 && strides[w] == 2 &&
		pads[h] == [2]int{} && pads[w] == [2]int{} && d[1] >= 2 && d[2] >= 2 {
		pool := g.maxPool(images)
		if !scatter {
			return g.transpose(pool.outputs[0], inverse(perm))
		}
		grad := g.transpose(op.inputs[1], perm)
		return g.transpose(g.emit1(opMaxPoolGradient, noAttrs{}, images.shape, nil, grad, pool.outputs[1]), inverse(perm))
	}
	attrs := window{a.reduction, a.window[h], a.window[w], strides[h], strides[w], pads[h][0], pads[w][0]}
	if scatter {
		grad := g.transpose(op.inputs[1], perm)
		return g.transpose(g.emit1(opWindowGradient, attrs, images.shape, nil, images, grad), inverse(perm))
	}
	o := out.shape.Dimensions
	return g.transpose(g.emit1(opWindow, attrs, shapes.Make(dtypes.Float32, d[0], o[h], o[w], d[3]), nil, images),
		inverse(perm))
}

// maxPool returns the opMaxPool of images, one for the pool and its gradient.
func (g *graph) maxPool(images *value) *operation {
	if pool := g.pools[images]; pool != nil {
		return pool
	}
	d := images.shape.Dimensions
	pool := &operation{kind: opMaxPool, attrs: noAttrs{}, inputs: []*value{images}}
	pool.outputs = []*value{
		{op: pool, shape: shapes.Make(dtypes.Float32, d[0], d[1]/2, d[2]/2, d[3])},
		{op: pool, index: 1, shape: shapes.Make(dtypes.Uint8, d[0], d[1]/2, d[2]/2, d[3])},
	}
	g.pools[images] = pool
	g.operations = append(g.operations, pool)
	return pool
}

func (p *planner) lowerMaxPool(op *operation) {
	set, x := p.set(), op.inputs[0]
	d := x.shape.Dimensions
	y, winner := op.outputs[0], p.used(op, 1)
	nx, ny := x.shape.Size(), y.shape.Size()
	sx, sy, swin := p.slot(x), p.slot(y), p.slotOf(winner)
	p.add(&step{name: fmt.Sprintf("max-pool %v", d), parts: d[0], reads: []*value{x}, writes: present(y, winner),
		run: func(f *frame, part, _ int) {
			set.MaxPool(0, part, part+1, d[1], d[2], d[3], at[float32](f, sx, nx), at[float32](f, sy, ny),
				optionalAt[uint8](f, swin, ny))
		}})
}

func (p *planner) lowerMaxPoolGradient(op *operation) {
	set, g, winner, dx := p.set(), op.inputs[0], op.inputs[1], op.outputs[0]
	d := dx.shape.Dimensions
	nx, ng := dx.shape.Size(), g.shape.Size()
	sg, swin, sx := p.slot(g), p.slot(winner), p.slot(dx)
	p.add(&step{name: fmt.Sprintf("max-pool gradient %v", d), parts: d[0], reads: []*value{g, winner},
		writes: []*value{dx}, run: func(f *frame, part, _ int) {
			set.MaxPoolGradient(part, part+1, d[1], d[2], d[3], at[float32](f, sg, ng), at[uint8](f, swin, ng),
				at[float32](f, sx, nx))
		}})
}

// span returns the part of a window at output index o that lies inside n.
func span(o, stride, pad, size, n int) (lo, hi int) {
	lo = o*stride - pad
	return max(lo, 0), min(lo+size, n)
}

func (p *planner) lowerWindow(op *operation) {
	a := op.attrs.(window)
	x, y := op.inputs[0], op.outputs[0]
	in, out := x.shape.Dimensions, y.shape.Dimensions
	channels, image, result := in[3], in[1]*in[2]*in[3], out[1]*out[2]*out[3]
	start, combine := float32(0), func(v, w float32) float32 { return v + w }
	switch a.reduction {
	case compute.ReduceOpMax:
		start, combine = float32(math.Inf(-1)), func(v, w float32) float32 { return max(v, w) }
	case compute.ReduceOpMin:
		start, combine = float32(math.Inf(1)), func(v, w float32) float32 { return min(v, w) }
	}
	sx, sy := p.slot(x), p.slot(y)
	p.add(&step{
		name:  fmt.Sprintf("window %s %v %d×%d", a.reduction, in, a.height, a.width),
		flops: int64(y.shape.Size()) * int64(a.height*a.width),
		parts: in[0], reads: []*value{x}, writes: []*value{y}, run: func(f *frame, part, _ int) {
			src, dst := at[float32](f, sx, in[0]*image)[part*image:][:image], at[float32](f, sy,
				in[0]*result)[part*result:][:result]
			for i := range out[1] {
				top, bottom := span(i, a.strideHeight, a.top, a.height, in[1])
				for j := range out[2] {
					left, right := span(j, a.strideWidth, a.left, a.width, in[2])
					d := dst[(i*out[2]+j)*channels:][:channels]
					for k := range d {
						d[k] = start
					}
					for r := top; r < bottom; r++ {
						for c := left; c < right; c++ {
							for k, v := range src[(r*in[2]+c)*channels:][:channels] {
								d[k] = combine(d[k], v)
							}
						}
					}
				}
			}
		},
	})
}

// lowerWindowGradient adds each value of g to the element that its window
// selects: the first of the largest (or smallest), of several NaN the last.
func (p *planner) lowerWindowGradient(op *operation) {
	a := op.attrs.(window)
	x, g, dx := op.inputs[0], op.inputs[1], op.outputs[0]
	in, out := x.shape.Dimensions, g.shape.Dimensions
	channels, image, result := in[3], in[1]*in[2]*in[3], out[1]*out[2]*out[3]
	smallest := a.reduction == compute.ReduceOpMin
	sx, sg, sd := p.slot(x), p.slot(g), p.slot(dx)
	p.add(&step{
		name: fmt.Sprintf("window gradient %v %d×%d", in, a.height, a.width), parts: in[0], reads: []*value{x, g},
		writes: []*value{dx},
		run: func(f *frame, part, _ int) {
			src, grad := at[float32](f, sx, in[0]*image)[part*image:][:image], at[float32](f, sg,
				in[0]*result)[part*result:][:result]
			dst := at[float32](f, sd, in[0]*image)[part*image:][:image]
			clear(dst)
			for i := range out[1] {
				top, bottom := span(i, a.strideHeight, a.top, a.height, in[1])
				for j := range out[2] {
					left, right := span(j, a.strideWidth, a.left, a.width, in[2])
					for k := range channels {
						best := -1
						for r := top; r < bottom; r++ {
							for c := left; c < right; c++ {
								at := (r*in[2]+c)*channels + k
								v := src[at]
								if best < 0 || v != v || !smallest && v > src[best] || smallest && v < src[best] {
									best = at
								}
							}
						}
						if best >= 0 {
							dst[best] += grad[(i*out[2]+j)*channels+k]
						}
					}
				}
			}
		},
	})
}

func isOne(x []int) bool { return !slices.ContainsFunc(x, func(v int) bool { return v != 1 }) }
