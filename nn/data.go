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

// Pairs are the lagged pairs within the trajectories, in the order of their starts. A batch is two
// tensors: the snapshots, and the snapshots lag later. Each is float32, [n, shape of a snapshot…].
func Pairs(x core.Trajectories, lag int) Data { return lagged{x, x.PairStarts(lag), lag, 2} }

// Triples are snapshots with the snapshots lag before and lag after them, in the order of [Pairs].
// A batch is three tensors, in the order of time.
func Triples(x core.Trajectories, lag int) Data { return lagged{x, x.PairStarts(2 * lag), lag, 3} }

// lagged are count snapshots each, lag apart from one another.
type lagged struct {
	x          core.Trajectories
	starts     core.PairStarts
	lag, count int
}

func (l lagged) Len() int { return l.starts.Len() }

func (l lagged) Batch(indices []int) []*tensors.Tensor {
	at := make([]int, len(indices))
	for i, k := range indices {
		at[i] = l.starts.At(k)
	}
	batch := make([]*tensors.Tensor, l.count)
	for j := range batch {
		batch[j] = gather(l.x, at)
		for i := range at {
			at[i] += l.lag
		}
	}
	return batch
}

// Labelled are snapshots with their labels. A batch is two tensors: the snapshots, as in [Pairs],
// and the labels, int32, [n].
func Labelled(snapshots core.Trajectories, labels []int) Data { return labelled{snapshots, labels} }

type labelled struct {
	snapshots core.Trajectories
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

func gather(x core.Trajectories, snapshots []int) *tensors.Tensor {
	t := tensors.FromShape(shapes.Make(dtypes.Float32, append([]int{len(snapshots)}, x.Shape()...)...))
	tensors.MustMutableFlatData(t, func(values []float32) { x.Gather(values, snapshots) })
	return t
}
