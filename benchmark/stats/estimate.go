package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Alpha is how often an interval may miss, and how often a ranking may hold a difference that is none: 1 in 20.
const Alpha = 0.05

// Interval is a range of values, ends included.
type Interval struct{ Low, High float64 }

// Estimate is what the scores of a method at some seeds say of its expected score over all seeds and snapshots.
type Estimate struct {
	Seeds, Snapshots int
	Mean             float64
	// SD is the sample standard deviation of the mean scores of the seeds, on these snapshots; NaN for one seed.
	SD float64
	// Interval holds the expected score with a confidence of 95 %. For one seed it holds the expected score of that
	// seed's model, over snapshots alone, and says nothing of other seeds.
	Interval   Interval
	Components Components
}

// NewEstimate estimates the expected score from scores[seed][snapshot] in [0,1], at least one of each; with a single
// snapshot the interval is all of [0,1].
//
// The interval treats seeds and snapshots as random: the log-odds of seeds as normal, with the interval of a generalized
// pivotal quantity for the mean, and snapshots by an analysis of variance with Wilson's interval (1927, JASA 22, 209–212). It lies
// in [0,1] and reaches further towards ½. Where no score differs from another, it is Wilson's with the number of snapshots.
//
// The errors are [core.ErrShape] for rows of different lengths or none, [core.ErrNonFinite], and [core.ErrOption] for a
// score outside [0,1].
func NewEstimate(scores [][]float64) (Estimate, error) {
	if err := check(scores, 0); err != nil {
		return Estimate{}, err
	}
	a := analyse(scores)
	e := Estimate{Seeds: a.seeds, Snapshots: a.snapshots, Mean: math.Min(1, a.mean), SD: math.NaN(), Components: a.components, Interval: Interval{0, 1}}
	if a.seeds > 1 {
		e.SD = stat.StdDev(a.rows, nil)
	}
	if a.snapshots < 2 {
		e.Components.Snapshots = math.NaN()
		return e, nil
	}
	if a.none() {
		e.Interval = wilson(e.Mean, normal*normal/float64(a.snapshots))
		return e, nil
	}
	e.Interval = a.interval()
	return e, nil
}
