package benchmark

import (
	"fmt"
	"slices"

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

// check returns [ErrResults] where the arrays are not those of the task, as a command writes them.
func (t *TaskArrays) check(info TaskInfo) error {
	for _, of := range []struct {
		what   string
		images core.Snapshots
		most   int
	}{{"sample", t.Sample, min(SampleCycles*info.States, info.Train)}, {"test_images", t.TestImages, min(RolloutSnapshots, info.Test)}} {
		if n := of.images.Len(); n < 1 || n > of.most || !slices.Equal(of.images.Shape(), info.Shape) {
			return fmt.Errorf("%w: %q has %d snapshots of shape %v; of this task it has 1 to %d of shape %v", ErrResults, of.what, n,
				of.images.Shape(), of.most, info.Shape)
		}
	}
	if n := len(t.SampleLabels); n != t.Sample.Len() {
		return fmt.Errorf("%w: \"sample_labels\" has %d labels for %d snapshots", ErrResults, n, t.Sample.Len())
	}
	if err := checkLabels(t.TestLabels, info); err != nil {
		return fmt.Errorf("%w: \"test_labels\": %w", ErrResults, err)
	}
	return nil
}

// check returns [ErrResults] where the arrays are not those of the run, as a command writes them.
func (r *RunArrays) check(info TaskInfo, run *RunResult) error {
	if len(r.Rollout) != info.Steps {
		return fmt.Errorf("%w: \"rollout\" and \"labels\" have %d steps, and the run has %d", ErrResults, len(r.Rollout), info.Steps)
	}
	if x := r.Rollout[0]; x.Len() > min(RolloutSnapshots, info.Test) || !slices.Equal(x.Shape(), info.Shape) {
		return fmt.Errorf("%w: \"rollout\" has %d snapshots of shape %v at a step; of this task it has at most %d of shape %v", ErrResults,
			x.Len(), x.Shape(), min(RolloutSnapshots, info.Test), info.Shape)
	}
	for step, labels := range r.Labels {
		if err := checkLabels(labels, info); err != nil {
			return fmt.Errorf("%w: \"labels\" at step %d: %w", ErrResults, step+1, err)
		}
	}
	if r.LeftEigenfunctions == nil {
		return nil
	}
	if rows, columns := r.LeftEigenfunctions.Dims(); rows != info.Test || columns != len(run.Eigenvalues) {
		return fmt.Errorf("%w: \"left_eigenfunctions\" has the shape [%d %d]; of %d test snapshots and %d eigenvalues it has [%[4]d %[5]d]",
			ErrResults, rows, columns, info.Test, len(run.Eigenvalues))
	}
	return nil
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
	if len(shape) < 3 || slices.Min(append(shape, labelShape...)) < 1 || shape[0] != labelShape[0] {
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
