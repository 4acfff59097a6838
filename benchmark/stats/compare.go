package stats

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/koopbench/koopbench/core"
)

// Sample is the scores of a method: for each of its seeds those of all test snapshots, in the same
// order for all methods, each in [0,1].
type Sample map[int64][]float64

// Comparison is the difference of two methods at the seeds that they have in common.
type Comparison struct {
	A, B       int      // places of the methods in what was given
	Seeds      int      // number of common seeds; with fewer than [LeastSeeds] there is no test
	Difference float64  // mean score of A minus that of B at the common seeds, NaN without one
	Interval   Interval // of the expected difference, 95% for this pair alone; [-1,1] without a test
	// P is the probability of such a difference, or a larger one of either sign, between methods of equal expected score;
	// 1 without a test. Values below 1e-9 are given as that.
	P float64
	// Adjusted is P after Holm's correction (1979, Scandinavian Journal of Statistics 6, 65–70) for all pairs tested.
	Adjusted float64
}

// LeastSeeds is the number of common seeds from which on two methods are compared. One seed has no
// variance, and two good ones beside two that did not train would pass for a difference too often
// (docs/statistics.md).
const LeastSeeds = 3

// compare tests whether two methods have the same expected score. Scores are paired by seed and snapshot; their
// differences are a table like the scores of a method, and so is the variance of their mean. Methods that do not depend
// on the seed have no variance over seeds: they are compared over snapshots.
func compare(a, b Sample) (Comparison, error) {
	var table [][]float64
	for _, seed := range slices.Sorted(maps.Keys(a)) {
		other, ok := b[seed]
		if !ok {
			continue
		}
		own := a[seed]
		if len(own) != len(other) {
			return untested, fmt.Errorf("%w: two methods are scored on %d and on %d snapshots; compare results of the same task",
				core.ErrShape, len(own), len(other))
		}
		differences := make([]float64, len(own))
		for i, v := range own {
			differences[i] = v - other[i]
		}
		table = append(table, differences)
	}
	if len(table) == 0 {
		return untested, nil
	}
	return test(table, LeastSeeds)
}

// untested is a comparison of which nothing is known.
var untested = Comparison{Difference: math.NaN(), Interval: Interval{-1, 1}, P: 1, Adjusted: 1}

// test tests whether the expected mean of a table of differences is 0, if it has as many seeds and 2 snapshots.
func test(table [][]float64, leastSeeds int) (Comparison, error) {
	c := untested
	if err := check(table, -1); err != nil {
		return c, err
	}
	d := analyse(table)
	c.Seeds, c.Difference = d.seeds, d.mean
	if d.seeds < leastSeeds || d.snapshots < 2 {
		return c, nil
	}
	d = d.cautious()
	reach := d.reach(Alpha)
	c.Interval = Interval{math.Max(-1, d.mean-reach), math.Min(1, d.mean+reach)}
	c.P = d.pValue()
	return c, nil
}

// ComparePairs compares the two samples of each pair as [Rank] does, and corrects for all pairs at
// once. A and B of a comparison are both the place of its pair. The errors are those of [Rank].
func ComparePairs(pairs [][2]Sample) ([]Comparison, error) {
	all := make([]Comparison, len(pairs))
	for i, pair := range pairs {
		c, err := compare(pair[0], pair[1])
		if err != nil {
			return nil, fmt.Errorf("pair %d: %w", i, err)
		}
		c.A, c.B = i, i
		all[i] = c
	}
	holm(all, LeastSeeds)
	return all, nil
}

// holm sets the adjusted probabilities of the comparisons that have as many seeds.
func holm(all []Comparison, leastSeeds int) {
	var tests []*Comparison
	for i := range all {
		if all[i].Seeds >= leastSeeds {
			tests = append(tests, &all[i])
		}
	}
	slices.SortStableFunc(tests, func(a, b *Comparison) int { return cmp.Compare(a.P, b.P) })
	most := 0.0
	for i, c := range tests {
		most = math.Max(most, math.Min(1, float64(len(tests)-i)*c.P))
		c.Adjusted = most
	}
}
