package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// What is believed of a way of the table before its scores are seen. docs/statistics.md says how
// these were chosen.
const (
	believedVariance = 0.8 // of log-odds between seeds, or between snapshots
	believedWorth    = 0.5 // degrees of freedom of the belief at one unit of information a level
	veryFewUnits     = 0.2 // of information a level, below which scores tell next to nothing of dispersion
	fewUnits         = 2   // of information a level, above which they tell all there is to know

	// Two levels alone tell too little for an interval that is of use.
	varianceOfTwo = 0.25
	worthOfTwo    = 3
)

// way is one of the two ways of a table, seeds or snapshots.
type way struct {
	levels, trials float64 // how many, and how many scores each has
	dispersion     float64 // variance of the means of levels, over that of means of independent scores
	freedom        float64 // of that estimate
}

// believe weighs the dispersion with what is believed of it: 1 for chance, and more with the
// information that a level holds. The fewer units of information a level holds, the less the scores
// tell of dispersion, and the more the belief is worth. Levels agree no better than steps of one
// unit show.
func (w way) believe(information float64) way {
	units := information / w.levels
	worth := believedWorth / (units * units) * (1 + square(veryFewUnits/units)) / (1 + square(units/fewUnits))
	variance := believedVariance
	if w.levels == 2 {
		worth, variance = math.Max(worth, worthOfTwo), varianceOfTwo
	}
	freedom := w.freedom + worth
	own := math.Max(w.dispersion, 1/(12*units+4))
	w.dispersion = (w.freedom*own + worth*(1+variance*units)) / freedom
	w.freedom = freedom
	return w
}

// interval holds the expected score over all seeds and snapshots of a table of scores in [0,1],
// with two snapshots at least.
//
// Its ends are quantiles of a pivotal distribution of the log-odds of the expected score. That is
// the sum of
//
//   - chance: the log-odds of the mid-P distribution of a binomial share, narrower if the
//     dispersion is below 1;
//   - what the levels of the shorter way of the table add, normal with a variance that its
//     dispersion D above 1 gives. D is not known, and goes through the distribution that χ² gives
//     it (a generalized pivotal quantity, Weerahandi 1993, JASA 88, 899–905);
//   - what the levels of the other way add, normal;
//   - the distance between the logarithm of a mean and the mean of logarithms, which grows with D:
//     near 0 and 1 most levels are good and few are bad, and a few seldom show the bad ones.
//
// With few misses or few hits only chance is left, and the interval is the mid-P one of all scores;
// with many, it is like Student's over the seeds.
func (a spread) interval() Interval {
	n := float64(a.seeds) * float64(a.snapshots)
	hits, misses := n*a.mean, n*(1-a.mean)
	binomial := a.mean * (1 - a.mean)
	// A unit is the part of a trial that a score is worth: 1 if scores are 0 and 1, less if they
	// are shares that vary less.
	unit := (n*a.variance + 0.5) / (n*binomial + 0.5)
	if unit > 1-1e-9 {
		unit = 1
	}
	hits, misses = hits/unit, misses/unit
	p := pivot{mean: a.mean, chance: newChance(hits, misses), information: n*binomial/unit + 0.5}
	if a.seeds == 1 {
		freedom := float64(a.snapshots - 1)
		if unit == 1 {
			freedom = math.Inf(1)
		}
		p.add(way{trials: math.Inf(1), dispersion: 1, freedom: freedom}, 0)
		return p.interval()
	}
	seeds := way{float64(a.seeds), float64(a.snapshots), 1, float64(a.seeds - 1)}
	snapshots := way{float64(a.snapshots), float64(a.seeds), 1, float64(a.snapshots - 1)}
	rest := 1.0
	if n*binomial > 1e-9 {
		seeds.dispersion = a.msSeed / (binomial * unit)
		snapshots.dispersion = a.msSnapshot / (binomial * unit)
		rest = a.components.Rest / (binomial * unit)
	}
	short, long := seeds.believe(p.information), snapshots.believe(p.information)
	if snapshots.levels < seeds.levels {
		short, long = long, short
	}
	short.trials /= unit
	// Chance is in the dispersion of the shorter way already.
	t := quantile(Alpha/2, long.freedom) / normal
	p.add(short, t*t*math.Max(0, long.dispersion-rest))
	return p.interval()
}

