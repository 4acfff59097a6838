package nn

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/koopbench/koopbench/core"
)

// stored is the JSON of a checkpoint. Its arrays are the values of all variables, "variables/PATH",
// those of the optimiser too; "sums", [1 + metrics], over the batches of the pass in progress;
// "trained", [1 + metrics], where that is the second pass of the epoch; and "history", [epochs, 2,
// 1 + metrics], training and validation.
type stored struct {
	Identity       identity         `json:"identity"`
	Epoch          int              `json:"epoch"`
	Batches        int              `json:"batches"` // of the pass in progress that are done
	Weight         float64          `json:"weight"`  // of these batches
	CompileSeconds float64          `json:"compile_seconds"`
	Variables      []storedVariable `json:"variables"` // in the order of the store
	Memory         json.RawMessage  `json:"memory,omitempty"`
	Best           *best            `json:"best,omitempty"` // its parameters are the arrays "best/PATH"
}

// identity is what a training must have in common with the one that it continues.
type identity struct {
	Schedule   Schedule `json:"schedule"`
	Train      int      `json:"train"` // examples
	Validation int      `json:"validation"`
	Metrics    []string `json:"metrics"`
}

type storedVariable struct {
	Path       string `json:"path"`
	Type       string `json:"type"`
	Dimensions []int  `json:"dimensions"`
	Trainable  bool   `json:"trainable"`
}

func (r *training) identity() identity {
	id := identity{Schedule: r.Schedule, Train: r.Train.Len(), Metrics: append([]string{}, r.Metrics...)}
	if r.Validation != nil {
		id.Validation = r.Validation.Len()
	}
	return id
}

func (r *training) name() string {
	if r.Name == "" {
		return "training"
	}
	return r.Name
}

// store keeps where the training is, if it has begun and someone keeps it. Of what cannot be kept
// the next checkpoint may.
func (r *training) store() {
	if r.Checkpoints == nil || (r.epoch == 1 && r.at.batches == 0 && r.trained == nil) {
		return
	}
	if s, err := r.state(); err == nil {
		r.Checkpoints.Store(r.name(), s)
	}
}

func (r *training) state() (*core.State, error) {
	width := 1 + len(r.Metrics)
	facts := stored{Identity: r.identity(), Epoch: r.epoch, Batches: r.at.batches,
		Weight: r.at.weight, CompileSeconds: r.compile.Seconds()}
	s := &core.State{Arrays: map[string]core.Array{"sums": {Shape: []int{width}, Values: slices.Clone(r.at.sums)}}}
	if r.trained != nil {
		s.Arrays["trained"] = core.Array{Shape: []int{width}, Values: slices.Clone(r.trained)}
	}
	history := make([]float64, 0, 2*width*len(r.epochs))
	for i, e := range r.epochs {
		train, validation := []float64{e.Train}, []float64{e.Validation}
		for _, name := range r.Metrics {
			train, validation = append(train, r.metrics[name][i].Train), append(validation, r.metrics[name][i].Validation)
		}
		history = append(append(history, train...), validation...)
	}
	s.Arrays["history"] = core.Array{Shape: []int{len(r.epochs), 2, width}, Values: history}
	for v := range r.Store.IterVariables() {
		value, err := v.Value()
		if err != nil {
			return nil, err
		}
		if s.Arrays["variables"+v.Path()], err = arrayOf(value); err != nil {
			return nil, err
		}
		facts.Variables = append(facts.Variables,
			storedVariable{v.Path(), value.DType().String(), value.Shape().Dimensions, v.Trainable})
	}
	facts.Best = r.best.keep(s)
	var err error
	if r.Memory != nil {
		if facts.Memory, err = json.Marshal(r.Memory); err != nil {
			return nil, err
		}
	}
	s.Facts, err = json.Marshal(facts)
	return s, err
}

