package core

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Task is what methods are compared on: data, and what counts as a good prediction.
type Task interface {
	// Describe returns the same description at every call. A task has no exposure. An option of the
	// name [DataOption] says where data lie on this machine; it is not part of what a task is.
	Describe() Description
	// Open reads or simulates the data. Equal options give equal bits, in another process too. The
	// error is [ErrOption] or [ErrTooShort] if the options do not fit together or the data, and the
	// context's error soon after ctx ends. Open may be called concurrently.
	Open(ctx context.Context, options Options) (*Problem, error)
}

// Names of options that have a meaning for every task that declares them.
const (
	// DataOption is the place of the data on this machine, a [TextOption] that takes any bytes but
	// control characters. Results do not tell it, since the hash of the data says which they are.
	DataOption = "data"
	// LagOption, StepsOption and SplitOption are [Problem.Lag], [Problem.Steps], and the numbers of
	// snapshots to train, validate and test on.
	LagOption   = "lag"
	StepsOption = "steps"
	SplitOption = "split"
)

// MaxSteps is the largest number of steps of a roll-out.
const MaxSteps = 1000

// Problem is an opened [Task]. It is immutable, and may be used by several goroutines at a time.
type Problem struct {
	// Train and Validation are what methods see; Test is what they never see. All are of one shape,
	// and no pair of snapshots crosses the end of a trajectory.
	Train, Validation, Test Trajectories
	// Starts are the indices of the test snapshots from which roll-outs begin; nil for all of them.
	Starts []int
	// Lag is how many snapshots one step spans, and Steps how many steps a roll-out has, 1 to
	// [MaxSteps].
	Lag, Steps int
	// Clock is the time from one snapshot to the next; the zero value counts snapshots.
	Clock Clock
	// Rank is the usual rank or number of features for the task: [Training.States].
	Rank int
	// States are the true states of the snapshots, if there are finitely many and they are known;
	// nil otherwise.
	States *States
	// Truth is what is known of the true evolution operator; nil if nothing is.
	Truth *Truth
	// Score judges predictions. If it is nil there must be States: an [Oracle], which learns them,
	// judges by the share of the predictions that show the right state.
	Score Score
	// ValidUpTo is the score up to which the prediction of a step is valid, if lower scores are better;
	// 0 for none. The valid time of a roll-out is the time of the steps before the first one beyond it.
	ValidUpTo float64
	// Source says where the data come from, for the reader.
	Source string
	// Picture says how a snapshot is drawn.
	Picture Picture
	// Frame says how snapshots are made of rows as they were recorded; nil if they are such rows.
	Frame *Frame
}

// States are the true states of the snapshots of a [Problem], numbers in 0 … Count-1.
type States struct {
	// Count is the number of states.
	Count int
	// Word is what one of them is called, "state" if it is empty.
	Word string
	// Train, Validation and Test have the state of every snapshot.
	Train, Validation, Test []int
	// Expected has the true state of what follows each start, at each step of the roll-out:
	// [step][start], the first step first.
	Expected [][]int
}

// Picture says how snapshots are drawn.
type Picture string

// The pictures of snapshots.
const (
	// ImagePicture is of grey values, the first axis from top to bottom.
	ImagePicture Picture = "image"
	// CurvePicture draws the values of one snapshot beside one another.
	CurvePicture Picture = "curve"
	// SeriesPicture draws the values against time.
	SeriesPicture Picture = "series"
	// PlanePicture is SeriesPicture, and the first and the last value of a snapshot as a point.
	PlanePicture Picture = "plane"
	// LinePicture is SeriesPicture for snapshots of one number, which is also a place on a line.
	LinePicture Picture = "line"
)

// Pictures are all of them.
func Pictures() []Picture {
	return []Picture{ImagePicture, CurvePicture, SeriesPicture, PlanePicture, LinePicture}
}

// StartCount is the number of roll-outs.
func (p *Problem) StartCount() int {
	if p.Starts == nil {
		return p.Test.Len()
	}
	return len(p.Starts)
}

// Measure is that of the problem's scores.
func (p *Problem) Measure() Measure {
	if p.Score == nil {
		return Accuracy(p.States.Count)
	}
	return p.Score.Measure()
}

// CheckPredicted returns [ErrOption] unless there is that step of a roll-out, and [ErrShape] unless predicted has a
// snapshot for each start, of the problem's shape.
func (p *Problem) CheckPredicted(step int, predicted Snapshots) error {
	switch {
	case step < 1 || step > p.Steps:
		return fmt.Errorf("%w: step %d of a roll-out of %d steps, which are counted from 1", ErrOption, step, p.Steps)
	case predicted.Len() != p.StartCount():
		return fmt.Errorf("%w: %d predicted snapshots for %d starts; there must be one for each", ErrShape, predicted.Len(),
			p.StartCount())
	case !slices.Equal(predicted.Shape(), p.Test.Shape()):
		return fmt.Errorf("%w: predicted snapshots have the shape %v and those of the task %v", ErrShape, predicted.Shape(),
			p.Test.Shape())
	}
	return nil
}

