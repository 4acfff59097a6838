package core

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/cmplx"
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
	// Source says where the data come from, for the reader.
	Source string
	// Picture says how a snapshot is drawn.
	Picture Picture
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

// Truth is what is known of the true evolution operator at the lag of a [Problem].
type Truth struct {
	// Eigenvalues are the largest, in descending order of modulus.
	Eigenvalues []complex128
}

// Picture says how a snapshot is drawn: "image" of grey values, the first axis from top to bottom;
// or "curve" of its values.
type Picture string

// The pictures of a snapshot.
const (
	ImagePicture Picture = "image"
	CurvePicture Picture = "curve"
)

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
	case p.Picture != ImagePicture && p.Picture != CurvePicture:
		return fmt.Errorf("the picture %q; there is %q and %q", p.Picture, ImagePicture, CurvePicture)
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
			return fmt.Errorf("start %d is the test snapshot %d, as one before it is; give each once", i, start)
		}
		seen[start] = true
	}
	if p.States != nil {
		if err := p.States.validate(p); err != nil {
			return err
		}
	}
	if p.Truth != nil {
		for i, z := range p.Truth.Eigenvalues {
			if cmplx.IsNaN(z) || cmplx.IsInf(z) {
				return fmt.Errorf("%w: true eigenvalue %d is %v", ErrNonFinite, i, z)
			}
		}
	}
	if err := checkText("the source of the data", p.Source, MaxSentence); err != nil {
		return err
	}
	if p.Score == nil {
		return nil
	}
	if m := p.Score.Measure(); m.Name == Accuracy(1).Name {
		return fmt.Errorf("the measure of its score is called %q, as that of an oracle is; give it another name", m.Name)
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
	}{{"training", s.Train, p.Train.Len()}, {"validation", s.Validation, p.Validation.Len()}, {"test", s.Test, p.Test.Len()}} {
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

// Measure says what a score means.
type Measure struct {
	// Name is as of a [Description]: "accuracy", "nrmse".
	Name string
	// Summary is one line without a full stop.
	Summary string
	// Unit is that of a score, "" for a plain number.
	Unit string
	// LowerIsBetter says that a method is the better, the lower its scores are.
	LowerIsBetter bool
	// Least and Most are the bounds of a score; infinite for none.
	Least, Most float64
	// Chance is the score of guessing, not a number if it is not known.
	Chance float64
}

// Validate returns [ErrDescription] naming the first rule that m breaks.
func (m Measure) Validate() error {
	if !namePattern.MatchString(m.Name) {
		return fmt.Errorf("%w: the name %.80q of a measure must be 1 to 40 lower-case letters, digits and hyphens, a "+
			"letter first", ErrDescription, m.Name)
	}
	if m.Summary == "" {
		return fmt.Errorf("%w: the measure %q has no summary", ErrDescription, m.Name)
	}
	for what, text := range map[string]string{"summary": m.Summary, "unit": m.Unit} {
		if err := checkText(fmt.Sprintf("the %s of the measure %q", what, m.Name), text, maxLine); err != nil {
			return fmt.Errorf("%w: %w", ErrDescription, err)
		}
	}
	if !(m.Least < m.Most) {
		return fmt.Errorf("%w: the scores of the measure %q are in %v … %v, which is none; give the least first, and "+
			"infinities for no bound", ErrDescription, m.Name, m.Least, m.Most)
	}
	if m.Chance < m.Least || m.Chance > m.Most {
		return fmt.Errorf("%w: the level of chance of the measure %q is %v, and its scores are in %v … %v; give NaN "+
			"if it is not known", ErrDescription, m.Name, m.Chance, m.Least, m.Most)
	}
	return nil
}

// Check returns [ErrContract] unless v is a score of the measure.
func (m Measure) Check(v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < m.Least || v > m.Most {
		return fmt.Errorf("%w: a score of %v; the measure %q takes finite numbers in %v … %v", ErrContract, v, m.Name,
			m.Least, m.Most)
	}
	return nil
}

// CheckScores returns [ErrContract] unless there are n scores of a measure, one for each start.
func CheckScores(m Measure, scores []float64, n int) error {
	if len(scores) != n {
		return fmt.Errorf("%w: %w: %d scores for %d starts; there must be one for each", ErrContract, ErrShape, len(scores), n)
	}
	for i, v := range scores {
		if err := m.Check(v); err != nil {
			return fmt.Errorf("start %d: %w", i, err)
		}
	}
	return nil
}

// Accuracy is the measure of a problem that an oracle judges: 1 for a prediction that shows the true
// state, 0 for another.
func Accuracy(states int) Measure {
	return Measure{
		Name: "accuracy", Summary: "share of the predictions that show the true state", Least: 0, Most: 1,
		Chance: 1 / float64(states),
	}
}

// A Score judges predictions.
type Score interface {
	// Measure returns the same measure at every call.
	Measure() Measure
	// Fit makes what judges all runs; it may learn from t, or do nothing. It is called once, and
	// keeps the rules of [Method.Fit]. t carries the states if the problem has them.
	Fit(ctx context.Context, t *Training) (Scorer, error)
}

// A Scorer is a fitted [Score]. It may be used by several goroutines at a time.
type Scorer interface {
	// Score returns a number for each start: how good what is predicted for it is at a step, counted
	// from 1. predicted has one snapshot for each start, in their order. A number depends on the
	// start, the step and its prediction alone.
	Score(ctx context.Context, step int, predicted Snapshots) ([]float64, error)
}
