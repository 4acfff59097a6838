package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

// accuracy is the measure of shares.
var accuracy = core.Accuracy(5)

func TestComponents(t *testing.T) {
	const seed, snapshot, rest = 0.1, 0.2, 0.05
	var table [][]float64
	for _, s := range []float64{1, -1} {
		var row []float64
		for _, i := range []float64{1, -1, 1, -1} {
			row = append(row, 0.5+seed*s+snapshot*i)
		}
		for i, e := range []float64{1, 1, -1, -1} {
			row[i] += rest * s * e
		}
		table = append(table, row)
	}
	e, err := NewEstimate(accuracy, table)
	require.NoError(t, err)
	msSeed, msSnapshot, msRest := 4*2*seed*seed/1, 2*4*snapshot*snapshot/3, 8*rest*rest/3
	assert.InDelta(t, 0.5, e.Mean, 1e-12)
	assert.InDelta(t, seed*math.Sqrt2, e.SD, 1e-12)
	assert.InDelta(t, (msSeed-msRest)/4, e.Components.Seeds, 1e-12)
	assert.InDelta(t, (msSnapshot-msRest)/2, e.Components.Snapshots, 1e-12)
	assert.InDelta(t, msRest, e.Components.Rest, 1e-12)
}

func TestEstimatesOfPlainCases(t *testing.T) {
	zeros, ones, half := make([]float64, 100), make([]float64, 100), make([]float64, 100)
	for i := range ones {
		ones[i], half[i] = 1, float64(i%2)
	}
	for name, c := range map[string]struct {
		scores   [][]float64
		interval Interval
	}{
		"one snapshot": {[][]float64{{1}, {1}, {0}}, Interval{0, 1}},
		"one score":    {[][]float64{{1}}, Interval{0, 1}},
	} {
		e, err := NewEstimate(accuracy, c.scores)
		require.NoError(t, err, name)
		assert.Equal(t, c.interval, e.Interval, name)
	}
	for _, row := range [][]float64{zeros, ones} {
		one, err := NewEstimate(accuracy, [][]float64{row})
		require.NoError(t, err)
		three, err := NewEstimate(accuracy, [][]float64{row, row, row})
		require.NoError(t, err)
		width := func(e Estimate) float64 { return e.Interval.High - e.Interval.Low }
		assert.Less(t, width(three), width(one), "three models tell more than one")
		assert.Greater(t, width(three), width(one)/3, "but not as much as three times the snapshots")
	}

	one, err := NewEstimate(accuracy, [][]float64{half})
	require.NoError(t, err)
	assert.True(t, math.IsNaN(one.SD))
	assert.True(t, math.IsNaN(one.Components.Seeds))
	many, err := NewEstimate(accuracy, [][]float64{half, half, half, half})
	require.NoError(t, err)
	assert.Zero(t, many.SD)
	assert.Zero(t, many.Components.Seeds, "a method that does not depend on the seed has no variance over seeds")
	assert.InDelta(t, one.Interval.Low, many.Interval.Low, 1e-12, "and the same seed again says nothing new")
	assert.InDelta(t, one.Interval.High, many.Interval.High, 1e-12)
}

// The interval of scores counted the other way round is the mirrored one, and neither order of the table matters.
func TestEstimateSymmetries(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, seeds := range []int{1, 2, 3, 7} {
		p := population{level: 2, seeds: 0.5, snapshots: 1}
		scores := p.draw(r, seeds, p.snapshotEffects(r, 50))
		want, err := NewEstimate(accuracy, scores)
		require.NoError(t, err)
		require.LessOrEqual(t, want.Interval.Low, want.Mean)
		require.GreaterOrEqual(t, want.Interval.High, want.Mean)

		wrong, shuffled := make([][]float64, seeds), make([][]float64, seeds)
		order := r.Perm(50)
		for s, row := range scores {
			to := make([]float64, 50)
			wrong[s] = make([]float64, 50)
			for i, v := range row {
				wrong[s][i], to[order[i]] = 1-v, v
			}
			shuffled[seeds-1-s] = to
		}
		mirrored, err := NewEstimate(accuracy, wrong)
		require.NoError(t, err)
		assert.InDelta(t, 1-want.Interval.High, mirrored.Interval.Low, 1e-9)
		assert.InDelta(t, 1-want.Interval.Low, mirrored.Interval.High, 1e-9)
		same, err := NewEstimate(accuracy, shuffled)
		require.NoError(t, err)
		assert.InDelta(t, want.Interval.Low, same.Interval.Low, 1e-9)
		assert.InDelta(t, want.Interval.High, same.Interval.High, 1e-9)
	}
}

