package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
)

// One seed whose scores are 0 and 1 has the mid-P interval of a binomial share, and Clopper and
// Pearson's if all are the same. The values are roots of P(X > k) + P(X = k)/2 = 0.025 from
// scipy.stats.binom.
func TestOneSeedIsABinomialShare(t *testing.T) {
	for _, c := range []struct {
		hits, trials int
		want         Interval
	}{
		{16, 20, Interval{0.5851421, 0.9330277}},
		{50, 100, Interval{0.4026979, 0.5973021}},
		{99, 100, Interval{0.9516802, 0.9994998}},
		{970, 1000, Interval{0.9579831, 0.9792968}},
		{1, 30, Interval{0.0016673, 0.1536092}},
		{20, 20, Interval{0.8315665, 1}},
		{0, 100, Interval{0, 0.0362167}},
	} {
		e, err := NewEstimate(accuracy, [][]float64{constant(c.hits, c.trials, 0)[0]})
		require.NoError(t, err)
		// To 1% of the distance from 0 or 1, whichever is nearer.
		assert.InDelta(t, c.want.Low, e.Interval.Low, 0.01*min(c.want.Low, 1-c.want.Low), "%v", c)
		assert.InDelta(t, c.want.High, e.Interval.High, 0.01*min(c.want.High, 1-c.want.High), "%v", c)
	}
}

// missed is a table of ones whose seeds have so many misses, at other snapshots each.
func missed(snapshots int, misses ...int) [][]float64 {
	table := make([][]float64, len(misses))
	for s, n := range misses {
		table[s] = constant(snapshots, snapshots, 0)[0]
		for k := range n {
			table[s][(s*97+k*13)%snapshots] = 0
		}
	}
	return table
}

func intervalOf(t *testing.T, table [][]float64) Interval {
	e, err := NewEstimate(accuracy, table)
	require.NoError(t, err)
	require.LessOrEqual(t, e.Interval.Low, e.Mean)
	require.GreaterOrEqual(t, e.Interval.High, e.Mean)
	return e.Interval
}

// With few misses the interval is about that of all scores as trials, moves down with each of them
// and grows.
func TestIntervalsOfFewMisses(t *testing.T) {
	last := Interval{1, 1 + 1e-9}
	for misses := range 4 {
		seeds := make([]int, 10)
		for s := range misses {
			seeds[s]++
		}
		i := intervalOf(t, missed(1000, seeds...))
		exact := clopperPearson(10000-float64(misses), 10000)
		assert.Less(t, i.Low, last.Low, "%d misses", misses)
		assert.Less(t, i.High, last.High, "%d misses", misses)
		assert.Greater(t, i.High-i.Low, last.High-last.Low, "%d misses", misses)
		assert.GreaterOrEqual(t, i.High-i.Low, exact.High-exact.Low, "%d misses", misses)
		assert.Less(t, i.High-i.Low, 1.7*(exact.High-exact.Low), "%d misses", misses)
		last = i
	}
	// Misses that one seed alone has say less of other seeds.
	spreadOut := intervalOf(t, missed(1000, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0))
	together := intervalOf(t, missed(1000, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0))
	assert.Greater(t, together.High-together.Low, 1.5*(spreadOut.High-spreadOut.Low))
}

// With many misses and hits, and snapshots enough, the interval is Student's over the seeds.
func TestIntervalsOfManyScores(t *testing.T) {
	for _, seeds := range []int{3, 5, 10, 30} {
		a := spread{
			seeds: seeds, snapshots: 1_000_000, mean: 0.5, variance: 0.25,
			msSeed: 100, msSnapshot: 0.25, components: Components{Rest: 0.25},
		}
		reach := -quantile(Alpha/2, float64(seeds-1)) * math.Sqrt(100/(float64(seeds)*1e6))
		i := a.interval()
		assert.InEpsilon(t, reach, 0.5-i.Low, 0.02, "%d seeds", seeds)
		assert.InEpsilon(t, reach, i.High-0.5, 0.02, "%d seeds", seeds)
	}
	// Nor does it matter which way is which.
	a := spread{
		seeds: 10, snapshots: 50, mean: 0.9, variance: 0.09,
		msSeed: 0.4, msSnapshot: 0.2, components: Components{Rest: 0.08},
	}
	b := a
	b.seeds, b.snapshots, b.msSeed, b.msSnapshot = a.snapshots, a.seeds, a.msSnapshot, a.msSeed
	assert.Equal(t, a.interval(), b.interval())
}

