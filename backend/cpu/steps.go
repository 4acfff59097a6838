package cpu

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"

	"github.com/koopbench/koopbench/backend/cpu/internal/elementwise"
	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// lowering returns what adds the steps of an operation with kernels of its
// own, nil if it has none.
func lowering(op *operation) func(p *planner, op *operation) {
	switch op.kind {
	case opConv:
		return (*planner).lowerConv
	case opConvKernelGradient:
		return (*planner).lowerConvKernelGradient
	case opConvInputGradient:
		return (*planner).lowerConvInputGradient
	case opMaxPool:
		return (*planner).lowerMaxPool
	case opMaxPoolGradient:
		return (*planner).lowerMaxPoolGradient
	case opWindow:
		return (*planner).lowerWindow
	case opWindowGradient:
		return (*planner).lowerWindowGradient
	case opReLUGradient:
		return (*planner).lowerReLUGradient
	case opFoldWeights:
		return (*planner).lowerFoldWeights
	case opUnfoldWeights:
		return (*planner).lowerUnfoldWeights
	case opMatMul:
		return lowerMatMul(op)
	case compute.OpTypeReduceSum, compute.OpTypeReduceMax, compute.OpTypeReduceMin, compute.OpTypeReduceProduct:
		return lowerReduce(op)
	case compute.OpTypeArgMinMax:
		return lowerArg(op)
	case compute.OpTypeConcatenate:
		return (*planner).lowerConcatenate
	case compute.OpTypeGather:
		return lowerGather(op)
	case compute.OpTypePad:
		if padable(op) {
			return (*planner).lowerPad
		}
	}
	return nil
}

func (p *planner) set() kernel.Set { return p.g.backend.kernels }

// used returns output i of an operation if anything reads it.
func (p *planner) used(op *operation, i int) *value {
	if i < len(op.outputs) && p.needed[op.outputs[i]] {
		return op.outputs[i]
	}
	return nil
}

// slotOf is slot for optional values: −1 for nil.
func (p *planner) slotOf(v *value) int {
	if v == nil {
		return -1
	}
	return p.slot(v)
}

// optionalAt is at for optional slots: nil for −1.
func optionalAt[T any](f *frame, slot, n int) []T {
	if slot < 0 {
		return nil
	}
	return at[T](f, slot, n)
}

func present(vs ...*value) []*value {
	return slices.DeleteFunc(vs, func(v *value) bool { return v == nil })
}

func describe(a convolution) string {
	c := a.geometry
	s := fmt.Sprintf("%d×%d×%d×%d %d×%d→%d", a.images, c.Height, c.Width, c.In, c.KernelHeight, c.KernelWidth, c.Out)
	if a.epilogue&kernel.ReLU != 0 {
		s += " relu"
	}
	if a.epilogue&kernel.MaxPool2x2 != 0 {
		s += " pool"
	}
	return s
}

func convFlops(a convolution) int64 {
	c := a.geometry
	return 2 * int64(a.images) * int64(c.OutHeight()*c.OutWidth()) *
		int64(c.KernelHeight*c.KernelWidth*c.In) * int64(c.Out)
}

// convBlock is the number of rows of a convolution's result that make a part: an image, or in small
// batches as few as are worth the attention of another thread.
func convBlock(a convolution) int {
	const fewImages, worthwhile = 8, 2_000_000 // floating-point operations
	rows := a.geometry.Rows(a.epilogue)
	if a.images >= fewImages {
		return rows
	}
	perRow := max(1, int(convFlops(a))/(a.images*rows))
	return min(rows, (worthwhile+perRow-1)/perRow)
}

