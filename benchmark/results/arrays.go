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

// The most values and snapshots of a sample that is drawn as points, and of eigenfunctions.
const (
	sampleValues    = 1 << 18
	samplePoints    = 2000
	functionsValues = 1 << 24
	functionsPoints = 20_000
)

// SampleSize is the number of training snapshots in the sample, if there are enough.
func SampleSize(t TaskInfo) int {
	switch {
	case t.States > 0:
		return SampleCycles * t.States
	case t.InTime():
		return max(RolloutSnapshots, min(samplePoints, sampleValues/t.size()))
	}
	return RolloutSnapshots
}

// MaxEigenfunctions is the number of eigenfunctions of a run, the leading ones, that are kept.
const MaxEigenfunctions = 50

// EigenfunctionSnapshots is the number of test snapshots, from the first, at which eigenfunctions
// are evaluated.
func EigenfunctionSnapshots(t TaskInfo) int {
	return min(t.Test, functionsPoints, max(1, functionsValues/t.size()))
}

// InTime reports whether snapshots are drawn as values against time, and not as pictures.
func (t TaskInfo) InTime() bool {
	return t.Picture == string(core.SeriesPicture) || t.Picture == string(core.PlanePicture) || t.OnLine()
}

// OnLine reports whether snapshots are drawn as places on a line.
func (t TaskInfo) OnLine() bool { return t.Picture == string(core.LinePicture) }

// size is the number of values of a snapshot.
func (t TaskInfo) size() int {
	size := 1
	for _, n := range t.Shape {
		size *= n
	}
	return size
}

// TaskArrays is what figures need about the task: the content of data.npz.
type TaskArrays struct {
	Sample core.Snapshots // "sample" [SampleCycles × states, shape…]: the first training snapshots
	Starts core.Snapshots // "starts" [at most RolloutSnapshots, shape…]: the first ones
	// SampleStates and TestStates are the true states, "sample_states" and "test_states"; nil if
	// there are none.
	SampleStates, TestStates []int
	// Futures are the test snapshots that follow Starts at each step: "futures" [step, start, shape…];
	// nil if they are not known.
	Futures Rollout
	// Test are test snapshots of one number, "test". TrueEigenfunctions are the values of the known
	// ones at these snapshots, "true_eigenfunctions" [test, eigenvalue]. Both are nil for other
	// snapshots, or if nothing is known.
	Test               core.Snapshots
	TrueEigenfunctions *mat.CDense
	TrueDensity        []float64 // the invariant density there, "true_density"; nil if it is not known
}

// Rollout is what a run predicts at each step from the first starts.
type Rollout []core.Snapshots

// RunArrays is what figures need about a run: the content of runs/KEY.npz.
type RunArrays struct {
	Rollouts           map[string]Rollout // by protocol: "rollout_PROTOCOL" [step, at most RolloutSnapshots, shape…]
	LeftEigenfunctions *mat.CDense        // "left_eigenfunctions" [test, leading eigenvalue], nil where the model has none
	// RightEigenfunctions are the leading ones at the test snapshots of [TaskArrays.Test],
	// "right_eigenfunctions"; nil if there are none.
	RightEigenfunctions *mat.CDense

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

// TaskArraysOf is [Store.TaskArrays] for results with that task. The error is also [ErrResults] if
// the arrays belong to another task.
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

// RunArraysOf is [Store.RunArrays] for a run of that task. The error is also [ErrResults] if the
// arrays belong to another task.
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
	if t.Futures != nil {
		a["futures"] = rolloutArray(t.Futures)
	}
	if t.Test.Len() > 0 {
		a["test"] = snapshotArray(t.Test)
	}
	addFunctions(a, "true_eigenfunctions", t.TrueEigenfunctions)
	if t.TrueDensity != nil {
		a["true_density"] = npz.Array{Shape: []int{len(t.TrueDensity)}, Values: t.TrueDensity}
	}
	return a
}

// RolloutArray is the name of the roll-out by a protocol.
func RolloutArray(protocol string) string { return "rollout_" + protocol }

// archive is what is written of them.
func (r *RunArrays) archive() npz.Archive {
	a := npz.Archive{}
	for protocol, steps := range r.Rollouts {
		a[RolloutArray(protocol)] = rolloutArray(steps)
	}
	addFunctions(a, "left_eigenfunctions", r.LeftEigenfunctions)
	addFunctions(a, "right_eigenfunctions", r.RightEigenfunctions)
	return a
}

func rolloutArray(steps Rollout) npz.Array {
	var values []float32
	for _, x := range steps {
		values = append(values, x.Floats()...)
	}
	first := steps[0]
	return npz.Array{Shape: append([]int{len(steps), first.Len()}, first.Shape()...), Values: values}
}

