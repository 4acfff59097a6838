package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"

	"github.com/koopbench/koopbench/core"
)

// Alpha is how often an interval may miss, and how often a ranking may contain a false difference:
// 1 in 20.
const Alpha = 0.05

// Interval is a range of values that includes its ends.
type Interval struct{ Low, High float64 }

// Estimate is what the scores of a method at some seeds say about its expected score over all seeds
// and snapshots.
type Estimate struct {
	Seeds, Snapshots int
	// Blocks is the number of blocks of consecutive snapshots, for errors. It is 0 for shares, whose
	// snapshots count as independent.
	Blocks int
	Mean   float64
	// SD is the sample standard deviation of the mean scores of the seeds, on these snapshots; NaN
	// for one seed.
	SD float64
	// Interval contains the expected score with a confidence of 95%. If all seeds gave one model, it
	// contains the expected score of that model, over snapshots alone, and says nothing about other
	// seeds.
	Interval   Interval
	Components Components
}

// NewEstimate estimates the expected score of a measure from scores[seed][snapshot], at least one
// of each. Each seed counts as a model of its own; if this is not so, use [NewEstimateOfModels].
// The interval treats seeds and snapshots as random, and contains the mean. docs/statistics.md
// describes it. There are two kinds of measures:
//
//   - Shares lie in [0,1], and higher is better. The interval lies in [0,1], and reaches further
//     towards ½. With few misses or few hits it is the mid-P interval of all scores. With a single
//     snapshot it is all of [0,1].
//   - Errors are all other scores from 0 on. [core.Measure.Together] combines the scores of a
//     snapshot at several steps, for instance by the root of their mean square. It also combines
//     the snapshots of a seed, and the mean is over the seeds. Snapshots are in the order of time.
//     The interval is that of lognormal errors. It is finite, and within the bounds of the measure.
//     If all errors are equal, it is that error alone. With a single snapshot it is the whole range
//     up to [math.MaxFloat64].
//
// The errors are [core.ErrShape] for rows of different lengths or none, and [core.ErrNonFinite] for
// a score or a mean that is not a finite number. They are [core.ErrOption] for a score outside the
// measure's bounds, and for a measure that is not covered (see [Covers]).
func NewEstimate(m core.Measure, scores [][]float64) (Estimate, error) {
	return NewEstimateOfModels(m, scores, make([]string, len(scores)))
}

// NewEstimateOfModels is [NewEstimate] if some seeds gave the same model, as all seeds do with a
// method that uses no random numbers. Such a model counts once in the interval, and the mean is
// over all seeds. models names the model of each seed. Equal names mean one model, and an empty
// name means a separate model. The error is also [core.ErrShape] if there is not a name for each
// seed.
func NewEstimateOfModels(m core.Measure, scores [][]float64, models []string) (Estimate, error) {
	if err := checkScale(m); err != nil {
		return Estimate{}, err
	}
	if err := check(scores, m.Least, m.Most); err != nil {
		return Estimate{}, err
	}
	if len(models) != len(scores) {
		return Estimate{}, fmt.Errorf("%w: %d names of models for %d seeds; give one each",
			core.ErrShape, len(models), len(scores))
	}
	var distinct [][]float64
	seen := map[string]bool{}
	for s, row := range scores {
		if models[s] == "" || !seen[models[s]] {
			distinct = append(distinct, row)
		}
		seen[models[s]] = true
	}
	if scaleOf(m) == errorScale {
		return estimateErrors(m, scores, distinct)
	}
	return estimate(scores, distinct), nil
}

// estimate takes the interval from the rows of distinct models, and all else from all scores.
func estimate(scores, distinct [][]float64) Estimate {
	a := analyse(scores)
	e := Estimate{
		Seeds: a.seeds, Snapshots: a.snapshots, Mean: math.Min(1, a.mean), SD: math.NaN(),
		Components: a.components, Interval: Interval{0, 1},
	}
	if a.seeds > 1 {
		e.SD = stat.StdDev(a.rows, nil)
	}
	if a.snapshots < 2 {
		e.Components.Snapshots = math.NaN()
		return e
	}
	if len(distinct) < len(scores) {
		a = analyse(distinct)
	}
	if a.sameRows() && !a.none() {
		// Rows that hold misses and hits at the same snapshots do not depend on the seed.
		a = analyse(distinct[:1])
	}
	a.mean = math.Min(1, a.mean)
	i := a.interval()
	e.Interval = Interval{math.Min(i.Low, e.Mean), math.Max(i.High, e.Mean)}
	return e
}