func (p *planner) lowerConv(op *operation) {
	a := op.attrs.(convolution)
	c, e, set := a.geometry, a.epilogue, p.set()
	x, w := op.inputs[0], op.inputs[1]
	var bias *value
	if len(op.inputs) > 2 {
		bias = op.inputs[2]
	}
	y, winner := op.outputs[0], p.used(op, 1)
	packed := p.temporary(4 * set.PackedConvSize(&c))
	nx, nw, ny, npacked := x.shape.Size(), w.shape.Size(), y.shape.Size(), set.PackedConvSize(&c)
	sx, sw, sb, sy, swin, spacked := p.slot(x), p.slot(w), p.slotOf(bias), p.slot(y), p.slotOf(winner), p.slot(packed)
	p.add(&step{name: fmt.Sprintf("pack weights %v", w.shape.Dimensions), reads: []*value{w}, writes: []*value{packed},
		run: func(f *frame, _, _ int) {
			set.PackConv(&c, at[float32](f, spacked, npacked), at[float32](f, sw, nw))
		}})
	nscratch := set.ConvScratch(&c, e)
	scratch, stride := p.scratch(4 * nscratch)
	ss := p.slot(scratch)
	rows := a.images * c.Rows(e)
	block := convBlock(a)
	p.add(&step{
		name: "conv " + describe(a), flops: convFlops(a), parts: (rows + block - 1) / block,
		reads: present(x, packed, bias), writes: present(y, winner, scratch),
		run: func(f *frame, part, worker int) {
			set.Conv(&c, e, part*block, min((part+1)*block, rows), at[float32](f, sx, nx), at[float32](f, spacked, npacked),
				optionalAt[float32](f, sb, c.Out),
				at[float32](f, sy, ny), optionalAt[uint8](f, swin, ny), slice[float32](f.scratch(ss, worker, stride), nscratch))
		},
	})
}

func (p *planner) lowerConvInputGradient(op *operation) {
	a := op.attrs.(convolution)
	c, e, set := a.geometry, a.epilogue, p.set()
	g, w := op.inputs[0], op.inputs[1]
	var winner *value
	if len(op.inputs) > 2 {
		winner = op.inputs[2]
	}
	dx := op.outputs[0]
	back := c.InputGradient()
	packed := p.temporary(4 * set.PackedConvSize(&back))
	turned := p.temporary(4 * w.shape.Size())
	ng, nw, nx, npacked := g.shape.Size(), w.shape.Size(), dx.shape.Size(), set.PackedConvSize(&back)
	sg, sw, sx, swin, spacked, sturned := p.slot(g), p.slot(w), p.slot(dx), p.slotOf(winner), p.slot(packed),
		p.slot(turned)
	p.add(&step{name: fmt.Sprintf("pack weights %v", w.shape.Dimensions), reads: []*value{w},
		writes: []*value{packed, turned}, run: func(f *frame, _, _ int) {
			set.PackConvFlipped(&c, at[float32](f, spacked, npacked), at[float32](f, sw, nw), at[float32](f, sturned, nw))
		}})
	nscratch := set.ConvGradientScratch(&c)
	scratch, stride := p.scratch(4 * nscratch)
	ss := p.slot(scratch)
	p.add(&step{
		name: "conv input gradient " + describe(a), flops: convFlops(a), parts: a.images,
		reads: present(g, packed, winner), writes: present(dx, scratch),
		run: func(f *frame, part, worker int) {
			set.ConvInputGradient(&c, e, part, part+1, at[float32](f, spacked, npacked), at[float32](f, sg, ng),
				optionalAt[uint8](f, swin, ng),
				at[float32](f, sx, nx), slice[float32](f.scratch(ss, worker, stride), nscratch))
		},
	})
}

