package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

func TestExpectedLogOdds(t *testing.T) {
	const n = 20000
	for _, mean := range []float64{-6, -1, 0, 0.5, 4} {
		assert.InDelta(t, mean, expectedLogOdds(mean, 0), 1e-12)
		for _, sd := range []float64{0.1, 1, 3} {
			share := 0.0
			for k := range n {
				share += sigmoid(mean+sd*distuv.UnitNormal.Quantile((float64(k)+0.5)/n)) / n
			}
			assert.InDelta(t, logOdds(share), expectedLogOdds(mean, sd), 0.01, "mean %v, sd %v", mean, sd)
			assert.InDelta(t, -expectedLogOdds(mean, sd), expectedLogOdds(-mean, sd), 1e-12)
		}
	}
	// Where scores are small, their log-odds are their logarithms, and the mean of log-normal values is known.
	assert.InDelta(t, -12+0.5*0.8*0.8, expectedLogOdds(-12, 0.8), 1e-4)
}

// Where scores are small, the pivotal quantity is that of the mean of log-normal values: m + Z s K/√S + s²K²/2.
func TestSeedReachOfLogNormalScores(t *testing.T) {
	const snapshots, draws = 1e9, 200_000
	logs := []float64{-11.2, -12.1, -10.9, -11.8, -11.5}
	scores := make([]float64, len(logs))
	for s, v := range logs {
		scores[s] = sigmoid(v)
	}
	down, up := seedReach(scores, snapshots)

	mean, sd := stat.MeanStdDev(logs, nil)
	r := rand.New(rand.NewPCG(1, 2))
	pivots := make([]float64, draws)
	for i := range pivots {
		chi2 := 0.0
		for range len(logs) - 1 {
			z := r.NormFloat64()
			chi2 += z * z
		}
		sigma := sd * math.Sqrt(float64(len(logs)-1)/chi2)
		pivots[i] = mean + r.NormFloat64()*sigma/math.Sqrt(float64(len(logs))) + sigma*sigma/2
	}
	slices.Sort(pivots)
	centre := mean + sd*sd/2
	assert.InEpsilon(t, centre-stat.Quantile(0.025, stat.Empirical, pivots, nil), down, 0.03)
	assert.InEpsilon(t, stat.Quantile(0.975, stat.Empirical, pivots, nil)-centre, up, 0.03)
	assert.Greater(t, up, 1.5*down, "a few seeds seldom show the large scores")
}

// With many seeds the reach is that of the normal approximation.
func TestSeedReachOfManySeeds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	scores := make([]float64, 4000)
	for s := range scores {
		scores[s] = sigmoid(1 + 0.3*r.NormFloat64())
	}
	mean, sd := stat.MeanStdDev(scores, nil)
	want := normal * sd / math.Sqrt(float64(len(scores))) / (mean * (1 - mean))
	down, up := seedReach(scores, 100_000)
	assert.InEpsilon(t, want, down, 0.03)
	assert.InEpsilon(t, want, up, 0.03)
}

func TestSeedReachOfEqualSeeds(t *testing.T) {
	for _, score := range []float64{0, 0.3, 1} {
		down, up := seedReach([]float64{score, score, score}, 100)
		assert.Zero(t, down)
		assert.Zero(t, up)
	}
	down, up := seedReach([]float64{0, 1}, 100)
	assert.False(t, math.IsNaN(down+up) || math.IsInf(down+up, 0), "two seeds that could not differ more")
}
