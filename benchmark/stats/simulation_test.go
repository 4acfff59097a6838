package stats

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
)

// The whole study takes minutes: go test ./benchmark/stats -run Study -study -v -timeout 30m
var study = flag.Bool("study", false, "simulate every setting, and often")

// population is a method and its test snapshots: a score is 1 with the probability σ(level + seed + snapshot), seed and
// snapshot normal with these standard deviations. Skewed seeds are exponential instead, with a long tail of bad ones. A share of
// the seeds does not train: its scores are 1 at chance.
type population struct {
	level, seeds, snapshots float64
	untrained               float64
	skewed                  bool
}

const chance = 0.2

// expected is the score over all seeds and snapshots.
func (p population) expected() float64 {
	const n = 4000
	trained := 0.0
	for k := range n {
		if share := (float64(k) + 0.5) / n; p.skewed {
			trained += sigmoid(expectedLogOdds(p.level+p.seeds*(1+math.Log(share)), p.snapshots)) / n
		} else {
			trained += sigmoid(p.level+math.Hypot(p.seeds, p.snapshots)*distuv.UnitNormal.Quantile(share)) / n
		}
	}
	return (1-p.untrained)*trained + p.untrained*chance
}

// snapshotEffects draws how easy snapshots are; methods judged on the same snapshots may share them.
func (p population) snapshotEffects(r *rand.Rand, n int) []float64 {
	effects := make([]float64, n)
	for i := range effects {
		effects[i] = math.Exp(-p.level - p.snapshots*r.NormFloat64())
	}
	return effects
}

func (p population) draw(r *rand.Rand, seeds int, effects []float64) [][]float64 {
	scores := make([][]float64, seeds)
	for s := range scores {
		scores[s] = make([]float64, len(effects))
		untrained := r.Float64() < p.untrained
		effect := r.NormFloat64()
		if p.skewed {
			effect = 1 - r.ExpFloat64()
		}
		seed := math.Exp(-p.seeds * effect)
		for i, e := range effects {
			right := r.Float64()*(1+seed*e) < 1
			if untrained {
				right = r.Float64() < chance
			}
			if right {
				scores[s][i] = 1
			}
		}
	}
	return scores
}

// coverage is how often, in n repetitions, the interval holds the expected score, and its mean width.
func coverage(t testing.TB, p population, seeds, snapshots, n int) (share, width float64) {
	r := rand.New(rand.NewPCG(uint64(seeds), uint64(snapshots)))
	truth := p.expected()
	for range n {
		e, err := NewEstimate(p.draw(r, seeds, p.snapshotEffects(r, snapshots)))
		require.NoError(t, err)
		if e.Interval.Low <= truth && truth <= e.Interval.High {
			share += 1 / float64(n)
		}
		width += (e.Interval.High - e.Interval.Low) / float64(n)
	}
	return share, width
}

// Levels at which the expected scores are about 0.2, 0.5, 0.9, 0.97 and 0.99 with snapshots of standard deviation 1.2.
var levels = []float64{-1.75, 0, 2.7, 4.2, 5.4}

func TestIntervalsCover(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation of seconds")
	}
	for _, c := range []struct {
		population
		seeds, snapshots int
	}{
		{population{level: 2.7, seeds: 0.3, snapshots: 1.2}, 2, 200},
		{population{level: -1.75, seeds: 0.5, snapshots: 1.2}, 3, 200},
		{population{level: 0, seeds: 0.3, snapshots: 1.2}, 5, 200},
		{population{level: 2.7, seeds: 0.5, snapshots: 1.2}, 5, 200},
		{population{level: 4.2, seeds: 0, snapshots: 1.2}, 5, 200},
		{population{level: 4.2, seeds: 1, snapshots: 1.2}, 5, 200},
		{population{level: 5.4, seeds: 0.3, snapshots: 1.2}, 10, 200},
		{population{level: 5.4, seeds: 1, snapshots: 1.2}, 10, 500},
		{population{level: 2.7, seeds: 0, snapshots: 2}, 10, 200},
	} {
		got, width := coverage(t, c.population, c.seeds, c.snapshots, 1500)
		assert.InDelta(t, 0.95, got, 0.02+0.012, "%+v, %d seeds: two standard errors of such a share in 1500 repetitions are 0.012", c.population, c.seeds)
		assert.Less(t, width, 0.8, "an interval that says something")
	}
}

// A method that does not depend on its seed: equal rows, and an interval over snapshots alone.
func TestDeterministicMethodsAreCovered(t *testing.T) {
	p := population{level: 2.7, snapshots: 1.2}
	r := rand.New(rand.NewPCG(7, 7))
	truth, covered := p.expected(), 0
	const n = 1500
	for range n {
		row := p.draw(r, 1, p.snapshotEffects(r, 200))[0]
		e, err := NewEstimate([][]float64{row, row, row, row, row})
		require.NoError(t, err)
		if e.Interval.Low <= truth && truth <= e.Interval.High {
			covered++
		}
	}
	assert.InDelta(t, 0.95, float64(covered)/n, 0.02)
}