func (p *planner) lowerConvKernelGradient(op *operation) {
	a := op.attrs.(convolution)
	c, e, set := a.geometry, a.epilogue, p.set()
	x, g := op.inputs[0], op.inputs[1]
	var winner *value
	if len(op.inputs) > 2 {
		winner = op.inputs[2]
	}
	dw, db := op.outputs[0], p.used(op, 1)
	chunks := kernel.GradientChunks(a.images)
	nx, ng, nw, nb := x.shape.Size(), g.shape.Size(), dw.shape.Size(), 0
	if db != nil {
		nb = c.Out
	}
	partial := p.temporary(4 * chunks * (nw + nb))
	nscratch := set.ConvGradientScratch(&c)
	scratch, stride := p.scratch(4 * nscratch)
	sx, sg, swin, sw, sb, sp, ss := p.slot(x), p.slot(g), p.slotOf(winner), p.slot(dw), p.slotOf(db), p.slot(partial),
		p.slot(scratch)
	p.add(&step{
		name: "conv kernel gradient " + describe(a), flops: convFlops(a), parts: chunks,
		reads: present(x, g, winner), writes: []*value{partial, scratch},
		run: func(f *frame, part, worker int) {
			sums := at[float32](f, sp, chunks*(nw+nb))[part*(nw+nb):][: nw+nb : nw+nb]
			var bias []float32
			if nb > 0 {
				bias = sums[nw:]
			}
			set.ConvKernelGradient(&c, e, part, a.images, at[float32](f, sx, nx), at[float32](f, sg, ng),
				optionalAt[uint8](f, swin, ng),
				sums[:nw], bias, slice[float32](f.scratch(ss, worker, stride), nscratch))
		},
	})
	const block = 4096
	p.add(&step{
		name: fmt.Sprintf("sum kernel gradients %v", dw.shape.Dimensions), flops: int64(chunks-1) * int64(nw+nb),
		parts: (nw + block - 1) / block,
		reads: []*value{partial}, writes: present(dw, db),
		run: func(f *frame, part, _ int) {
			sums := at[float32](f, sp, chunks*(nw+nb))
			set.SumPartials(at[float32](f, sw, nw), sums, chunks, nw+nb, part*block, min((part+1)*block, nw))
			if part == 0 && nb > 0 {
				set.SumPartials(at[float32](f, sb, nb), sums[nw:], chunks, nw+nb, 0, nb)
			}
		},
	})
}

func (p *planner) lowerReLUGradient(op *operation) {
	set, g, winner, dx := p.set(), op.inputs[0], op.inputs[1], op.outputs[0]
	n := dx.shape.Size()
	sg, swin, sx := p.slot(g), p.slot(winner), p.slot(dx)
	p.add(&step{name: fmt.Sprintf("relu gradient %v", dx.shape.Dimensions), parts: (n + loopPart - 1) / loopPart,
		reads: []*value{g, winner}, writes: []*value{dx}, run: func(f *frame, part, _ int) {
			lo, hi := part*loopPart, min((part+1)*loopPart, n)
			set.ReLUGradient(at[float32](f, sx, n)[lo:hi], at[float32](f, sg, n)[lo:hi], at[uint8](f, swin, n)[lo:hi])
		}})
}

// lowerReduce returns the lowering of a reduction of floats.
func lowerReduce(op *operation) func(p *planner, op *operation) {
	switch op.inputs[0].shape.DType {
	case dtypes.Float32:
		return reduceSteps[float32]
	case dtypes.Float64:
		return reduceSteps[float64]
	}
	return nil
}

// reduceSteps reduces runs of neighbouring axes one after the other, the
// last first.
func reduceSteps[T float32 | float64](p *planner, op *operation) {
	var kind kernel.ReduceOp
	switch op.kind {
	case compute.OpTypeReduceMax:
		kind = kernel.ReduceMax
	case compute.OpTypeReduceMin:
		kind = kernel.ReduceMin
	case compute.OpTypeReduceProduct:
		kind = kernel.ReduceProduct
	default:
		kind = kernel.ReduceSum
	}
	x, y := op.inputs[0], op.outputs[0]
	dims := slices.Clone(x.shape.Dimensions)
	axes := slices.Clone(op.attrs.(axesAttrs).axes)
	if len(axes) == 0 {
		for k := range dims {
			axes = append(axes, k)
		}
	}
	reduced := make([]bool, len(dims))
	for _, k := range axes {
		reduced[k] = true
	}
	var size T
	bytes := int(unsafe.Sizeof(size))
	from := x
	for {
		hi := len(dims)
		for hi > 0 && !reduced[hi-1] {
			hi--
		}
		lo := hi
		for lo > 0 && reduced[lo-1] {
			lo--
		}
		outer, n, inner := product(dims[:lo]), product(dims[lo:hi]), product(dims[hi:])
		dims, reduced = slices.Delete(dims, lo, hi), slices.Delete(reduced, lo, hi)
		if !slices.Contains(reduced, true) {
			reduceRun[T](p, op, kind, from, y, outer, n, inner)
			return
		}
		t := p.temporary(bytes * outer * inner)
		reduceRun[T](p, op, kind, from, t, outer, n, inner)
		from = t
	}
}