func TestEstimateRefuses(t *testing.T) {
	for _, c := range []struct {
		scores [][]float64
		want   error
	}{
		{nil, core.ErrShape},
		{[][]float64{{}}, core.ErrShape},
		{[][]float64{{1, 0}, {1}}, core.ErrShape},
		{[][]float64{{math.NaN()}}, core.ErrNonFinite},
		{[][]float64{{math.Inf(1)}}, core.ErrNonFinite},
		{[][]float64{{-0.1}}, core.ErrOption},
		{[][]float64{{1.1}}, core.ErrOption},
	} {
		_, err := NewEstimate(accuracy, c.scores)
		assert.ErrorIs(t, err, c.want)
	}
}

func TestProportion(t *testing.T) {
	for _, c := range []struct {
		successes, n int
		want         Interval
	}{
		// Newcombe 1998, Statistics in Medicine 17, 857–872, table I, method 3.
		{81, 263, Interval{0.2553, 0.3662}},
		{15, 148, Interval{0.0624, 0.1605}},
		{0, 20, Interval{0, 0.1611}},
		{1, 29, Interval{0.0061, 0.1718}},
		{0, 0, Interval{0, 1}},
	} {
		got := Proportion(c.successes, c.n)
		assert.InDelta(t, c.want.Low, got.Low, 5e-5, "%v", c)
		assert.InDelta(t, c.want.High, got.High, 5e-5, "%v", c)
	}
	assert.Equal(t, 1.0, Proportion(5, 5).High)
	assert.Equal(t, Proportion(5, 5), Proportion(7, 5), "more successes than trials are all of them")
}

// The probability of a difference is where its interval begins to hold 0.
func TestPValueInvertsTheInterval(t *testing.T) {
	for _, a := range []spread{
		{seeds: 2, snapshots: 50, mean: 0.3, bySeed: 1e-4, atLeast: 1e-5, bySnapshot: 1e-3},
		{seeds: 5, snapshots: 1000, mean: 0.02, bySeed: 1e-4, atLeast: 1e-6, bySnapshot: 1e-5},
		{seeds: 5, snapshots: 1000, mean: -0.02, bySnapshot: 1e-4},
		{seeds: 1, snapshots: 20, mean: 0.1, bySnapshot: 1e-2},
	} {
		p := a.pValue()
		assert.InEpsilon(t, math.Abs(a.mean), a.reach(p), 2e-3)
		assert.Greater(t, p, leastP)
	}
	// With one degree of freedom Student's t is Cauchy's distribution.
	cauchy := spread{seeds: 2, snapshots: 10, mean: 30, bySeed: 1}
	assert.InEpsilon(t, 1-2/math.Pi*math.Atan(30), cauchy.pValue(), 2e-3)
	assert.Equal(t, leastP, spread{seeds: 9, snapshots: 10, mean: 1, bySeed: 1e-9}.pValue())
	assert.Equal(t, 1.0, spread{seeds: 9, snapshots: 10, bySeed: 1e-9}.pValue())
	assert.Equal(t, 0.125, spread{seeds: 3, snapshots: 4, mean: 0.5}.pValue(), "the sign test")
}