// tellApart is how often, in n repetitions, Rank tells methods of a population apart, the first of which is better by
// shift on the scale of levels; wrong is how often it tells any two of the others apart.
func tellApart(t testing.TB, p population, methods, seeds, snapshots, n int, shift float64) (right, wrong float64) {
	r := rand.New(rand.NewPCG(uint64(methods), uint64(seeds)))
	for range n {
		effects := p.snapshotEffects(r, snapshots)
		samples := make([]Sample, methods)
		for m := range samples {
			own := make([]float64, snapshots)
			for i, e := range effects {
				own[i] = e * math.Exp(0.7*r.NormFloat64())
				if m == 0 {
					own[i] *= math.Exp(-shift)
				}
			}
			samples[m] = Sample{}
			for s, row := range p.draw(r, seeds, own) {
				samples[m][int64(s)] = row
			}
		}
		ranking, err := Rank(samples)
		require.NoError(t, err)
		found, mistaken := shift != 0, false
		for _, c := range ranking.Comparisons {
			different := c.Adjusted < Alpha
			switch {
			case c.A == 0 && shift != 0:
				found = found && different && c.Difference > 0
			case different:
				mistaken = true
			}
		}
		if found {
			right += 1 / float64(n)
		}
		if mistaken {
			wrong += 1 / float64(n)
		}
	}
	return right, wrong
}

func TestRankingErrsSeldom(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation of seconds")
	}
	const n, slack = 400, 0.022 // two standard errors
	for name, c := range map[string]struct {
		population
		seeds int
	}{
		"three seeds":      {population{level: 1, seeds: 0.3, snapshots: 1.2}, 3},
		"five seeds":       {population{level: 2.7, seeds: 0.3, snapshots: 1.2}, 5},
		"no seed variance": {population{level: 2.7, snapshots: 1.2}, 5},
		"some untrained":   {population{level: 4.2, seeds: 0.3, snapshots: 1.2, untrained: 0.2}, 5},
	} {
		_, wrong := tellApart(t, c.population, 5, c.seeds, 100, n, 0)
		assert.LessOrEqual(t, wrong, Alpha+slack, name)
	}
	right, wrong := tellApart(t, population{level: 1, seeds: 0.2, snapshots: 1.2}, 4, 5, 200, 200, 1.5)
	assert.Greater(t, right, 0.9, "a clear case")
	assert.LessOrEqual(t, wrong, Alpha+slack)
}

// TestStudy prints the tables of docs/statistics.md.
func TestStudy(t *testing.T) {
	if !*study {
		t.Skip("it takes minutes; run it with -study")
	}
	const n = 4000
	seedsOf := []int{2, 3, 5, 10, 20}
	line := func(p population, snapshots int, check func(share float64, seeds int)) {
		for _, s := range seedsOf {
			share, width := coverage(t, p, s, snapshots, n)
			fmt.Printf(" %.1f (%.3f) |", 100*share, width)
			check(share, s)
		}
		fmt.Println()
	}
	within, of := map[int]int{}, 0
	fmt.Println("coverage in %: expected score, snapshots, sd of seeds, then S = 2, 3, 5, 10, 20; mean width in brackets")
	for _, snapshots := range []int{200, 1000} {
		for _, level := range levels {
			for _, seeds := range []float64{0, 0.15, 0.5, 1} {
				p := population{level: level, seeds: seeds, snapshots: 1.2}
				fmt.Printf("| %.3f | %d | %.2f |", p.expected(), snapshots, seeds)
				of++
				line(p, snapshots, func(share float64, s int) {
					if math.Abs(share-0.95) <= 0.02 {
						within[s]++
					}
					if s > 2 {
						assert.InDelta(t, 0.95, share, 0.03, "%+v, %d seeds", p, s)
					}
				})
			}
		}
	}
	fmt.Println("settings within 95 ± 2 %, by seeds:", within, "of", of)
	none := func(float64, int) {}
	fmt.Println("the same, 1000 snapshots, where a share of the seeds does not train")
	for _, untrained := range []float64{0.1, 0.3} {
		fmt.Printf("| %.1f |", untrained)
		line(population{level: 5.4, seeds: 0.3, snapshots: 1.2, untrained: untrained}, 1000, none)
	}
	fmt.Println("the same, 1000 snapshots, where seeds are skewed: expected score, their sd")
	for _, p := range []population{
		{level: 2.7, seeds: 0.5, snapshots: 1.2, skewed: true}, {level: 4.2, seeds: 0.5, snapshots: 1.2, skewed: true}, {level: 4.2, seeds: 1, snapshots: 1.2, skewed: true},
	} {
		fmt.Printf("| %.3f | %.2f |", p.expected(), p.seeds)
		line(p, 1000, none)
	}
	fmt.Println("rankings of 5 equal methods that tell any two apart, in %: population, then S = 3, 5, 10")
	for _, p := range []population{
		{level: 1, snapshots: 1.2}, {level: 1, seeds: 0.3, snapshots: 1.2}, {level: 4.2, seeds: 0.5, snapshots: 1.2},
		{level: 4.2, seeds: 0.3, snapshots: 1.2, untrained: 0.2},
	} {
		fmt.Printf("| %.3f | %.2f | %.1f |", p.expected(), p.seeds, p.untrained)
		for _, s := range []int{3, 5, 10} {
			_, wrong := tellApart(t, p, 5, s, 200, 2000, 0)
			assert.LessOrEqual(t, wrong, Alpha+0.01, "%+v, %d seeds", p, s)
			fmt.Printf(" %.1f |", 100*wrong)
		}
		fmt.Println()
	}
	fmt.Println("rankings of 5 methods that tell the best from each of the others, in %: shift, then S = 3, 5, 10")
	for _, shift := range []float64{0.5, 1, 2} {
		fmt.Printf("| %.1f |", shift)
		for _, s := range []int{3, 5, 10} {
			right, _ := tellApart(t, population{level: 1, seeds: 0.3, snapshots: 1.2}, 5, s, 1000, 400, shift)
			fmt.Printf(" %.1f |", 100*right)
		}
		fmt.Println()
	}
}
