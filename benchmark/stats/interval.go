package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// interval holds the expected score, over all seeds and snapshots, of a table of scores in [0,1] whose scores differ. How far
// it reaches to either side of the mean is told on the scale of log-odds, as the root of the sum of the squares of what seeds
// and what snapshots add: the one by [seedReach], the other by Wilson's interval with the effective number of trials at which
// a binomial share would have their variance (Franco, Little, Louis and Slud 2019, Journal of Survey Statistics and
// Methodology 7, 334–364).
func (a spread) interval() Interval {
	t := quantile(Alpha/2, a.snapshots-1)
	bySnapshot := wilson(a.mean, t*t*a.bySnapshot/(a.mean*(1-a.mean)))
	if a.seeds == 1 {
		return bySnapshot
	}
	centre := logOdds(a.mean)
	down, up := seedReach(a.rows, a.snapshots)
	down, up = math.Hypot(down, centre-logOdds(bySnapshot.Low)), math.Hypot(up, logOdds(bySnapshot.High)-centre)
	return Interval{math.Min(sigmoid(centre-down), a.mean), math.Max(sigmoid(centre+up), a.mean)}
}

// seedReach is how far below and above what the seeds show the expected score may lie, on the scale of log-odds, at two or
// more seeds with these mean scores over the snapshots.
//
// The log-odds of seeds are taken as normal, with unknown mean and variance. Then the expected score is a function of both,
// M(μ, σ) = E 1/(1 + exp(−μ − σZ)), and its interval is that of the generalized pivotal quantity M(m + Z s K/√S, s K) with
// K² = (S−1)/χ²: m and s are the mean and the standard deviation of the log-odds observed, Z normal and χ² with S−1 degrees of
// freedom (Weerahandi 1993, JASA 88, 899–905; Krishnamoorthy and Mathew 2003, Journal of Statistical Planning and Inference 115,
// 103–121, for means of log-normal values). That knows what a symmetric interval does not: near 0 and 1 scores are skewed,
// and a few seeds seldom show the bad ones.
func seedReach(scores []float64, snapshots int) (down, up float64) {
	odds := make([]float64, len(scores))
	for s, score := range scores {
		// A little of a snapshot more on either side keeps log-odds finite. With a half, the usual choice (Haldane 1956, Annals of
		// Human Genetics 20, 309–311), intervals of scores that are nearly all right are a little short.
		const more = 0.4
		odds[s] = logOdds((score*float64(snapshots) + more) / (float64(snapshots) + 2*more))
	}
	mean, sd := stat.MeanStdDev(odds, nil)
	if sd == 0 {
		return 0, 0
	}
	// Z, and the normal score of χ², each go through the steps of a fine grid.
	const reach, step = 15, 0.25
	freedom := float64(len(scores) - 1)
	pivots := make([]weighted, 0, (2*reach+1)*(2*reach+1))
	total := 0.0
	for i := -reach; i <= reach; i++ {
		score := step * float64(i)
		sigma := sd * math.Sqrt(freedom/distuv.ChiSquared{K: freedom}.Quantile(distuv.UnitNormal.CDF(score)))
		for j := -reach; j <= reach; j++ {
			z := step * float64(j)
			p := weighted{expectedLogOdds(mean+z*sigma/math.Sqrt(freedom+1), sigma), math.Exp(-(score*score + z*z) / 2)}
			pivots = append(pivots, p)
			total += p.weight
		}
	}
	slices.SortFunc(pivots, func(a, b weighted) int { return cmp.Compare(a.value, b.value) })
	centre := expectedLogOdds(mean, sd)
	return math.Max(0, centre-weightedQuantile(pivots, Alpha/2*total)), math.Max(0, weightedQuantile(pivots, (1-Alpha/2)*total)-centre)
}

type weighted struct{ value, weight float64 }

// weightedQuantile is the value that so much weight lies below, the values being sorted, each with half of its own weight below
// it, and joined by straight lines.
func weightedQuantile(values []weighted, below float64) float64 {
	sum := 0.0
	for i, v := range values {
		if sum+v.weight/2 >= below {
			if i == 0 {
				return v.value
			}
			last := values[i-1]
			share := (below - (sum - last.weight/2)) / ((last.weight + v.weight) / 2)
			return last.value + share*(v.value-last.value)
		}
		sum += v.weight
	}
	return values[len(values)-1].value
}

// expectedLogOdds is the log-odds of the mean of 1/(1 + exp(−x)) over normal x, by Gauss–Hermite quadrature.
func expectedLogOdds(mean, sd float64) float64 {
	// Of the two shares the smaller is summed, which keeps its digits.
	if mean > 0 {
		return -expectedLogOdds(-mean, sd)
	}
	share := 0.0
	for i, x := range hermite.x {
		share += hermite.weight[i] * sigmoid(mean+sd*x)
	}
	return logOdds(share)
}

// hermite is the rule for means over the standard normal distribution.
var hermite = newHermite(21)

type rule struct{ x, weight []float64 }

func newHermite(n int) rule {
	r := rule{make([]float64, n), make([]float64, n)}
	quad.Hermite{}.FixedLocations(r.x, r.weight, math.Inf(-1), math.Inf(1))
	for i := range r.x {
		r.x[i] *= math.Sqrt2
		r.weight[i] /= math.Sqrt(math.Pi)
	}
	return r
}

func logOdds(share float64) float64 { return math.Log(share) - math.Log1p(-share) }

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
