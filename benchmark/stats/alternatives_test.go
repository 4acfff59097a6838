package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kornGraubard is Clopper and Pearson's interval with the number of trials that has the variance of
// the mean, fewer by the ratio of the quantiles of t for so many seeds and for the scores (Korn and
// Graubard 1998, Survey Methodology 24, 193–201).
func kornGraubard(a spread) Interval {
	n := float64(a.seeds * a.snapshots)
	if a.mean == 0 || a.mean == 1 {
		return clopperPearson(n*a.mean, n)
	}
	ratio := quantile(Alpha/2, n-1) / quantile(Alpha/2, float64(a.seeds-1))
	trials := math.Min(n, a.mean*(1-a.mean)/(a.bySeed+a.bySnapshot)*ratio*ratio)
	return clopperPearson(trials*a.mean, trials)
}

// wilsonOfSeeds is Wilson's interval with such a number of trials, with normal seeds and snapshots
// and a quantile of t for each (Franco, Little, Louis and Slud 2019, Journal of Survey Statistics
// and Methodology 7, 334–364).
func wilsonOfSeeds(a spread) Interval {
	if a.mean == 0 || a.mean == 1 {
		return wilson(a.mean, normal*normal/float64(a.seeds*a.snapshots))
	}
	reach := a.reach(Alpha)
	return wilson(a.mean, reach*reach/(a.mean*(1-a.mean)))
}

// betaBinomial is the log-likelihood of the numbers of misses of seeds whose rates of misses have a
// beta distribution with this log-odds of the mean, and variance rho times that of a single score.
func betaBinomial(misses []float64, trials, odds, rho float64) float64 {
	q := sigmoid(odds)
	sum := 0.0
	if rho == 0 {
		for _, k := range misses {
			sum += k*math.Log(q) + (trials-k)*math.Log1p(-q)
		}
		return sum
	}
	gamma := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	size := (1 - rho) / rho
	a, b := q*size, (1-q)*size
	for _, k := range misses {
		sum += gamma(a+k) + gamma(b+trials-k) - gamma(size+trials) - gamma(a) - gamma(b) + gamma(size)
	}
	return sum
}

// binomialNormal is that of seeds whose log-odds are normal with this deviation, the mixed logistic
// model, by sums over a grid.
func binomialNormal(misses []float64, trials, odds, sd float64) float64 {
	const nodes, reach = 41, 5.0
	mean := math.Max(odds, -30)
	if sd > 0 {
		mean = levelOfMean(odds, sd)
	}
	sum := 0.0
	for _, k := range misses {
		most, logs := math.Inf(-1), [nodes]float64{}
		for i := range nodes {
			z := reach * (2*float64(i)/(nodes-1) - 1)
			x := mean + sd*z
			logs[i] = -z*z/2 - k*math.Log1p(math.Exp(-x)) - (trials-k)*math.Log1p(math.Exp(x))
			most = math.Max(most, logs[i])
		}
		share := 0.0
		for _, v := range logs {
			share += math.Exp(v - most)
		}
		sum += most + math.Log(share)
	}
	return sum
}

