package nn

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/koopbench/koopbench/core"
)

// Data is a set of training examples, each a row of one or more tensors.
type Data interface {
	// Len is the number of examples.
	Len() int
	// Batch returns new tensors with the examples of the given indices, along their first axis.
	Batch(indices []int) []*tensors.Tensor
}

// Pairs are the lagged pairs of a sequence: batches of two tensors, the snapshots and those lag later, each float32 and
// [n, shape of a snapshot…].
func Pairs(sequence core.Snapshots, lag int) Data { return pairs{sequence, lag} }

type pairs struct {
	sequence core.Snapshots
	lag      int
}

func (p pairs) Len() int { return max(p.sequence.Len()-p.lag, 0) }

func (p pairs) Batch(indices []int) []*tensors.Tensor {
	later := make([]int, len(indices))
	for i, t := range indices {
		later[i] = t + p.lag
	}
	return []*tensors.Tensor{gather(p.sequence, indices), gather(p.sequence, later)}
}

// Labelled are snapshots with their labels: batches of two tensors, the snapshots as in [Pairs] and the labels, int32, [n].
func Labelled(snapshots core.Snapshots, labels []int) Data { return labelled{snapshots, labels} }

type labelled struct {
	snapshots core.Snapshots
	labels    []int
}

func (l labelled) Len() int { return l.snapshots.Len() }

func (l labelled) Batch(indices []int) []*tensors.Tensor {
	labels := make([]int32, len(indices))
	for i, t := range indices {
		labels[i] = int32(l.labels[t])
	}
	return []*tensors.Tensor{gather(l.snapshots, indices), tensors.FromFlatDataAndDimensions(labels, len(labels))}
}

func gather(s core.Snapshots, times []int) *tensors.Tensor {
	t := tensors.FromShape(shapes.Make(dtypes.Float32, append([]int{len(times)}, s.Shape()...)...))
	tensors.MustMutableFlatData(t, func(values []float32) { s.Gather(values, times) })
	return t
}
