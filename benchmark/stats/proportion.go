package stats

import "math"

// normal is the quantile of the normal distribution at 1 − Alpha/2.
const normal = 1.959963984540054

// Proportion is Wilson's 95% interval (1927, JASA 22, 209–212) for the probability of success,
// after the given number of successes in n independent trials; [0,1] without trials. It covers 95%
// on average over probabilities, not for each one (Brown, Cai and DasGupta 2001, Statistical
// Science 16, 101–133, who recommend it for few trials).
func Proportion(successes, n int) Interval {
	if n < 1 {
		return Interval{0, 1}
	}
	share := float64(min(max(successes, 0), n)) / float64(n)
	return wilson(share, normal*normal/float64(n))
}

// wilson solves (share − p)² = r p (1 − p) for p, r being the squared quantile over the number of trials.
func wilson(share, r float64) Interval {
	centre := (share + r/2) / (1 + r)
	half := math.Sqrt(r*share*(1-share)+r*r/4) / (1 + r)
	// The interval holds the share, and ends at 0 or 1 with it, whatever the rounding.
	return Interval{math.Min(math.Max(0, centre-half), share), math.Max(math.Min(1, centre+half), share)}
}