// reduceRun reduces the middle of [outer, n, inner]. Where outer is one, it
// does so in chunks of fixed size.
func reduceRun[T float32 | float64](p *planner, op *operation, kind kernel.ReduceOp, from, to *value, outer,
	n, inner int) {
	const chunk = 1 << 14 // elements read by a part
	name := fmt.Sprintf("%s %d×%d×%d", op.kind, outer, n, inner)
	if rows := max(1, chunk/inner); outer == 1 && n > rows {
		parts := (n + rows - 1) / rows
		var size T
		t := p.temporary(int(unsafe.Sizeof(size)) * parts * inner)
		addReduce[T](p, name, kind, from, t, parts, rows, n, inner)
		from, n = t, parts
	}
	addReduce[T](p, name, kind, from, to, outer, n, outer*n, inner)
}

// addReduce adds the step that reduces total rows of inner elements, each
// group of n to one; the last group may have fewer.
func addReduce[T float32 | float64](p *planner, name string, kind kernel.ReduceOp, from, to *value, groups, n,
	total, inner int) {
	const chunk = 1 << 14
	set, sx, sy := p.set(), p.slot(from), p.slot(to)
	perPart := max(1, chunk/(n*inner))
	p.add(&step{name: name, flops: int64(total) * int64(inner), parts: (groups + perPart - 1) / perPart,
		reads: []*value{from}, writes: []*value{to}, run: func(f *frame, part, _ int) {
			x, y := at[T](f, sx, total*inner), at[T](f, sy, groups*inner)
			lo, hi := part*perPart, min((part+1)*perPart, groups)
			whole := min(hi, total/n)
			kernel.Reduce(set, kind, lo, whole, n, inner, y, x)
			if hi > whole {
				kernel.Reduce(set, kind, 0, 1, total-whole*n, inner, y[whole*inner:], x[whole*n*inner:])
			}
		}})
}

// lowerArg returns the lowering of an ArgMinMax of floats.
func lowerArg(op *operation) func(p *planner, op *operation) {
	type pair struct{ in, out dtypes.DType }
	switch (pair{op.inputs[0].shape.DType, op.outputs[0].shape.DType}) {
	case pair{dtypes.Float32, dtypes.Int32}:
		return argStep[float32, int32]
	case pair{dtypes.Float32, dtypes.Int64}:
		return argStep[float32, int64]
	case pair{dtypes.Float64, dtypes.Int32}:
		return argStep[float64, int32]
	case pair{dtypes.Float64, dtypes.Int64}:
		return argStep[float64, int64]
	}
	return nil
}

// argStep finds the first of the largest or smallest along an axis, or the
// last NaN.
func argStep[T float32 | float64, I int32 | int64](p *planner, op *operation) {
	a := op.attrs.(argAttrs)
	x, y := op.inputs[0], op.outputs[0]
	d := x.shape.Dimensions
	outer, n, inner := product(d[:a.axis]), d[a.axis], product(d[a.axis+1:])
	const chunk = 1 << 12 // elements read by a part
	perPart := max(1, chunk/(n*inner))
	sx, sy := p.slot(x), p.slot(y)
	p.add(&step{
		name: fmt.Sprintf("%s %d×%d×%d", op.kind, outer, n, inner), parts: (outer + perPart - 1) / perPart,
		reads: []*value{x}, writes: []*value{y}, run: func(f *frame, part, _ int) {
			values, index := at[T](f, sx, outer*n*inner), at[I](f, sy, outer*inner)
			for o := part * perPart; o < min((part+1)*perPart, outer); o++ {
				for i := range inner {
					row := values[o*n*inner+i:]
					best := 0
					for k := 1; k < n; k++ {
						v, w := row[k*inner], row[best*inner]
						if v != v || a.isMin && v < w || !a.isMin && v > w {
							best = k
						}
					}
					index[o*inner+i] = I(best)
				}
			}
		},
	})
}