// pivot is the distribution of the log-odds of the expected score.
type pivot struct {
	mean        float64
	information float64 // of all scores: the inverse of the variance of log-odds by chance
	chance      chance
	parts       []part
}

// part is what the distribution is for one value of the dispersion.
type part struct {
	weight, scale, sd, shift float64
}

// add brings in the levels of the shorter way, and the dispersion above chance that the other adds.
//
// Both variances are estimates. Where the second is a good part of the whole, one quantile of t for
// the first is too far out, as Satterthwaite's degrees of freedom (1946, Biometrics Bulletin 2,
// 110–114) say; these go further than is safe for a few levels, and so this goes part of the way.
func (p *pivot) add(w way, other float64) {
	values, weights := scaled(w.freedom * (1 + 1.5*other/(math.Max(1, w.dispersion)+other)))
	// The logarithm of 1 + the relative variance of levels is the variance of their logarithms.
	logs := func(dispersion float64) float64 {
		return math.Log1p(w.levels * math.Max(0, dispersion-1) / p.information)
	}
	for k, v := range values {
		d := math.Min(w.dispersion*v, w.trials)
		p.parts = append(p.parts, part{
			weight: weights[k],
			scale:  math.Sqrt(math.Min(1, d)),
			sd:     math.Sqrt((math.Max(0, d-1) + other) / p.information),
			shift:  (0.5 - p.mean) * (logs(d) - logs(w.dispersion)),
		})
	}
}

// interval ends at 0 or 1 if no score is further away, and holds the mean whatever the rounding.
func (p pivot) interval() Interval {
	i := Interval{0, 1}
	if p.chance.hits > 0 {
		i.Low = math.Min(p.mean, sigmoid(p.quantile(Alpha/2)))
	}
	if p.chance.misses > 0 {
		i.High = math.Max(p.mean, sigmoid(p.quantile(1-Alpha/2)))
	}
	return i
}

func (p pivot) below(x float64) float64 {
	sum := 0.0
	for _, k := range p.parts {
		sum += k.weight * p.chance.below(x-k.shift, k.scale, k.sd)
	}
	return sum
}

// quantile is found by the Illinois method, between ends that hold every log-odds of a share.
func (p pivot) quantile(share float64) float64 {
	low, high := p.chance.centre-1, p.chance.centre+1
	atLow, atHigh := p.below(low)-share, p.below(high)-share
	for step := 2.0; atLow > 0 && step < 1e3; step *= 2 {
		high, atHigh = low, atLow
		low -= step
		atLow = p.below(low) - share
	}
	for step := 2.0; atHigh < 0 && step < 1e3; step *= 2 {
		low, atLow = high, atHigh
		high += step
		atHigh = p.below(high) - share
	}
	side := 0
	for range 100 {
		if high-low < 1e-10 || atLow >= 0 || atHigh <= 0 {
			break
		}
		x := (low*atHigh - high*atLow) / (atHigh - atLow)
		at := p.below(x) - share
		switch {
		case math.Abs(at) < 1e-13:
			return x
		case at < 0:
			low, atLow = x, at
			if side < 0 {
				atHigh /= 2
			}
			side = -1
		default:
			high, atHigh = x, at
			if side > 0 {
				atLow /= 2
			}
			side = 1
		}
	}
	return (low + high) / 2
}

// chance is the mid-P distribution of the log-odds of a binomial share, its function joined by
// straight lines.
type chance struct {
	hits, misses float64
	centre       float64
	at, bend     []float64 // log-odds less the centre, and by how much the slope grows there
	first, last  float64   // what lies below the first of them, and above the last
}