// Scores that are shares vary less than those of 0 and 1 with the same mean, and tell more.
func TestIntervalsOfShares(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	whole, shares := make([][]float64, 5), make([][]float64, 5)
	for s := range whole {
		whole[s], shares[s] = make([]float64, 400), make([]float64, 400)
		for i := range whole[s] {
			for step := range 10 {
				if r.Float64() < 0.8 {
					shares[s][i] += 0.1
					if step == 0 {
						whole[s][i] = 1
					}
				}
			}
			shares[s][i] = min(1, shares[s][i])
		}
	}
	i, j := intervalOf(t, whole), intervalOf(t, shares)
	assert.InEpsilon(t, math.Sqrt(10), (i.High-i.Low)/(j.High-j.Low), 0.5)
	// A share of a miss is none the more certain for being the only one.
	none, little, full := missed(1000, 0, 0, 0, 0), missed(1000, 0, 0, 0, 0), missed(1000, 1, 0, 0, 0)
	little[0][0] = 0.9
	lows := []float64{intervalOf(t, none).Low, intervalOf(t, little).Low, intervalOf(t, full).Low}
	assert.Greater(t, lows[0], lows[2])
	assert.Greater(t, lows[1], lows[2])
}

// The bends sum up to what an integral over the normal deviate gives.
func TestChanceWithADeviate(t *testing.T) {
	c := newChance(7, 3)
	for _, sd := range []float64{0.05, 0.5, 3} {
		for _, x := range []float64{-2, 0.3, 0.9, 4} {
			want := 0.0
			const n = 4000
			for k := range n {
				z := distuv.UnitNormal.Quantile((float64(k) + 0.5) / n)
				want += midP(7, 3, c.centre+(x-sd*z-c.centre)/0.8) / n
			}
			assert.InDelta(t, want, c.below(x, 0.8, sd), 2e-3, "x %v, sd %v", x, sd)
		}
	}
}

// Half of the variances' estimates lie below the median of χ², and their weights sum to 1.
func TestScaled(t *testing.T) {
	values, weights := scaled(4)
	sum, mean := 0.0, 0.0
	for k, v := range values {
		sum += weights[k]
		mean += weights[k] / v
	}
	assert.InDelta(t, 1, sum, 1e-12)
	assert.InDelta(t, 1, mean, 1e-3, "the mean of χ² is its degrees of freedom")
	assert.InEpsilon(t, 4/3.3567, values[len(values)/2], 1e-4, "the median of χ² with 4 degrees of freedom")
}

func TestSeedsOfOneModelCountOnce(t *testing.T) {
	right := constant(100, 100, 0, 1, 2)
	scores := [][]float64{right[0], right[1], right[2]}
	once, err := NewEstimate(accuracy, scores[:1])
	require.NoError(t, err)
	same, err := NewEstimateOfModels(accuracy, scores, []string{"a", "a", "a"})
	require.NoError(t, err)
	assert.Equal(t, once.Interval, same.Interval)
	assert.Equal(t, 3, same.Seeds)
	assert.Zero(t, same.SD)
	distinct, err := NewEstimate(accuracy, scores)
	require.NoError(t, err)
	assert.Greater(t, distinct.Interval.Low, once.Interval.Low)
	for _, names := range [][]string{{"a", "b", "c"}, {"", "", ""}} {
		e, err := NewEstimateOfModels(accuracy, scores, names)
		require.NoError(t, err)
		assert.Equal(t, distinct, e, "%v", names)
	}
	// The mean is that of all seeds, and within the interval.
	bad := constant(10, 100, 0)[0]
	mixed, err := NewEstimateOfModels(accuracy, [][]float64{right[0], bad, bad, bad}, []string{"a", "b", "b", "b"})
	require.NoError(t, err)
	assert.InDelta(t, 0.325, mixed.Mean, 1e-12)
	assert.LessOrEqual(t, mixed.Interval.Low, mixed.Mean)

	_, err = NewEstimateOfModels(accuracy, scores, []string{"a"})
	assert.ErrorContains(t, err, "1 names of models for 3 seeds")
}
