package stats

import "math"

// Starts that follow one another are alike, and the blocks into which they are cut are nearly independent if they are
// long. docs/statistics.md says how these were chosen.
const (
	blockTimes  = 2 // correlation times that a block spans
	leastBlocks = 5 // with fewer, an interval is of no use
)

// blocks cuts starts, in their order, into parts of nearly equal length.
type blocks struct {
	starts, count int
	// narrow is by how much the variance between blocks falls short: neighbours are still alike.
	narrow float64
}

// blocksOf finds how long the blocks of a series must be.
func blocksOf(values []float64) blocks {
	n := float64(len(values))
	logs := make([]float64, len(values))
	for i, v := range values {
		logs[i] = logOf(v)
	}
	time := max(correlationTime(values), correlationTime(logs))
	length := max(blockTimes*time, math.Cbrt(n))
	b := blocks{starts: len(values), count: min(len(values), max(leastBlocks, int(n/length))), narrow: 1}
	if b.count < 2 {
		return b
	}
	// The variance of the mean of a part, if correlation fades like an exponential function.
	variance := func(length float64) float64 {
		x := 2 * length / time
		return (1 + math.Expm1(-x)/x) / length
	}
	whole, part := variance(n), variance(n/float64(b.count))
	b.narrow = max(1, whole*float64(b.count-1)/(part-whole))
	return b
}

// means are those of the blocks.
func (b blocks) means(values []float64) []float64 {
	means := make([]float64, b.count)
	for k := range means {
		low, high := k*b.starts/b.count, (k+1)*b.starts/b.count
		for _, v := range values[low:high] {
			means[k] += v / float64(high-low)
		}
	}
	return means
}

// correlationTime is how many values of a series tell of its mean as much as one that is independent: the sum of the
// autocorrelations at all lags, as far as pairs of them stay positive and fall (Geyer 1992, Statistical Science 7,
// 473–483), but at least that of an autoregressive process with the same correlation at lag one, and at least 1. Both
// make up for the mean of the series itself, which makes its values less alike.
func correlationTime(values []float64) float64 {
	n := float64(len(values))
	mean := 0.0
	for _, v := range values {
		mean += v / n
	}
	var known []float64
	covariance := func(lag int) float64 {
		for k := len(known); k <= lag; k++ {
			sum := 0.0
			for i, v := range values[k:] {
				sum += (v - mean) * (values[i] - mean)
			}
			known = append(known, sum)
		}
		return known[lag]
	}
	variance := covariance(0)
	if len(values) < 3 || variance <= negligible*n*mean*mean {
		return 1
	}
	first := covariance(1) / variance
	first = min(max(0, first+(1+3*first)/n), 1-2/n)
	time := 1.0
	for range 2 {
		lost, sum, last := 0.0, 0.0, math.Inf(1)
		if time > 1 {
			lost = time / n
		}
		for lag := 0; lag+1 < len(values)/2; lag += 2 {
			pair := (covariance(lag)+covariance(lag+1))/variance*(1-lost) + lost*(2-float64(2*lag+1)/n)
			if pair <= 0 {
				break
			}
			last = min(last, pair)
			sum += last
		}
		time = min(max(1, 2*sum-1), n/2)
	}
	return max(time, (1+first)/(1-first))
}