// newChance takes numbers of hits and misses that need not be whole.
func newChance(hits, misses float64) chance {
	const nodes, least = 80, 1e-9
	c := chance{hits: hits, misses: misses}
	if hits < least {
		c.hits = 0
	}
	if misses < least {
		c.misses = 0
	}
	n := c.hits + c.misses
	c.centre = math.Log((c.hits + 0.5) / (c.misses + 0.5))
	information := c.hits*c.misses/n + 0.5
	reach := math.Min(5, 4.5/math.Sqrt(information)+1/information)
	width := 2 * reach / nodes
	slope, last := 0.0, 0.0
	for k := range nodes + 1 {
		at := width * float64(k-nodes/2)
		below := midP(c.hits, c.misses, c.centre+at)
		if k == 0 {
			c.first = below
		} else {
			next := (below - last) / width
			c.bend = append(c.bend, next-slope)
			slope = next
		}
		c.at = append(c.at, at)
		last = below
	}
	c.bend = append(c.bend, -slope)
	c.last = 1 - last
	return c
}

// midP is the mid-P distribution function, at these log-odds, of the probability of a hit: half of
// that of Clopper and Pearson's (1934, Biometrika 26, 404–413) lower ends and half of that of their
// upper ones. Without a miss, or without a hit, it is all of the one that there is, whose interval
// is theirs.
func midP(hits, misses, logOdds float64) float64 {
	share := sigmoid(logOdds)
	switch {
	case share <= 0 || share >= 1:
		return share
	case misses == 0:
		return mathext.RegIncBeta(hits, 1, share)
	case hits == 0:
		return mathext.RegIncBeta(1, misses, share)
	}
	return (mathext.RegIncBeta(hits, misses+1, share) + mathext.RegIncBeta(hits+1, misses, share)) / 2
}

// below is the distribution function at x of the sum of a normal deviate and of chance's
// deviations, scaled, from its centre. The mean over a normal deviate of a function that is bent
// where lines join is a sum over the bends.
func (c chance) below(x, scale, sd float64) float64 {
	x = (x - c.centre) / scale
	sd = math.Max(sd/scale, 1e-6)
	far := len(c.at) - 1
	sum := c.first*normalBelow((x-c.at[0])/sd) + c.last*normalBelow((x-c.at[far])/sd)
	for k, bend := range c.bend {
		sum += bend * sd * aboveNormal((x-c.at[k])/sd)
	}
	return sum
}

// aboveNormal is the mean of max(0, z−Z) over normal Z, z Φ(z) + φ(z), from a table.
func aboveNormal(z float64) float64 {
	above := 0.0
	if z > 0 {
		above = z
	}
	place := math.Abs(z) * tableSteps
	if place >= float64(len(normalTable)-1) {
		return above
	}
	k := int(place)
	return above + normalTable[k] + (place-float64(k))*(normalTable[k+1]-normalTable[k])
}

// normalTable holds the mean of max(0, Z−z) over normal Z, at so many steps a unit of z, up to
// where it is nothing.
const tableSteps = 128

var normalTable = func() (t [7*tableSteps + 1]float64) {
	for k := range t[:len(t)-1] {
		z := float64(k) / tableSteps
		t[k] = math.Exp(-z*z/2)/math.Sqrt(2*math.Pi) - z*normalBelow(-z)
	}
	return t
}()

func normalBelow(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// scaled is freedom/χ² at even steps of its normal score, and their weights.
func scaled(freedom float64) (values, weights []float64) {
	if math.IsInf(freedom, 1) {
		return []float64{1}, []float64{1}
	}
	const reach, step = 6, 0.6
	chi2, total := distuv.ChiSquared{K: freedom}, 0.0
	for k := -reach; k <= reach; k++ {
		score := step * float64(k)
		weight := math.Exp(-score * score / 2)
		values = append(values, freedom/chi2.Quantile(normalBelow(score)))
		weights = append(weights, weight)
		total += weight
	}
	for k := range weights {
		weights[k] /= total
	}
	return values, weights
}

func square(x float64) float64 { return x * x }

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
