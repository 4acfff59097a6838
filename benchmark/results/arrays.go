package results

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
)

// SampleSize is how many training snapshots the sample has, if the first trajectory has as many.
func SampleSize(t TaskInfo) int {
	if t.States == 0 {
		return RolloutSnapshots
	}
	return SampleCycles * t.States
}

// Archive is what is written of them.
func (t *TaskArrays) Archive() npz.Archive {
	a := npz.Archive{"sample": snapshotArray(t.Sample), "starts": snapshotArray(t.Starts)}
	if t.TestStates != nil {
		a["sample_states"], a["test_states"] = labelArray(t.SampleStates), labelArray(t.TestStates)
	}
	return a
}

// RolloutArray is the name of the roll-out by a protocol.
func RolloutArray(protocol string) string { return "rollout_" + protocol }

// Archive is what is written of them.
func (r *RunArrays) Archive() npz.Archive {
	a := npz.Archive{}
	for protocol, steps := range r.Rollouts {
		var values []float32
		for _, x := range steps {
			values = append(values, x.Floats()...)
		}
		first := steps[0]
		a[RolloutArray(protocol)] = npz.Array{Shape: append([]int{len(steps), first.Len()}, first.Shape()...), Values: values}
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
		what string
		x    core.Snapshots
		most int
	}{{"sample", t.Sample, min(SampleSize(info), info.Train)}, {"starts", t.Starts, min(RolloutSnapshots, info.Starts)}} {
		if n := of.x.Len(); n < 1 || n > of.most || !slices.Equal(of.x.Shape(), info.Shape) {
			return fmt.Errorf("%w: %q has %d snapshots of shape %v; of this task it has 1 to %d of shape %v", ErrResults, of.what, n,
				of.x.Shape(), of.most, info.Shape)
		}
	}
	if info.States == 0 {
		return nil
	}
	if err := checkStates(t.SampleStates, t.Sample.Len(), info.States); err != nil {
		return fmt.Errorf("%w: \"sample_states\": %w", ErrResults, err)
	}
	if err := checkStates(t.TestStates, info.Test, info.States); err != nil {
		return fmt.Errorf("%w: \"test_states\": %w", ErrResults, err)
	}
	return nil
}

// check returns [ErrResults] where the arrays are not those of the run, as a command writes them.
func (r *RunArrays) check(info TaskInfo, run *Run) error {
	for _, e := range run.Evaluations {
		steps := r.Rollouts[e.Protocol]
		if e.Status != StatusOK {
			continue
		}
		if len(steps) != info.Steps {
			return fmt.Errorf("%w: %q has %d steps, and the run has %d", ErrResults, RolloutArray(e.Protocol), len(steps), info.Steps)
		}
		if x := steps[0]; x.Len() > min(RolloutSnapshots, info.Starts) || !slices.Equal(x.Shape(), info.Shape) {
			return fmt.Errorf("%w: %q has %d snapshots of shape %v at a step; of this task it has at most %d of shape %v", ErrResults,
				RolloutArray(e.Protocol), x.Len(), x.Shape(), min(RolloutSnapshots, info.Starts), info.Shape)
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
	r := &RunArrays{Rollouts: map[string]Rollout{}}
	for _, protocol := range Protocols() {
		name := RolloutArray(protocol)
		if _, ok := a[name]; !ok {
			name = rollOutV1 // of the only protocol that there was
		}
		if _, ok := a[name]; !ok {
			continue
		}
		values, shape, err := npz.Values[float32](a, name, -1)
		if err != nil {
			return nil, err
		}
		if len(shape) < 3 || slices.Min(shape) < 1 {
			return nil, fmt.Errorf("%w: a roll-out of shape %v", npz.ErrFormat, shape)
		}
		size := len(values) / shape[0]
		for step := range shape[0] {
			x, err := core.NewSnapshots(values[step*size:(step+1)*size], shape[2:]...)
			if err != nil {
				return nil, err
			}
			r.Rollouts[protocol] = append(r.Rollouts[protocol], x)
		}
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