func lowerMatMul(op *operation) func(p *planner, op *operation) {
	switch op.outputs[0].shape.DType {
	case dtypes.Float32:
		return matMulSteps[float32]
	case dtypes.Float64:
		return matMulSteps[float64]
	}
	return nil
}

func matMulSteps[T float32 | float64](p *planner, op *operation) {
	m := op.attrs.(matMul)
	set, g := p.set(), m.product
	a, b, c := op.inputs[0], op.inputs[1], op.outputs[0]
	na, nb, nc := g.M*g.K, g.K*g.N, g.M*g.N
	blocks := kernel.GemmBlocks[T](set, &g)
	nscratch := kernel.GemmScratch[T](set, &g)
	scratch, stride := p.scratch(8 * nscratch)
	sa, sb, sc, ss := p.slot(a), p.slot(b), p.slot(c), p.slot(scratch)
	p.add(&step{
		name:  fmt.Sprintf("matmul %d×(%d×%d · %d×%d)", m.batch, g.M, g.K, g.K, g.N),
		flops: 2 * int64(m.batch) * int64(g.M) * int64(g.N) * int64(g.K),
		parts: m.batch * blocks, reads: []*value{a, b}, writes: []*value{c, scratch},
		run: func(f *frame, part, worker int) {
			i, block := part/blocks, part%blocks
			kernel.Gemm(set, &g, block, block+1, 1, at[T](f, sa, m.batch*na)[i*na:][:na], at[T](f, sb, m.batch*nb)[i*nb:][:nb],
				0, at[T](f, sc, m.batch*nc)[i*nc:][:nc], slice[T](f.scratch(ss, worker, stride), nscratch))
		},
	})
}

func (p *planner) lowerConcatenate(op *operation) {
	axis, y := op.attrs.(concatAttrs).axis, op.outputs[0]
	out := y.shape.Dimensions
	strides := rowMajor(out)
	sy := p.slot(y)
	offset := 0
	s := &step{name: fmt.Sprintf("concatenate %v", out), writes: []*value{y}, parts: len(op.inputs)}
	type source struct {
		view    elementwise.Strided
		slot, n int
	}
	var sources []source
	for _, in := range op.inputs {
		view := elementwise.Strided{Dims: in.shape.Dimensions, Strides: strides, Offset: offset * strides[axis],
			Size: y.shape.DType.Size()}
		sources = append(sources, source{view.Collapse(), p.slot(in), in.shape.Size()})
		offset += in.shape.Dimensions[axis]
		s.reads = append(s.reads, in)
	}
	s.run = func(f *frame, part, _ int) {
		src := &sources[part]
		src.view.Scatter(f.memory[sy], f.memory[src.slot], 0, src.n)
	}
	p.add(s)
}

// padable reports whether a Pad removes nothing.
func padable(op *operation) bool {
	return !slices.ContainsFunc(op.attrs.(padAttrs).axes, func(a compute.PadAxis) bool {
		return a.Start < 0 || a.End < 0 || a.Interior < 0
	})
}

func (p *planner) lowerPad(op *operation) {
	x, fill, y := op.inputs[0], op.inputs[1], op.outputs[0]
	strides := rowMajor(y.shape.Dimensions)
	view := elementwise.Strided{Dims: x.shape.Dimensions, Strides: slices.Clone(strides), Size: y.shape.DType.Size()}
	for k, a := range op.attrs.(padAttrs).axes {
		view.Offset += a.Start * strides[k]
		view.Strides[k] *= a.Interior + 1
	}
	view = view.Collapse()
	splat := elementwise.Strided{Dims: []int{y.shape.Size()}, Strides: []int{0}, Size: view.Size}
	sx, sf, sy, nx, ny := p.slot(x), p.slot(fill), p.slot(y), x.shape.Size(), y.shape.Size()
	p.add(&step{name: fmt.Sprintf("pad %v", y.shape.Dimensions), reads: []*value{x, fill}, writes: []*value{y},
		run: func(f *frame, _, _ int) {
			splat.Gather(f.memory[sy], f.memory[sf], 0, ny)
			view.Scatter(f.memory[sy], f.memory[sx], 0, nx)
		}})
}
