package results

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/npz"
)

// RolloutSnapshots is the number of test snapshots whose predictions are kept: the first ones of the test sequence.
const RolloutSnapshots = 10

// SampleCycles is the number of cycles through the states that the kept sample of the sequence shows.
const SampleCycles = 2

// SampleSize is how many training snapshots the sample has, if the first trajectory has as many.
func SampleSize(t TaskInfo) int {
	if t.States == 0 {
		return RolloutSnapshots
	}
	return SampleCycles * t.States
}

// TaskArrays is what figures need of the task: the content of data.npz.
type TaskArrays struct {
	Sample core.Snapshots // "sample" [SampleCycles × states, shape…]: the first training snapshots
	Starts core.Snapshots // "starts" [at most RolloutSnapshots, shape…]: the first ones
	// SampleStates and TestStates are the true states, "sample_states" and "test_states"; nil if
	// there are none.
	SampleStates, TestStates []int
}

// Rollout is what a run predicts at each step from the first starts.
type Rollout []core.Snapshots

// RunArrays is what figures need of a run: the content of runs/KEY.npz.
type RunArrays struct {
	Rollouts           map[string]Rollout // by protocol: "rollout_PROTOCOL" [step, at most RolloutSnapshots, shape…]
	LeftEigenfunctions *mat.CDense        // "left_eigenfunctions" [test, eigenvalue], nil where the model has none

	Model   []byte // the file of the model, to be written beside them; nil for none
	Unsaved error  // why the predictions could not be written, or nil
}

// ReadArrays reads a file of arrays. The error is [ErrResults].
func (s *Store) ReadArrays(name string) (a npz.Archive, err error) {
	err = s.Open(name, func(f io.ReaderAt, size int64) error {
		a, err = npz.Read(f, size)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResults, err)
	}
	return a, nil
}

func (s *Store) writeArrays(name string, a npz.Archive) error {
	var b bytes.Buffer
	if err := npz.Write(&b, a); err != nil {
		return fmt.Errorf("%s: %w", s.Path(name), err)
	}
	return atomicfile.Write(s.Path(name), b.Bytes())
}

// TaskArrays reads data.npz. The error is [ErrResults].
func (s *Store) TaskArrays() (*TaskArrays, error) {
	a, err := s.ReadArrays(dataFile)
	if err != nil {
		return nil, err
	}
	t, err := taskArraysOf(a)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrResults, s.Path(dataFile), err)
	}
	return t, nil
}

// TaskArraysOf is [Store.TaskArrays] of results with that task: the error is [ErrResults] too where they are those of
// another.
func (s *Store) TaskArraysOf(info TaskInfo) (*TaskArrays, error) {
	t, err := s.TaskArrays()
	if err != nil {
		return nil, err
	}
	if err := t.check(info); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path(dataFile), err)
	}
	return t, nil
}

// WriteTaskArrays writes data.npz.
func (s *Store) WriteTaskArrays(t *TaskArrays) error { return s.writeArrays(dataFile, t.archive()) }

// RunArrays reads runs/KEY.npz. The error is [ErrResults].
func (s *Store) RunArrays(key string) (*RunArrays, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	a, err := s.ReadArrays(runArraysFile(key))
	if err != nil {
		return nil, err
	}
	arrays, err := runArraysOf(a)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrResults, s.Path(runArraysFile(key)), err)
	}
	return arrays, nil
}

// RunArraysOf is [Store.RunArrays] of a run of that task: the error is [ErrResults] too where they are those of
// another.
func (s *Store) RunArraysOf(info TaskInfo, run *Run) (*RunArrays, error) {
	arrays, err := s.RunArrays(run.Key)
	if err != nil {
		return nil, err
	}
	if err := arrays.check(info, run); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path(runArraysFile(run.Key)), err)
	}
	return arrays, nil
}

// archive is what is written of them.
func (t *TaskArrays) archive() npz.Archive {
	a := npz.Archive{"sample": snapshotArray(t.Sample), "starts": snapshotArray(t.Starts)}
	if t.TestStates != nil {
		a["sample_states"], a["test_states"] = stateArray(t.SampleStates), stateArray(t.TestStates)
	}
	return a
}

// RolloutArray is the name of the roll-out by a protocol.
func RolloutArray(protocol string) string { return "rollout_" + protocol }

// archive is what is written of them.
func (r *RunArrays) archive() npz.Archive {
	a := npz.Archive{}
	for protocol, steps := range r.Rollouts {
		var values []float32
		for _, x := range steps {
			values = append(values, x.Floats()...)
		}
		first := steps[0]
		shape := append([]int{len(steps), first.Len()}, first.Shape()...)
		a[RolloutArray(protocol)] = npz.Array{Shape: shape, Values: values}
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
	}{
		{"sample", t.Sample, min(SampleSize(info), info.Train)}, {"starts", t.Starts, min(RolloutSnapshots, info.Starts)},
	} {
		if n := of.x.Len(); n < 1 || n > of.most || !slices.Equal(of.x.Shape(), info.Shape) {
			return fmt.Errorf("%w: %q has %d snapshots of shape %v; of this task it has 1 to %d of shape %v", ErrResults,
				of.what, n, of.x.Shape(), of.most, info.Shape)
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
			return fmt.Errorf("%w: %q has %d steps, and the run has %d", ErrResults, RolloutArray(e.Protocol), len(steps),
				info.Steps)
		}
		if x := steps[0]; x.Len() > min(RolloutSnapshots, info.Starts) || !slices.Equal(x.Shape(), info.Shape) {
			return fmt.Errorf("%w: %q has %d snapshots of shape %v at a step; of this task it has at most %d of shape %v",
				ErrResults, RolloutArray(e.Protocol), x.Len(), x.Shape(), min(RolloutSnapshots, info.Starts), info.Shape)
		}
	}
	if r.LeftEigenfunctions == nil {
		return nil
	}
	if rows, columns := r.LeftEigenfunctions.Dims(); rows != info.Test || columns != len(run.Eigenvalues) {
		return fmt.Errorf("%w: \"left_eigenfunctions\" has the shape [%d %d]; of %d test snapshots and %d eigenvalues it "+
			"has [%[4]d %[5]d]", ErrResults, rows, columns, info.Test, len(run.Eigenvalues))
	}
	return nil
}

func taskArraysOf(a npz.Archive) (t *TaskArrays, err error) {
	t = &TaskArrays{}
	if t.Sample, err = snapshotsOf(a, "sample"); err != nil {
		return nil, err
	}
	renameV1(a)
	if t.Starts, err = snapshotsOf(a, "starts"); err != nil {
		return nil, err
	}
	if _, ok := a["test_states"]; !ok {
		return t, nil
	}
	if t.SampleStates, err = statesOf(a, "sample_states"); err != nil {
		return nil, err
	}
	t.TestStates, err = statesOf(a, "test_states")
	return t, err
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
		return core.Snapshots{}, fmt.Errorf("%w: array %q has the shape %v, without the axes of a snapshot",
			npz.ErrFormat, name, shape)
	}
	return core.NewSnapshots(values, shape[1:]...)
}

func stateArray(states []int) npz.Array {
	values := make([]int64, len(states))
	for i, s := range states {
		values[i] = int64(s)
	}
	return npz.Array{Shape: []int{len(states)}, Values: values}
}

func statesOf(a npz.Archive, name string) ([]int, error) {
	values, _, err := npz.Values[int64](a, name, 1)
	if err != nil {
		return nil, err
	}
	states := make([]int, len(values))
	for i, v := range values {
		states[i] = int(v)
	}
	return states, nil
}
