package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"

	"github.com/koopbench/koopbench/core"
)

// Alpha is how often an interval may miss, and how often a ranking may hold a difference that is
// none: 1 in 20.
const Alpha = 0.05

// Interval is a range of values, ends included.
type Interval struct{ Low, High float64 }

// Estimate is what the scores of a method at some seeds say of its expected score over all seeds
// and snapshots.
type Estimate struct {
	Seeds, Snapshots int
	Mean             float64
	// SD is the sample standard deviation of the mean scores of the seeds, on these snapshots; NaN
	// for one seed.
	SD float64
	// Interval holds the expected score with a confidence of 95%. If all seeds gave one model, it
	// holds the expected score of that model, over snapshots alone, and says nothing of other
	// seeds.
	Interval   Interval
	Components Components
}

// NewEstimate estimates the expected score from scores[seed][snapshot] in [0,1], at least one of
// each; with a single snapshot the interval is all of [0,1]. Each seed is taken for a model of its
// own; if some are not, use [NewEstimateOfModels].
//
// The interval treats seeds and snapshots as random. It lies in [0,1], holds the mean, and reaches
// further towards ½. With few misses or few hits it is the mid-P interval of all scores;
// docs/statistics.md says what it is otherwise.
//
// The errors are [core.ErrShape] for rows of different lengths or none, [core.ErrNonFinite], and
// [core.ErrOption] for a score outside [0,1].
func NewEstimate(scores [][]float64) (Estimate, error) {
	if err := check(scores, 0); err != nil {
		return Estimate{}, err
	}
	return estimate(scores, scores), nil
}

// NewEstimateOfModels is [NewEstimate] if some seeds gave the same model, as all do with a method
// that uses no random numbers: such a model counts once in the interval, and the mean is over all
// seeds. models names the model of each seed; equal names are one model, and an empty name is a
// model of its own. The error is [core.ErrShape] too if there is not a name for each seed.
func NewEstimateOfModels(scores [][]float64, models []string) (Estimate, error) {
	if err := check(scores, 0); err != nil {
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
