package stats

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/koopbench/koopbench/core"
)

// Sample is the scores of a method: for each of its seeds, the scores of all test snapshots, as
// [NewEstimate] takes them. The order of snapshots is the same for all methods.
type Sample map[int64][]float64

// Comparison is the difference of two methods at their common seeds.
type Comparison struct {
	A, B       int      // places of the methods in what was given
	Seeds      int      // number of common seeds; with fewer than [LeastSeeds] there is no test
	Difference float64  // mean score of A minus that of B at the common seeds, NaN without one
	Interval   Interval // 95% interval of the expected difference of shares, for this pair alone; [-1,1] without a test
	// Ratio is the mean error of A over that of B, and is finite. It is NaN for shares, and if both
	// errors are 0.
	Ratio float64
	// Ratios is the 95% interval of the ratio of the expected errors, for this pair alone. It is
	// [0,math.MaxFloat64] without a test, and for shares.
	Ratios Interval
	// P is the probability of this difference, or a larger one of either sign, between methods of
	// equal expected score; 1 without a test. Values below 1e-9 are given as 1e-9.
	P float64
	// Adjusted is P after Holm's correction (1979, Scandinavian Journal of Statistics 6, 65–70) for all pairs tested.
	Adjusted float64
}

// LeastSeeds is the least number of common seeds for a comparison of two methods. One seed has no
// variance. With two seeds, two good ones against two that did not train would count as a
// difference too often (docs/statistics.md).
const LeastSeeds = 3

// compare tests whether two methods have the same expected score. Scores are paired by seed and
// snapshot. Methods that do not depend on the seed have no variance over seeds: they are compared
// over snapshots.
func compare(m core.Measure, a, b Sample) (Comparison, error) {
	var of, against [][]float64
	for _, seed := range slices.Sorted(maps.Keys(a)) {
		other, ok := b[seed]
		if !ok {
			continue
		}
		if own := a[seed]; len(own) != len(other) {
			return untested, fmt.Errorf("%w: two methods are scored on %d and on %d snapshots; compare results of the same task",
				core.ErrShape, len(own), len(other))
		}
		of, against = append(of, a[seed]), append(against, other)
	}
	switch {
	case len(of) == 0:
		return untested, nil
	case scaleOf(m) == errorScale:
		c := untested
		c.Seeds = len(of)
		return c, c.compareErrors(m, of, against)
	}
	table := make([][]float64, len(of))
	for seed, row := range of {
		table[seed] = make([]float64, len(row))
		for i, v := range row {
			table[seed][i] = v - against[seed][i]
		}
	}
	return test(table, LeastSeeds)
}

// untested is a comparison of which nothing is known.
var untested = Comparison{
	Difference: math.NaN(), Interval: Interval{-1, 1}, Ratio: math.NaN(), Ratios: anyRatio, P: 1, Adjusted: 1,
}

// test tests whether the expected mean of a table of differences of shares is 0, if it has as many seeds and 2
// snapshots. The differences are a table like the scores of a method, and so is the variance of their mean.
func test(table [][]float64, leastSeeds int) (Comparison, error) {
	c := untested
	if err := check(table, -1, 1); err != nil {
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
// once. A and B of a comparison are both the index of its pair. The errors are those of [Rank].
func ComparePairs(m core.Measure, pairs [][2]Sample) ([]Comparison, error) {
	if err := checkScale(m); err != nil {
		return nil, err
	}
	all := make([]Comparison, len(pairs))
	for i, pair := range pairs {
		c, err := compare(m, pair[0], pair[1])
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
