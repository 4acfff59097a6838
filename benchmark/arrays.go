package benchmark

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
)

func newTaskArrays(t *Task) *TaskArrays {
	n := min(SampleCycles*t.Info.States, t.Train.Len())
	return &TaskArrays{
		Sample: t.Train.Slice(0, n), SampleLabels: t.TrainLabels[:n],
		TestImages: t.Test.Slice(0, min(RolloutSnapshots, t.Test.Len())), TestLabels: t.TestLabels,
	}
}

func (t *TaskArrays) archive() npz.Archive {
	return npz.Archive{
		"sample":        snapshotArray(t.Sample),
		"sample_labels": labelArray(t.SampleLabels),
		"test_images":   snapshotArray(t.TestImages),
		"test_labels":   labelArray(t.TestLabels),
	}
}

func (r *RunArrays) archive() npz.Archive {
	var images []float32
	var labels []int64
	for step, x := range r.Rollout {
		images = append(images, x.Floats()...)
		labels = append(labels, labelArray(r.Labels[step]).Values.([]int64)...)
	}
	first := r.Rollout[0]
	a := npz.Archive{
		"rollout": {Shape: append([]int{len(r.Rollout), first.Len()}, first.Shape()...), Values: images},
		"labels":  {Shape: []int{len(r.Labels), len(r.Labels[0])}, Values: labels},
	}
	if r.LeftEigenfunctions != nil {
		n, k := r.LeftEigenfunctions.Dims()
		a["left_eigenfunctions"] = npz.Array{Shape: []int{n, k}, Values: r.LeftEigenfunctions.RawCMatrix().Data}
	}
	return a
}

func runArraysOf(a npz.Archive) (*RunArrays, error) {
	images, shape, err := npz.Values[float32](a, "rollout", -1)
	if err != nil {
		return nil, err
	}
	labels, labelShape, err := npz.Values[int64](a, "labels", 2)
	if err != nil {
		return nil, err
	}
	if len(shape) < 3 || shape[0] < 1 || shape[0] != labelShape[0] {
		return nil, fmt.Errorf("%w: a roll-out of shape %v with labels of shape %v", npz.ErrFormat, shape, labelShape)
	}
	r := &RunArrays{}
	for step := range shape[0] {
		size := len(images) / shape[0]
		x, err := core.NewSnapshots(images[step*size:(step+1)*size], shape[2:]...)
		if err != nil {
			return nil, err
		}
		r.Rollout = append(r.Rollout, x)
		r.Labels = append(r.Labels, toInts(labels[step*labelShape[1]:(step+1)*labelShape[1]]))
	}
	if _, ok := a["left_eigenfunctions"]; ok {
		values, dims, err := npz.Values[complex128](a, "left_eigenfunctions", 2)
		if err != nil {
			return nil, err
		}
		if len(values) == 0 {
			return nil, fmt.Errorf("%w: eigenfunctions of shape %v", npz.ErrFormat, dims)
		}
		r.LeftEigenfunctions = mat.NewCDense(dims[0], dims[1], values)
	}
	return r, nil
}

func snapshotArray(x core.Snapshots) npz.Array {
	return npz.Array{Shape: append([]int{x.Len()}, x.Shape()...), Values: x.Floats()}
}

func snapshotsOf(a npz.Archive, name string) (core.Snapshots, error) {
	values, shape, err := npz.Values[float32](a, name, -1)
	if err != nil {
		return core.Snapshots{}, err
	}
	if len(shape) < 2 {
		return core.Snapshots{}, fmt.Errorf("%w: array %q has the shape %v, without the axes of a snapshot", npz.ErrFormat, name, shape)
	}
	return core.NewSnapshots(values, shape[1:]...)
}

func labelArray(labels []int) npz.Array {
	values := make([]int64, len(labels))
	for i, l := range labels {
		values[i] = int64(l)
	}
	return npz.Array{Shape: []int{len(labels)}, Values: values}
}

func toInts(values []int64) []int {
	ints := make([]int, len(values))
	for i, v := range values {
		ints[i] = int(v)
	}
	return ints
}
