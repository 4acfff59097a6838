package stats

import (
	"math"

	"github.com/koopbench/koopbench/core"
)

var anyRatio = Interval{0, math.MaxFloat64}

// compareErrors tests the logarithm of the ratio of two methods' errors. Its variance is that of the differences of the
// logarithms of their errors, [seed][block]; blocks are as long as the differences of their errors need.
func (c *Comparison) compareErrors(m core.Measure, of, against [][]float64) error {
	for _, scores := range [][][]float64{of, against} {
		if err := check(scores, m.Least, m.Most); err != nil {
			return err
		}
	}
	a, err := newErrorTable(m, of)
	if err != nil {
		return err
	}
	b, err := newErrorTable(m, against)
	if err != nil {
		return err
	}
	c.Difference = a.mean - b.mean
	tested := c.Seeds >= LeastSeeds && len(of[0]) > 1
	switch {
	case a.mean == 0 && b.mean == 0:
		return nil
	case a.mean == 0 || b.mean == 0:
		other := a
		c.Ratio = math.MaxFloat64
		if a.mean == 0 {
			other, c.Ratio = b, 0
		}
		if tested {
			c.P = signs(blocksOf(other.series()).count)
		}
		return nil
	}
	difference := math.Log(a.mean) - math.Log(b.mean)
	c.Ratio = boundedExp(difference)
	if !tested {
		return nil
	}
	series, other := a.series(), b.series()
	for i, v := range series {
		series[i] = logOf(v) - logOf(other[i])
	}
	parts := blocksOf(series)
	logs, less := a.logs(parts), b.logs(parts)
	for s, row := range logs {
		for k := range row {
			row[k] -= less[s][k]
		}
	}
	d := analyse(logs)
	d.mean = difference
	// The logarithm of a mean varies more than the mean of logarithms, and so many seeds show so much of it at most.
	seeds := float64(d.seeds)
	variance := d.bySeed * seeds
	d.bySeed = max(variance, min(math.Expm1(variance), seeds)) / seeds
	// What is left to neither seeds nor blocks stays in the part of the blocks, though it is in that
	// of the seeds too: of a few blocks, nothing would remain too often without it.
	d.bySnapshot = parts.narrow * d.msSnapshot / float64(d.seeds*d.snapshots)
	if !d.sameRows() {
		d.atLeast = d.components.Rest / float64(d.seeds*d.snapshots)
	}
	// Tests look far into the tails, and the length of the blocks is an estimate too: half of the
	// degrees of freedom count.
	d.snapshots = max(2, (parts.count+1)/2)
	reach := d.reach(Alpha)
	c.Ratios = Interval{boundedExp(difference - reach), boundedExp(difference + reach)}
	c.P = d.pValue()
	return nil
}

func boundedExp(x float64) float64 { return min(math.Exp(x), math.MaxFloat64) }
