package core

import (
	"context"
	"fmt"
	"math"
)

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
	// RootMeanSquare says that scores of several starts and steps are taken together by the root of the
	// mean of their squares, and not by their mean. Their least is then 0.
	RootMeanSquare bool
}

// Together takes scores together; it is not a number without any.
func (m Measure) Together(scores []float64) float64 {
	largest := 0.0
	for _, v := range scores {
		largest = math.Max(largest, math.Abs(v))
	}
	if m.RootMeanSquare && largest > 0 {
		sum := 0.0
		for _, v := range scores {
			sum += v / largest * (v / largest)
		}
		return largest * math.Sqrt(sum/float64(len(scores)))
	}
	sum := 0.0
	for _, v := range scores {
		sum += v
	}
	return sum / float64(len(scores))
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
		return fmt.Errorf("%w: the scores of the measure %q are in %v … %v, an empty range; give the smaller end first, and "+
			"use infinities for no bound", ErrDescription, m.Name, m.Least, m.Most)
	}
	if m.RootMeanSquare && m.Least != 0 {
		return fmt.Errorf("%w: scores of the measure %q are combined by the root mean square, but the smallest score "+
			"is %v; it must be 0", ErrDescription, m.Name, m.Least)
	}
	if m.Chance < m.Least || m.Chance > m.Most {
		return fmt.Errorf("%w: the level of chance of the measure %q is %v, but its scores are in %v … %v; give NaN "+
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
		return fmt.Errorf("%w: %w: %d scores for %d starts; there must be one for each", ErrContract, ErrShape,
			len(scores), n)
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

// NRMSE is the measure of predictions that are held against the true future: the normalised root mean
// squared error. The score of a start and step is ‖x̂ − x‖/√(d·v) for the prediction x̂ of a snapshot x of
// d values, where v is the variance of the test snapshots, its mean over the d values. Predictions by the
// mean of the test snapshots have about 1 together.
func NRMSE() Measure {
	return Measure{
		Name: "nrmse", Summary: "error of the prediction, in standard deviations of the test snapshots",
		LowerIsBetter: true, Least: 0, Most: math.Inf(1), Chance: 1, RootMeanSquare: true,
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
