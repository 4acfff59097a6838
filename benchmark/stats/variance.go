package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Components are the variances of a two-way crossed random model without replication: score = mean
// + seed + snapshot + rest. They are the ANOVA estimates, or zero if these are negative (Searle,
// Casella and McCulloch 1992, "Variance Components", chapter 4).
type Components struct {
	Seeds     float64 // between seeds; NaN for one seed, where it cannot be known
	Snapshots float64 // between snapshots; for one seed it includes Rest
	Rest      float64 // what neither explains: interaction and chance; NaN for one seed
}

// spread is the variance of the mean of a table, in two parts that are nearly independent.
type spread struct {
	seeds, snapshots int
	mean             float64
	rows             []float64 // the mean score of each seed
	variance         float64   // of all scores about their mean
	// msSeed and msSnapshot are mean squares; that of the rest is in the components.
	msSeed, msSnapshot float64
	components         Components
	// bySeed is what seeds and rest add to the variance of the mean, estimated with seeds−1 degrees
	// of freedom, and bySnapshot what snapshots add, with snapshots−1. atLeast is a lower bound of
	// the part of the seeds, estimated with (seeds−1)(snapshots−1); 0 where none is used.
	bySeed, bySnapshot, atLeast float64
}

// analyse takes the variance of the mean of a table apart. With S seeds, I snapshots and the mean
// squares MS of an analysis of variance, E MS_seed = I σ²_seed + σ²_rest, E MS_snapshot = S
// σ²_snapshot + σ²_rest, E MS_rest = σ²_rest, so that the variance of the mean, σ²_seed/S +
// σ²_snapshot/I + σ²_rest/(S I), is E(MS_seed + (MS_snapshot − MS_rest))/(S I). With one snapshot
// no variance is a number.
func analyse(scores [][]float64) spread {
	seeds, snapshots := len(scores), len(scores[0])
	s, n := float64(seeds), float64(snapshots)
	columns, rows := make([]float64, snapshots), make([]float64, seeds)
	a := spread{seeds: seeds, snapshots: snapshots, rows: rows}
	for k, row := range scores {
		for i, v := range row {
			columns[i] += v
			rows[k] += v
		}
		a.mean += rows[k]
		rows[k] /= n
	}
	a.mean /= s * n
	for i := range columns {
		columns[i] /= s
	}
	for _, row := range scores {
		for _, v := range row {
			a.variance += (v - a.mean) * (v - a.mean) / (s * n)
		}
	}
	squares := func(means []float64) (sum float64) {
		for _, v := range means {
			sum += (v - a.mean) * (v - a.mean)
		}
		return sum
	}
	a.msSnapshot = s * squares(columns) / (n - 1)
	if seeds == 1 {
		a.components = Components{Seeds: math.NaN(), Snapshots: a.msSnapshot, Rest: math.NaN()}
		a.bySnapshot = a.msSnapshot / n
		return a
	}
	rest := 0.0
	for k, row := range scores {
		for i, v := range row {
			d := v - rows[k] - columns[i] + a.mean
			rest += d * d
		}
	}
	a.msSeed = n * squares(rows) / (s - 1)
	msRest := rest / ((s - 1) * (n - 1))
	a.components = Components{
		Seeds: math.Max(0, a.msSeed-msRest) / n, Snapshots: math.Max(0, a.msSnapshot-msRest) / s, Rest: msRest,
	}
	a.bySnapshot = a.components.Snapshots / n
	a.bySeed = a.msSeed / (s * n)
	return a
}

// cautious is the spread for tests far out in the tails, where a variance that two or three seeds
// make small by chance would prove anything. The mean score of a seed comes in steps of 1/I, so
// that seeds may agree: the squared deviation of each counts (1/(2I))² more, a correction for
// continuity. And the part of the seeds is at least what the rest alone gives. Where all rows are
// the same, scores do not depend on the seed, and nothing is added.
func (a spread) cautious() spread {
	s, n := float64(a.seeds), float64(a.snapshots)
	if a.seeds < 2 || a.sameRows() {
		return a
	}
	a.bySeed += 1 / (4 * n * n * (s - 1))
	a.atLeast = a.components.Rest / (s * n)
	return a
}

// negligible is a variance that only rounding makes.
const negligible = 1e-20

// sameRows reports whether scores do not depend on the seed.
func (a spread) sameRows() bool { return a.bySeed+a.components.Rest < negligible }

// none reports whether no score differs from another.
func (a spread) none() bool { return a.bySeed+a.bySnapshot < negligible }

// reach is the half width of the interval of the mean that misses with probability alpha: the root
// of the sum of t² times variance over the two parts, each with its own quantile of Student's t.
// For independent normal parts such an interval covers at least as often as it says, whatever their
// ratio (Banerjee 1960, Sankhyā 22, 357–358).
func (a spread) reach(alpha float64) float64 {
	within := func(part, freedom float64) float64 {
		if part < negligible {
			return 0
		}
		t := quantile(alpha/2, freedom)
		return t * t * part
	}
	s, n := float64(a.seeds-1), float64(a.snapshots-1)
	bySeed := math.Max(within(a.bySeed, s), within(a.atLeast, s*n))
	return math.Sqrt(bySeed + within(a.bySnapshot, n))
}

// quantile is that of Student's t.
func quantile(share, freedom float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}.Quantile(share)
}

// pValue is the alpha at which the interval of the mean begins to hold 0.
func (a spread) pValue() float64 {
	distance := math.Abs(a.mean)
	switch {
	case distance < 1e-12:
		return 1
	case a.none():
		return signs(a.snapshots)
	case a.reach(leastP) < distance:
		return leastP
	}
	low, high := math.Log(leastP), 0.0
	for high-low > 1e-3 {
		middle := (low + high) / 2
		if a.reach(math.Exp(middle)) < distance {
			high = middle
		} else {
			low = middle
		}
	}
	return math.Exp(high)
}

// signs is the sign test over snapshots that score the same at every seed: the probability that all of them have one
// sign, if either is as likely.
func signs(snapshots int) float64 { return math.Min(1, math.Exp2(float64(1-snapshots))) }

// leastP is what smaller probabilities are taken for: no model of accuracies is right so far out.
const leastP = 1e-9