func TestHolm(t *testing.T) {
	all := []Comparison{{Seeds: 5, P: 0.03}, {Seeds: 5, P: 0.01}, {Seeds: 1, P: 1, Adjusted: 1}, {Seeds: 5, P: 0.04},
		{Seeds: 5, P: 0.012}}
	holm(all, LeastSeeds)
	for i, want := range []float64{0.06, 0.04, 1, 0.06, 0.04} {
		assert.InDelta(t, want, all[i].Adjusted, 1e-12, "%d", i)
	}
}

// constant is a method with a fixed share of right snapshots.
func constant(right, snapshots int, seeds ...int64) Sample {
	s := Sample{}
	for _, seed := range seeds {
		s[seed] = make([]float64, snapshots)
		for i := range right {
			s[seed][i] = 1
		}
	}
	return s
}

func TestRank(t *testing.T) {
	seeds := []int64{0, 1, 2, 3, 4}
	best, good, alike, worst := constant(950, 1000, seeds...), constant(800, 1000, seeds...), constant(801, 1000,
		seeds...), constant(200, 1000, seeds...)
	r, err := Rank(accuracy, []Sample{worst, good, best, alike})
	require.NoError(t, err)
	assert.Equal(t, []Places{{4, 4}, {2, 3}, {1, 1}, {2, 3}}, r.Places)
	assert.Equal(t, "2–3", r.Places[1].String())
	assert.Equal(t, "1", r.Places[2].String())
	require.Len(t, r.Comparisons, 6)
	for _, c := range r.Comparisons {
		assert.Less(t, c.A, c.B)
		assert.Equal(t, 5, c.Seeds)
		assert.LessOrEqual(t, c.P, c.Adjusted)
		assert.LessOrEqual(t, c.Interval.Low, c.Difference)
		assert.GreaterOrEqual(t, c.Interval.High, c.Difference)
	}

	// A chain: 850 and 800 are told apart, 825 from neither.
	r, err = Rank(accuracy, []Sample{constant(64, 100, seeds...), constant(62, 100, seeds...),
		constant(50, 100, seeds...)})
	require.NoError(t, err)
	assert.Equal(t, []Places{{1, 2}, {1, 2}, {3, 3}}, r.Places)
}

func TestRankNeedsCommonSeeds(t *testing.T) {
	r, err := Rank(accuracy, []Sample{constant(9, 10, 0, 1, 2, 3), constant(9, 10, 1, 2, 3), constant(2, 10, 2, 3, 7),
		constant(2, 10), nil})
	require.NoError(t, err)
	assert.Equal(t, []Places{{1, 2}, {1, 2}, {}, {}, {}}, r.Places)
	assert.Equal(t, "–", r.Places[3].String())
	assert.Equal(t, 1.0, r.Comparisons[0].P, "equal at all")
	assert.InDelta(t, 0.7, r.Comparisons[1].Difference, 1e-12)
	assert.Equal(t, Interval{-1, 1}, r.Comparisons[1].Interval, "two common seeds are no test")
	assert.True(t, math.IsNaN(r.Comparisons[2].Difference))

	r, err = Rank(accuracy, []Sample{constant(9, 10, 0, 1), constant(1, 10, 0, 1)})
	require.NoError(t, err)
	assert.False(t, r.Places[0].Ranked(), "two seeds")
	r, err = Rank(accuracy, nil)
	require.NoError(t, err)
	assert.Empty(t, r.Places)
}

// Methods that differ everywhere by the same amount have no variance at all: the sign test over snapshots decides.
func TestRankOfConstantDifferences(t *testing.T) {
	for snapshots, want := range map[int]Places{4: {1, 2}, 10: {1, 1}} {
		r, err := Rank(accuracy, []Sample{constant(snapshots, snapshots, 0, 1, 2, 3, 4),
			constant(0, snapshots, 0, 1, 2, 3, 4)})
		require.NoError(t, err)
		assert.Equal(t, want, r.Places[0])
		assert.InDelta(t, math.Exp2(float64(1-snapshots)), r.Comparisons[0].P, 1e-12)
	}
}