// levelOfMean is the mean of normal log-odds of this deviation whose expected share has the given
// log-odds.
func levelOfMean(odds, sd float64) float64 {
	target := sigmoid(odds)
	low, high := odds-sd*sd-2, odds+sd*sd+2
	for range 25 {
		middle, share, total := (low+high)/2, 0.0, 0.0
		for i := range 41 {
			z := 5 * (float64(i)/20 - 1)
			weight := math.Exp(-z * z / 2)
			share += weight * sigmoid(middle+sd*z)
			total += weight
		}
		if share/total < target {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// likelihood is the logarithm of that of numbers of misses, up to what does not depend on the last two.
type likelihood func(misses []float64, trials, odds, spread float64) float64

// likelihoodRatio is the interval of the mean whose profile likelihood is not lower than the
// highest by more than the quantile of F with 1 and seeds−1 degrees of freedom allows.
func likelihoodRatio(a spread, likelihood likelihood, spreads []float64) Interval {
	trials := float64(a.snapshots)
	misses := make([]float64, a.seeds)
	for s, row := range a.rows {
		misses[s] = math.Round(trials * (1 - row))
	}
	profile := func(odds float64) float64 {
		most := math.Inf(-1)
		for _, v := range spreads {
			most = math.Max(most, likelihood(misses, trials, odds, v))
		}
		return most
	}
	n := trials * float64(a.seeds)
	top := logOdds(math.Min(math.Max(1-a.mean, 0.01/n), 1-0.01/n))
	most := math.Inf(-1)
	for k := -4; k <= 4; k++ {
		at := top + 0.2*float64(k)
		if v := profile(at); v > most {
			most = v
		}
	}
	t := quantile(Alpha/2, float64(a.seeds-1))
	end := func(direction float64) float64 {
		inside, outside := top, top+direction*12
		for range 16 {
			middle := (inside + outside) / 2
			if 2*(most-profile(middle)) < t*t {
				inside = middle
			} else {
				outside = middle
			}
		}
		return sigmoid(inside)
	}
	i := Interval{0, 1}
	if a.mean > 0 {
		i.Low = 1 - end(1)
	}
	if a.mean < 1 {
		i.High = 1 - end(-1)
	}
	return i
}

func logOdds(share float64) float64 { return math.Log(share) - math.Log1p(-share) }

func TestAlternatives(t *testing.T) {
	// Without dispersion the likelihoods are binomial.
	misses := []float64{3, 5, 1}
	want := betaBinomial(misses, 50, -2, 0)
	assert.InDelta(t, want, betaBinomial(misses, 50, -2, 1e-9), 1e-4)
	none := binomialNormal([]float64{9}, 150, -2, 0) - binomialNormal([]float64{9}, 150, -2.5, 0)
	assert.InDelta(t, want-betaBinomial(misses, 50, -2.5, 0), none, 1e-9)
	assert.InDelta(t, -2, logOdds(expectedOf(levelOfMean(-2, 1.5), 1.5)), 1e-3)
	assert.Equal(t, clopperPearson(2000, 2000), kornGraubard(spread{seeds: 2, snapshots: 1000, mean: 1}))
}

func expectedOf(level, sd float64) float64 { return population{level: level, seeds: sd}.expected() }

// TestStudyOfAlternatives prints why NewEstimate does what it does: docs/statistics.md.
func TestStudyOfAlternatives(t *testing.T) {
	if !*study {
		t.Skip("it takes minutes; run it with -study")
	}
	const n = 500
	rhos, sds := []float64{0}, []float64{0}
	for k := range 12 {
		rhos = append(rhos, math.Pow(10, -5+5*float64(k)/12))
		sds = append(sds, 0.15*math.Pow(1.3, float64(k)))
	}
	fmt.Println("rate, snapshots, S, sd of seeds, then coverage in % (mean width) of: this package; Clopper–Pearson;",
		"Korn–Graubard; Wilson with normal seeds; beta-binomial; binomial-normal")
	for _, c := range []struct {
		rate, seedSD, snapshotSD float64
		seeds, snapshots         int
	}{
		{0.9998, 0, 0, 10, 1000}, {0.9998, 0.5, 1.2, 10, 1000}, {0.999, 0, 0, 10, 1000}, {0.999, 1, 1.2, 10, 1000},
		{0.99, 0.5, 1.2, 5, 100}, {0.97, 0.5, 1.2, 50, 20}, {0.97, 0, 0, 3, 1000},
		{0.97, 0.5, 1.2, 3, 1000}, {0.97, 1, 1.2, 10, 1000}, {0.5, 0.5, 1.2, 3, 100},
	} {
		p := ofRate(c.rate, c.seedSD, c.snapshotSD)
		r := rand.New(rand.NewPCG(uint64(c.seeds), 5))
		var got [6]cover
		for range n {
			scores := p.draw(r, c.seeds, p.snapshotEffects(r, c.snapshots))
			e, err := NewEstimate(accuracy, scores)
			require.NoError(t, err)
			a := analyse(scores)
			trials := float64(c.seeds * c.snapshots)
			for k, i := range []Interval{
				e.Interval, clopperPearson(math.Round(trials*a.mean), trials), kornGraubard(a), wilsonOfSeeds(a),
				likelihoodRatio(a, betaBinomial, rhos), likelihoodRatio(a, binomialNormal, sds),
			} {
				got[k].add(i, c.rate, n)
			}
		}
		fmt.Printf("| %v | %d | %d | %.1f |", c.rate, c.snapshots, c.seeds, c.seedSD)
		for _, g := range got {
			fmt.Printf(" %.1f (%.2g) |", g.held, g.width)
		}
		fmt.Println()
	}
}