// addFunctions adds values of functions, if there are any.
func addFunctions(a npz.Archive, name string, m *mat.CDense) {
	if m != nil {
		n, k := m.Dims()
		a[name] = npz.Array{Shape: []int{n, k}, Values: m.RawCMatrix().Data}
	}
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
	if err := t.checkTruth(info); err != nil {
		return fmt.Errorf("%w: %w", ErrResults, err)
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

// checkTruth checks what is known of the future and of eigenfunctions.
func (t *TaskArrays) checkTruth(info TaskInfo) error {
	if t.Futures != nil {
		if err := t.Futures.check("futures", info, t.Starts.Len()); err != nil {
			return err
		}
	}
	if t.Test.Len() > 0 && (!info.OnLine() || t.Test.Len() > info.Test || t.Test.Size() != 1) {
		return fmt.Errorf("\"test\" has %d snapshots of shape %v, and they are kept of one number, %d at most", t.Test.Len(),
			t.Test.Shape(), info.Test)
	}
	if n := len(t.TrueDensity); n > 0 && n != t.Test.Len() {
		return fmt.Errorf("\"true_density\" has %d values for %d snapshots", n, t.Test.Len())
	}
	if t.TrueEigenfunctions != nil {
		if n, k := t.TrueEigenfunctions.Dims(); n != t.Test.Len() || k > len(info.Eigenvalues) {
			return fmt.Errorf("\"true_eigenfunctions\" has the shape [%d %d]; of %d snapshots and %d true eigenvalues it has "+
				"[%[3]d 1…%[4]d]", n, k, t.Test.Len(), len(info.Eigenvalues))
		}
	}
	return nil
}

// check checks a roll-out of a task from so many starts at most.
func (r Rollout) check(name string, info TaskInfo, starts int) error {
	if len(r) != info.Steps {
		return fmt.Errorf("%q has %d steps, and a roll-out has %d", name, len(r), info.Steps)
	}
	if x := r[0]; x.Len() > starts || !slices.Equal(x.Shape(), info.Shape) {
		return fmt.Errorf("%q has %d snapshots of shape %v at a step; of this task it has at most %d of shape %v",
			name, x.Len(),
			x.Shape(), starts, info.Shape)
	}
	return nil
}

// check returns [ErrResults] where the arrays are not those of the run, as a command writes them.
func (r *RunArrays) check(info TaskInfo, run *Run) error {
	for _, e := range run.Evaluations {
		if e.Status != StatusOK {
			continue
		}
		steps := r.Rollouts[e.Protocol]
		if err := steps.check(RolloutArray(e.Protocol), info, min(RolloutSnapshots, info.Starts)); err != nil {
			return fmt.Errorf("%w: %w", ErrResults, err)
		}
	}
	seen := EigenfunctionSnapshots(info)
	for name, m := range map[string]*mat.CDense{
		"left_eigenfunctions": r.LeftEigenfunctions, "right_eigenfunctions": r.RightEigenfunctions,
	} {
		if m == nil {
			continue
		}
		n, k := m.Dims()
		most := min(len(run.Eigenvalues), MaxEigenfunctions)
		if name == "left_eigenfunctions" && n == info.Test && k == len(run.Eigenvalues) {
			continue // older versions kept all of them
		}
		if n != seen || k > most || name == "left_eigenfunctions" && k != most {
			return fmt.Errorf("%w: %q has the shape [%d %d]; of %d test snapshots and %d eigenvalues it has [%[5]d %d]",
				ErrResults, name, n, k, seen, len(run.Eigenvalues), most)
		}
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
	if _, ok := a["futures"]; ok {
		if t.Futures, err = rolloutOf(a, "futures"); err != nil {
			return nil, err
		}
	}
	if _, ok := a["test"]; ok {
		if t.Test, err = snapshotsOf(a, "test"); err != nil {
			return nil, err
		}
	}
	if t.TrueEigenfunctions, err = functionsOf(a, "true_eigenfunctions"); err != nil {
		return nil, err
	}
	if _, ok := a["true_density"]; ok {
		if t.TrueDensity, _, err = npz.Values[float64](a, "true_density", 1); err != nil {
			return nil, err
		}
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
		steps, err := rolloutOf(a, name)
		if err != nil {
			return nil, err
		}
		r.Rollouts[protocol] = steps
	}
	var err error
	if r.LeftEigenfunctions, err = functionsOf(a, "left_eigenfunctions"); err != nil {
		return nil, err
	}
	r.RightEigenfunctions, err = functionsOf(a, "right_eigenfunctions")
	return r, err
}

func rolloutOf(a npz.Archive, name string) (steps Rollout, err error) {
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
		steps = append(steps, x)
	}
	return steps, nil
}

// functionsOf are values of functions, nil if there are none.
func functionsOf(a npz.Archive, name string) (*mat.CDense, error) {
	if _, ok := a[name]; !ok {
		return nil, nil
	}
	values, dims, err := npz.Values[complex128](a, name, 2)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("%w: eigenfunctions of shape %v", npz.ErrFormat, dims)
	}
	return mat.NewCDense(dims[0], dims[1], values), nil
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
