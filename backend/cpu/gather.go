package cpu

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// Gather takes whole rows of a table by their numbers, as the look-up of an embedding does, on a step
// of its own. Other forms of it run on the Go backend.

// gatherAttrs are the arguments of Gather.
type gatherAttrs struct {
	indexVectorAxis                                       int
	offsetOutputAxes, collapsedAxes, startIndexMap, sizes []int
}

// Gather records the operation of that name.
func (f *Function) Gather(operand, startIndices compute.Value, indexVectorAxis int,
	offsetOutputAxes, collapsedSliceAxes, startIndexMap, sliceSizes []int, indicesAreSorted bool) (compute.Value, error) {
	a := gatherAttrs{indexVectorAxis, slices.Clone(offsetOutputAxes), slices.Clone(collapsedSliceAxes),
		slices.Clone(startIndexMap), slices.Clone(sliceSizes)}
	return f.record1(compute.OpTypeGather, a, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(g.Gather(in[0], in[1], a.indexVectorAxis, a.offsetOutputAxes, a.collapsedAxes, a.startIndexMap, a.sizes,
			indicesAreSorted))
	}, operand, startIndices)
}

// lowerGather returns the lowering of a Gather of whole rows, nil for others.
func lowerGather(op *operation) func(p *planner, op *operation) {
	a := op.attrs.(gatherAttrs)
	table, indices, out := op.inputs[0].shape, op.inputs[1].shape, op.outputs[0].shape
	rank := indices.Rank()
	if a.indexVectorAxis != rank-1 || indices.Dimensions[rank-1] != 1 || a.sizes[0] != 1 ||
		!slices.Equal(a.startIndexMap, []int{0}) || !slices.Equal(a.collapsedAxes, []int{0}) ||
		!slices.Equal(a.sizes[1:], table.Dimensions[1:]) {
		return nil
	}
	for i, axis := range a.offsetOutputAxes {
		if axis != out.Rank()-len(a.offsetOutputAxes)+i {
			return nil
		}
	}
	switch indices.DType {
	case dtypes.Int32:
		return gatherRows[int32]
	case dtypes.Int64:
		return gatherRows[int64]
	}
	return nil
}

// gatherBlock is about how many bytes a part copies.
const gatherBlock = 1 << 14

// gatherRows copies rows. Numbers outside the table mean its first or last row, as on the Go backend.
func gatherRows[I int32 | int64](p *planner, op *operation) {
	table, indices, y := op.inputs[0], op.inputs[1], op.outputs[0]
	rows, n := table.shape.Dimensions[0], indices.shape.Size()
	width := bytes(table.shape) / rows
	chunk := max(1, gatherBlock/width)
	st, si, sy := p.slot(table), p.slot(indices), p.slot(y)
	size := bytes(table.shape)
	p.add(&step{
		name: fmt.Sprintf("gather %d rows of %v", n, table.shape.Dimensions), reads: []*value{table, indices},
		writes: []*value{y}, parts: (n + chunk - 1) / chunk,
		run: func(f *frame, part, _ int) {
			from, to, numbers := f.bytes(st, size), f.bytes(sy, n*width), at[I](f, si, n)
			for i := part * chunk; i < min((part+1)*chunk, n); i++ {
				row := min(max(int(numbers[i]), 0), rows-1)
				copy(to[i*width:][:width], from[row*width:])
			}
		},
	})
}
