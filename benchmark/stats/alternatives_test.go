package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
)

// satterthwaite is the interval with one quantile of t for the whole variance of the mean, as large as its parts allow, at
// Satterthwaite's degrees of freedom (1946, Biometrics Bulletin 2, 110–114).
func satterthwaite(a spread) Interval {
	s, n := float64(a.seeds), float64(a.snapshots)
	rest := a.components.Rest / (s * n)
	bySnapshot := math.Max(a.bySnapshot, rest-a.bySeed)
	variance := a.bySeed + bySnapshot
	ms := bySnapshot + rest // of snapshots, over S I
	freedom := variance * variance / (a.bySeed*a.bySeed/(s-1) + ms*ms/(n-1) + rest*rest/((s-1)*(n-1)))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: math.Max(freedom, 1)}.Quantile(Alpha / 2)
	return wilson(a.mean, t*t*variance/(a.mean*(1-a.mean)))
}

// normalSeeds is the interval with one reach for both sides, that of normal seeds and snapshots with a quantile of t for each part
// (Banerjee 1960, Sankhyā 22, 357–358), in Wilson's form.
func normalSeeds(a spread) Interval {
	reach := a.reach(Alpha)
	return wilson(a.mean, reach*reach/(a.mean*(1-a.mean)))
}

// pigeonhole is the percentile interval of the bootstrap that draws seeds and snapshots anew, independently (Owen 2007,
// Annals of Applied Statistics 1, 386–411).
func pigeonhole(r *rand.Rand, scores [][]float64) Interval {
	const n = 400
	means := make([]float64, n)
	weights := make([]float64, len(scores[0]))
	for k := range means {
		clear(weights)
		for range weights {
			weights[r.IntN(len(weights))]++
		}
		for range scores {
			for i, v := range scores[r.IntN(len(scores))] {
				means[k] += weights[i] * v / float64(len(scores)*len(weights))
			}
		}
	}
	slices.Sort(means)
	return Interval{means[n/40-1], means[n-n/40]}
}

// TestStudyOfAlternatives prints why NewEstimate does what it does: docs/statistics.md.
func TestStudyOfAlternatives(t *testing.T) {
	if !*study {
		t.Skip("it takes a minute; run it with -study")
	}
	const n, snapshots = 1500, 200
	fmt.Println("coverage in % (mean width) of: this package; normal seeds; Satterthwaite; pigeonhole bootstrap")
	for _, p := range []population{
		{level: 0, seeds: 0.15, snapshots: 1.2}, {level: 0, seeds: 0.5, snapshots: 1.2}, {level: 2.7, seeds: 0.5, snapshots: 1.2},
		{level: 4.2, seeds: 0, snapshots: 1.2}, {level: 4.2, seeds: 1, snapshots: 1.2},
		{level: 4.2, seeds: 1, snapshots: 1.2, skewed: true},
	} {
		for _, seeds := range []int{2, 3, 5, 10} {
			r := rand.New(rand.NewPCG(uint64(seeds), 5))
			truth := p.expected()
			var covered, width [4]float64
			for range n {
				scores := p.draw(r, seeds, p.snapshotEffects(r, snapshots))
				e, err := NewEstimate(scores)
				require.NoError(t, err)
				a := analyse(scores)
				all := [4]Interval{e.Interval, e.Interval, e.Interval, pigeonhole(r, scores)}
				if !a.none() {
					all[1], all[2] = normalSeeds(a), satterthwaite(a)
				}
				for k, i := range all {
					if i.Low <= truth && truth <= i.High {
						covered[k] += 100.0 / n
					}
					width[k] += (i.High - i.Low) / n
				}
			}
			fmt.Printf("| %.3f | %.2f%s | %d |", truth, p.seeds, map[bool]string{true: ", skewed"}[p.skewed], seeds)
			for k := range covered {
				fmt.Printf(" %.1f (%.3f) |", covered[k], width[k])
			}
			fmt.Println()
		}
	}
}