// resume puts the training where a checkpoint of its like left it, if there is one. One that does
// not fit is left aside, with a warning. An error leaves the parameters anywhere.
func (r *training) resume() error {
	if r.Checkpoints == nil {
		return nil
	}
	s := r.Checkpoints.Load(r.name())
	if s == nil {
		return nil
	}
	facts, values, err := r.read(s)
	if err != nil {
		r.warnings = append(r.warnings,
			fmt.Sprintf("a checkpoint does not fit this training and was not used: %v", err))
		return nil
	}
	for i, v := range facts.Variables {
		variable := r.Store.GetVariable(v.Path)
		if variable == nil {
			variable, err = r.Store.CreateVariable(v.Path, values[i])
		} else {
			err = variable.SetValue(values[i])
		}
		if err != nil {
			return fmt.Errorf("cannot use a checkpoint: %w", err)
		}
		variable.SetTrainable(v.Trainable)
	}
	if r.Memory != nil && facts.Memory != nil {
		if err := json.Unmarshal(facts.Memory, r.Memory); err != nil {
			return fmt.Errorf("cannot use a checkpoint: %w", err)
		}
	}
	r.compile = time.Duration(facts.CompileSeconds * float64(time.Second))
	for range facts.Epoch - 1 { // the stream goes to where it was
		r.Shuffle.Perm(r.Train.Len())
	}
	return nil
}

// read checks a checkpoint, and takes the history and the place from it only if all of it fits.
func (r *training) read(s *core.State) (facts stored, values []*tensors.Tensor, err error) {
	defer core.Recover(&err)
	if err := json.Unmarshal(s.Facts, &facts); err != nil {
		return facts, nil, err
	}
	width := 1 + len(r.Metrics)
	if here := r.identity(); !here.equal(facts.Identity) {
		return facts, nil, fmt.Errorf("it is of %+v, but this training is of %+v", facts.Identity, here)
	}
	sums, shape, err := core.StateValues[float64](s, "sums", 1)
	if err != nil || shape[0] != width {
		return facts, nil, fmt.Errorf("it has sums of shape %v; the shape must be [%d]: %w", shape, width, orShape(err))
	}
	history, shape, err := core.StateValues[float64](s, "history", 3)
	if err != nil || !slices.Equal(shape, []int{facts.Epoch - 1, 2, width}) {
		return facts, nil, fmt.Errorf("it has a history of shape %v in epoch %d: %w", shape, facts.Epoch, orShape(err))
	}
	var trained []float64
	examples := r.Train.Len()
	if _, second := s.Arrays["trained"]; second {
		if trained, shape, err = core.StateValues[float64](s, "trained", 1); err != nil || shape[0] != width {
			return facts, nil, fmt.Errorf("it has means of shape %v; the shape must be [%d]: %w", shape, width, orShape(err))
		}
		examples = facts.Identity.Validation
	}
	if facts.Epoch > r.Schedule.Epochs || facts.Batches < 0 ||
		facts.Batches > (examples+r.Schedule.BatchSize-1)/r.Schedule.BatchSize {
		return facts, nil, fmt.Errorf("it was made after batch %d of epoch %d, which does not exist", facts.Batches,
			facts.Epoch)
	}
	parameters := map[string]shapes.Shape{}
	for _, v := range facts.Variables {
		value, err := r.readVariable(s, v)
		if err != nil {
			return facts, nil, fmt.Errorf("variable %s: %w", v.Path, err)
		}
		values = append(values, value)
		if v.Trainable {
			parameters[v.Path] = value.Shape()
		}
	}
	best, err := readBest(facts.Best, s, parameters)
	if err != nil {
		return facts, nil, err
	}
	r.best = best
	r.epoch, r.trained, r.at = facts.Epoch, trained, place{facts.Batches, slices.Clone(sums), facts.Weight}
	for epoch := range facts.Epoch - 1 {
		row := history[2*width*epoch : 2*width*(epoch+1)]
		r.add(epoch+1, row[:width], row[width:])
	}
	return facts, values, nil
}

func (r *training) readVariable(s *core.State, v storedVariable) (*tensors.Tensor, error) {
	dtype, ok := dtypes.MapOfNames[v.Type]
	a, there := s.Arrays["variables"+v.Path]
	if !ok || !there || !strings.HasPrefix(v.Path, "/") {
		return nil, fmt.Errorf("%w: it has no value, or one of the unknown type %q", core.ErrUnknown, v.Type)
	}
	want := shapes.Make(dtype, v.Dimensions...)
	value, err := stateTensor(a, want)
	if err != nil {
		return nil, err
	}
	if here := r.Store.GetVariable(v.Path); here != nil && !here.Shape().Equal(want) {
		return nil, fmt.Errorf("%w: its shape is %s, but was %s", core.ErrShape, here.Shape(), want)
	}
	return value, nil
}

func (i identity) equal(j identity) bool {
	return i.Schedule == j.Schedule && i.Train == j.Train && i.Validation == j.Validation &&
		slices.Equal(i.Metrics, j.Metrics)
}

func orShape(err error) error {
	if err == nil {
		return core.ErrShape
	}
	return err
}
