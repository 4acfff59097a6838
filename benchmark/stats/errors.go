package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"

	"github.com/koopbench/koopbench/core"
)

// errorTable is what the errors of a method say, [seed][start]. Errors are told as powers of which the mean is taken:
// squares, if those of several starts are taken together by the root of their mean square, or themselves.
type errorTable struct {
	power float64
	mean  float64     // over the seeds
	rows  []float64   // the error of each seed, starts taken together, in parts of the mean
	parts [][]float64 // [seed][start] powers, in parts of the mean power of the seed
}

// newErrorTable takes errors that are checked. The error is [core.ErrNonFinite] if those of a seed have no mean.
func newErrorTable(m core.Measure, scores [][]float64) (errorTable, error) {
	t := errorTable{power: 1, rows: make([]float64, len(scores))}
	if m.RootMeanSquare {
		t.power = 2
	}
	largest := 0.0
	for s, row := range scores {
		t.rows[s] = m.Together(row)
		if math.IsInf(t.rows[s], 0) {
			return t, fmt.Errorf("%w: the mean of the scores of row %d", core.ErrNonFinite, s)
		}
		largest = max(largest, t.rows[s])
	}
	if largest == 0 {
		return t, nil
	}
	mean := 0.0
	for _, v := range t.rows {
		mean += v / largest / float64(len(scores))
	}
	t.mean = mean * largest
	for s, row := range scores {
		of := make([]float64, len(row))
		for i, v := range row {
			if t.rows[s] > 0 {
				of[i] = math.Pow(v/t.rows[s], t.power)
			}
		}
		t.rows[s] /= t.mean
		t.parts = append(t.parts, of)
	}
	return t, nil
}

// series is the mean over the seeds, start by start.
func (t errorTable) series() []float64 {
	series := make([]float64, len(t.parts[0]))
	for s, row := range t.parts {
		for i, v := range row {
			series[i] += v * t.rows[s] / float64(len(t.rows))
		}
	}
	return series
}

// logs are the logarithms of the errors of blocks, [seed][block], in parts of the mean.
func (t errorTable) logs(b blocks) [][]float64 {
	logs := make([][]float64, len(t.parts))
	for s, row := range t.parts {
		logs[s] = b.means(row)
		for k, v := range logs[s] {
			logs[s][k] = logOf(math.Pow(v, 1/t.power) * t.rows[s])
		}
	}
	return logs
}

// logOf is the logarithm of an error in parts of the mean. Less than a thousandth tells nothing more.
func logOf(part float64) float64 { return math.Log(max(part, 1e-3)) }

// estimateErrors is estimate for errors.
func estimateErrors(m core.Measure, scores, distinct [][]float64) (Estimate, error) {
	t, err := newErrorTable(m, scores)
	if err != nil {
		return Estimate{}, err
	}
	e := Estimate{Seeds: len(scores), Snapshots: len(scores[0]), Mean: t.mean, SD: math.NaN()}
	if e.Seeds > 1 {
		e.SD = t.mean * stat.StdDev(t.rows, nil)
	}
	if t.mean == 0 {
		return e, nil
	}
	e.Interval = Interval{m.Least, min(m.Most, math.MaxFloat64)}
	b := blocksOf(t.series())
	e.Blocks = b.count
	a := analyse(t.logs(b))
	e.Components = Components{
		Seeds: a.components.Seeds * square(t.mean), Snapshots: a.components.Snapshots * square(t.mean),
		Rest: a.components.Rest * square(t.mean),
	}
	if b.count < 2 {
		e.Components.Snapshots = math.NaN()
		return e, nil
	}
	if len(distinct) < len(scores) || a.sameRows() {
		if a.sameRows() {
			distinct = distinct[:1]
		}
		if t, err = newErrorTable(m, distinct); err != nil {
			return e, err
		}
		if t.mean > 0 {
			b = blocksOf(t.series())
			a = analyse(t.logs(b))
		}
	}
	if a.none() {
		e.Interval = Interval{e.Mean, e.Mean}
		return e, nil
	}
	p := newErrorPivot(a, b, t.power)
	e.Interval = Interval{
		min(max(e.Interval.Low, e.Mean*math.Exp(p.quantile(Alpha/2))), e.Mean),
		max(min(e.Interval.High, e.Mean*math.Exp(p.quantile(1-Alpha/2))), e.Mean),
	}
	return e, nil
}

// errorPivot is the distribution of the logarithm of the expected error, from that of the mean.
type errorPivot struct {
	weights, shifts, variances []float64
}

// newErrorPivot takes the logarithms of errors as normal over seeds and over blocks, so that errors are lognormal over
// both. Their variances are not known, and go through the distribution that χ² gives them (a generalized pivotal
// quantity, as in Krishnamoorthy and Mathew 2003, J. Statistical Planning and Inference 115, 103–121). The logarithm of
// a mean is above the mean of logarithms by half the variance, of which log(1 + variance of the errors over their
// squared mean) is taken: it is the same, and remains finite where few seeds allow nearly any variance.
func newErrorPivot(a spread, b blocks, power float64) errorPivot {
	seeds := shifts(a.bySeed, float64(a.seeds), 1)
	parts := shifts(a.bySnapshot*b.narrow, float64(b.count), power)
	var p errorPivot
	for i, w := range seeds.weights {
		for k, v := range parts.weights {
			p.weights = append(p.weights, w*v)
			p.shifts = append(p.shifts, seeds.shifts[i]+parts.shifts[k])
			p.variances = append(p.variances, seeds.variances[i]+parts.variances[k])
		}
	}
	return p
}

// shifts is the pivot of one way of the table: ofMean is what its levels add to the variance of the mean logarithm.
func shifts(ofMean, levels, power float64) errorPivot {
	if ofMean < negligible {
		return errorPivot{[]float64{1}, []float64{0}, []float64{0}}
	}
	values, weights := scaled(levels - 1)
	p := errorPivot{weights: weights}
	variance := ofMean * levels * power * power
	for _, v := range values {
		p.variances = append(p.variances, ofMean*v)
		p.shifts = append(p.shifts, (logOfMean(variance, v)-variance)/(2*power))
	}
	return p
}

// logOfMean is log(1 + v (exp(variance) − 1)).
func logOfMean(variance, v float64) float64 {
	if variance > 30 {
		return variance + math.Log(v)
	}
	return math.Log1p(v * math.Expm1(variance))
}

func (p errorPivot) below(x float64) (sum float64) {
	for i, w := range p.weights {
		sum += w * normalBelow((x-p.shifts[i])/math.Sqrt(max(p.variances[i], negligible)))
	}
	return sum
}

// quantile lies between logarithms that no error goes beyond.
func (p errorPivot) quantile(share float64) float64 {
	low, high := -2000.0, 2000.0
	for high-low > 1e-9*max(1, math.Abs(low)) {
		if middle := (low + high) / 2; p.below(middle) < share {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}