// Seeds at which the difference happens to be the same are no proof: the methods do depend on the seed.
func TestRankIgnoresCoincidence(t *testing.T) {
	a, b := constant(54, 100, 0, 1, 2), constant(50, 100, 0, 1, 2)
	for i := range 20 { // other snapshots are right, as many
		a[1][i], a[1][99-i] = 0, 1
	}
	r, err := Rank(accuracy, []Sample{a, b})
	require.NoError(t, err)
	assert.InDelta(t, 0.04, r.Comparisons[0].Difference, 1e-12)
	assert.Equal(t, Places{1, 2}, r.Places[0])
	assert.InDelta(t, 1/100.0/2,
		math.Sqrt(spread{seeds: 2, snapshots: 100, components: Components{Rest: 1}}.cautious().bySeed), 1e-12,
		"half a snapshot")
}

func TestRankRefuses(t *testing.T) {
	_, err := Rank(accuracy, []Sample{constant(1, 4, 0), constant(1, 5, 0)})
	assert.ErrorIs(t, err, core.ErrShape)
	bad := constant(1, 4, 0)
	bad[0][2] = math.NaN()
	_, err = Rank(accuracy, []Sample{bad, constant(1, 4, 0)})
	assert.ErrorIs(t, err, core.ErrNonFinite)
	bad[0][2] = 3
	_, err = Rank(accuracy, []Sample{bad, constant(1, 4, 0)})
	assert.ErrorIs(t, err, core.ErrOption)
}

// FuzzEstimate: whatever the scores, the interval lies in [0,1] and holds the mean.
func FuzzEstimate(f *testing.F) {
	f.Add([]byte{0, 255, 255, 255, 0, 255}, 2)
	f.Add([]byte{1, 2, 3, 4}, 1)
	f.Add([]byte{255, 254}, 2)
	f.Fuzz(func(t *testing.T, values []byte, seeds int) {
		if seeds < 1 || len(values) < seeds {
			return
		}
		snapshots := len(values) / seeds
		scores := make([][]float64, seeds)
		for s := range scores {
			for _, v := range values[s*snapshots : (s+1)*snapshots] {
				scores[s] = append(scores[s], float64(v)/255)
			}
		}
		e, err := NewEstimate(accuracy, scores)
		require.NoError(t, err)
		require.LessOrEqual(t, 0.0, e.Interval.Low)
		require.LessOrEqual(t, e.Interval.Low, e.Mean)
		require.LessOrEqual(t, e.Mean, e.Interval.High)
		require.LessOrEqual(t, e.Interval.High, 1.0)
		other := Sample{0: scores[0], 1: scores[seeds-1]}
		r, err := Rank(accuracy, []Sample{{0: scores[0], 1: scores[0]}, other})
		require.NoError(t, err)
		require.GreaterOrEqual(t, r.Comparisons[0].P, 0.0)
		require.LessOrEqual(t, r.Comparisons[0].P, 1.0)
	})
}

func BenchmarkNewEstimate(b *testing.B) {
	p := population{level: 2, seeds: 0.3, snapshots: 1}
	r := rand.New(rand.NewPCG(1, 1))
	scores := p.draw(r, 20, p.snapshotEffects(r, 1000))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewEstimate(accuracy, scores); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRank ranks 20 methods of 20 seeds.
func BenchmarkRank(b *testing.B) {
	p := population{level: 2, seeds: 0.3, snapshots: 1}
	r := rand.New(rand.NewPCG(1, 1))
	effects := p.snapshotEffects(r, 1000)
	samples := make([]Sample, 20)
	for m := range samples {
		samples[m] = Sample{}
		for s, row := range p.draw(r, 20, effects) {
			samples[m][int64(s)] = row
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Rank(accuracy, samples); err != nil {
			b.Fatal(err)
		}
	}
}