// Validate returns [ErrContract] naming the first rule that p breaks, as the fields above say them.
func (p *Problem) Validate() error {
	if err := p.validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrContract, err)
	}
	return nil
}

func (p *Problem) validate() error {
	for _, part := range []struct {
		name  string
		x     Trajectories
		pairs bool
	}{{"training", p.Train, true}, {"validation", p.Validation, true}, {"test", p.Test, false}} {
		switch {
		case part.x.Len() == 0:
			return fmt.Errorf("the task has no %s data", part.name)
		case !part.x.SameShape(p.Train):
			return fmt.Errorf("%w: training snapshots have the shape %v and %s snapshots %v", ErrShape,
				p.Train.Shape(), part.name, part.x.Shape())
		case p.Lag < 1:
			return fmt.Errorf("a lag of %d snapshots; it must be at least 1", p.Lag)
		case part.pairs && part.x.Pairs(p.Lag) == 0:
			return fmt.Errorf("%w: the %s data have no pair of snapshots at a lag of %d", ErrTooShort, part.name, p.Lag)
		}
		if err := part.x.CheckFinite(); err != nil {
			return fmt.Errorf("%s data: %w", part.name, err)
		}
	}
	switch {
	case p.Steps < 1 || p.Steps > MaxSteps:
		return fmt.Errorf("%d steps of roll-out; there are 1 to %d", p.Steps, MaxSteps)
	case p.Rank < 1:
		return fmt.Errorf("a rank of %d; it must be at least 1", p.Rank)
	case !slices.Contains(Pictures(), p.Picture):
		return fmt.Errorf("the picture %.80q; there are %q", p.Picture, Pictures())
	case p.Picture == LinePicture && p.Train.Size() != 1:
		return fmt.Errorf("the picture %q of snapshots of %d numbers; it takes one number", p.Picture, p.Train.Size())
	case p.Clock.Interval < 0 || math.IsNaN(p.Clock.Interval) || math.IsInf(p.Clock.Interval, 0):
		return fmt.Errorf("a time of %v from one snapshot to the next; it must be a positive number", p.Clock.Interval)
	case p.ValidUpTo < 0 || math.IsNaN(p.ValidUpTo) || math.IsInf(p.ValidUpTo, 0):
		return fmt.Errorf("predictions are valid up to a score of %v; it must be a positive number", p.ValidUpTo)
	case p.ValidUpTo > 0 && !p.Measure().LowerIsBetter:
		return fmt.Errorf("predictions are valid up to a score of %v, and higher scores are better; give 0", p.ValidUpTo)
	case p.Starts != nil && len(p.Starts) == 0:
		return errors.New("there is no start of a roll-out; give nil for all test snapshots")
	case p.Score == nil && p.States == nil:
		return errors.New("the task has neither a score nor states, and nothing can judge predictions; give one of them")
	}
	seen := map[int]bool{}
	for i, start := range p.Starts {
		if start < 0 || start >= p.Test.Len() {
			return fmt.Errorf("start %d is the test snapshot %d; there are %d, from 0 on", i, start, p.Test.Len())
		}
		if seen[start] {
			return fmt.Errorf("start %d is the test snapshot %d, like an earlier start; give each once", i, start)
		}
		seen[start] = true
	}
	if p.States != nil {
		if err := p.States.validate(p); err != nil {
			return err
		}
	}
	if p.Truth != nil {
		if err := p.Truth.validate(p.Test.Len()); err != nil {
			return err
		}
	}
	if p.Frame != nil {
		if err := p.Frame.validate(p.Train.Shape()); err != nil {
			return err
		}
	}
	for what, text := range map[string]string{"the source of the data": p.Source, "the unit of time": p.Clock.Unit} {
		if err := checkText(what, text, MaxSentence); err != nil {
			return err
		}
	}
	if p.Score == nil {
		return nil
	}
	if m := p.Score.Measure(); m.Name == Accuracy(1).Name {
		return fmt.Errorf("the measure of its score is called %q, which is that of an oracle; give it another name", m.Name)
	}
	return p.Score.Measure().Validate()
}

func (s *States) validate(p *Problem) error {
	if s.Count < 1 {
		return fmt.Errorf("%d states; there must be at least 1", s.Count)
	}
	if err := checkText("the word for a state", s.Word, maxLine); err != nil {
		return err
	}
	for _, part := range []struct {
		name   string
		states []int
		n      int
	}{{"training", s.Train, p.Train.Len()}, {"validation", s.Validation, p.Validation.Len()},
		{"test", s.Test, p.Test.Len()}} {
		if err := CheckLabels(part.states, part.n, s.Count); err != nil {
			return fmt.Errorf("the states of the %s snapshots: %w", part.name, err)
		}
	}
	if len(s.Expected) != p.Steps {
		return fmt.Errorf("the states expected at %d steps; a roll-out has %d", len(s.Expected), p.Steps)
	}
	for i, states := range s.Expected {
		if err := CheckLabels(states, p.StartCount(), s.Count); err != nil {
			return fmt.Errorf("the states expected at step %d: %w", i+1, err)
		}
	}
	return nil
}
