package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

// nrmse is a measure of errors.
var nrmse = core.Measure{Name: "nrmse", Summary: "an error", LowerIsBetter: true, Most: math.Inf(1), Chance: math.NaN(),
	RootMeanSquare: true}

// flow is a method and the starts that it is judged on. The logarithm of an error is seed + start + rest, all of them
// normal with these standard deviations. Starts, and the rest of each seed, are autoregressive processes with one
// coefficient, each trajectory its own.
type flow struct {
	seeds, startSD, rest float64
	coefficient          float64
	starts, trajectories int
}

// process draws the values of normal processes, of deviation 1, one after another.
func (f flow) process(r *rand.Rand) []float64 {
	values := make([]float64, f.starts)
	length := f.starts / f.trajectories
	for i := range values {
		values[i] = r.NormFloat64()
		if i%length != 0 {
			values[i] = f.coefficient*values[i-1] + math.Sqrt(1-f.coefficient*f.coefficient)*values[i]
		}
	}
	return values
}

// draw makes the errors of a method at so many seeds, [seed][start].
func (f flow) draw(r *rand.Rand, seeds int, starts []float64) [][]float64 {
	errors := make([][]float64, seeds)
	for s := range errors {
		seed := f.seeds * r.NormFloat64()
		rest := make([]float64, f.starts)
		if f.rest > 0 {
			rest = f.process(r)
		}
		errors[s] = make([]float64, f.starts)
		for i := range rest {
			errors[s][i] = math.Exp(seed + f.startSD*starts[i] + f.rest*rest[i])
		}
	}
	return errors
}

// expected is the error over all seeds and starts.
func (f flow) expected(m core.Measure) float64 {
	power := 1.0
	if m.RootMeanSquare {
		power = 2
	}
	return math.Exp(f.seeds*f.seeds/2 + power*(f.startSD*f.startSD+f.rest*f.rest)/2)
}

// errorCoverage is that of n simulated tables, with the mean width of the logarithms of the intervals.
func errorCoverage(t testing.TB, m core.Measure, f flow, seeds, n int) (got cover, count float64) {
	r := rand.New(rand.NewPCG(uint64(1000*seeds+f.starts+f.trajectories), math.Float64bits(f.coefficient+f.seeds)))
	truth := f.expected(m)
	for range n {
		e, err := NewEstimate(m, f.draw(r, seeds, f.process(r)))
		require.NoError(t, err)
		got.add(Interval{math.Log(e.Interval.Low), math.Log(e.Interval.High)}, math.Log(truth), n)
		count += float64(e.Blocks) / float64(n)
	}
	return got, count
}

// errorCell is one of the study of errors: a method at so many seeds.
type errorCell struct {
	flow
	n      int // seeds
	got    cover
	blocks float64
}

func (c *errorCell) simulate(t testing.TB, tables int) {
	c.got, c.blocks = errorCoverage(t, nrmse, c.flow, c.n, tables)
}

// outside says that intervals cover 95 ± 2% no more.
func (c *errorCell) outside() bool { return math.Abs(c.got.held-95) > 2 }

// TestStudyOfErrors prints the tables of the coverage of errors. Cells outside of the bounds are
// simulated once more with more tables, as in [TestStudyOfCoverage].
func TestStudyOfErrors(t *testing.T) {
	if !*study {
		t.Skip("it takes minutes; run it with -study")
	}
	const tables, more = 500, 2000
	var again []*errorCell
	total := 0
	for _, trajectories := range []int{1, 10} {
		for _, seedSD := range []float64{0, .1, .5} {
			for _, starts := range []int{200, 500, 1000} {
				for _, coefficient := range []float64{0, .5, .9, .98} {
					f := flow{seedSD, .4, .3, coefficient, starts, trajectories}
					numbers := []int{3, 5, 10, 20}
					if seedSD == 0 { // a method without random numbers
						f.rest, numbers = 0, []int{1}
					}
					fmt.Printf("| %d | %.1f | %d | %.2f |", trajectories, seedSD, starts, coefficient)
					for _, n := range numbers {
						c := &errorCell{flow: f, n: n}
						c.simulate(t, tables)
						fmt.Printf(" %.1f (%.2f, %.0f) |", c.got.held, math.Exp(c.got.width/2), c.blocks)
						if n == 3 {
							continue
						}
						total++
						if c.outside() {
							again = append(again, c)
						}
					}
					fmt.Println()
				}
			}
		}
	}
	fmt.Printf("%d of %d cells are outside with %d tables; these remain outside with %d:\n", len(again),
		total, tables, more)
	remain := 0
	for _, c := range again {
		c.simulate(t, more)
		if c.outside() {
			remain++
			fmt.Printf("| %d | %.1f | %d | %.2f | %d | %.1f |\n", c.trajectories, c.seeds, c.starts, c.coefficient, c.n,
				c.got.held)
		}
	}
	assert.LessOrEqual(t, float64(remain), float64(total)/10)
}

// A sample of the settings of the study.
func TestIntervalsOfErrorsCover(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation of seconds")
	}
	const n, slack = 300, 2.5 // two standard errors of such a share, in %
	for _, c := range []struct {
		flow
		n int
	}{
		{flow{0, .4, 0, .9, 500, 1}, 1},
		{flow{0, .4, 0, .98, 1000, 1}, 1},
		{flow{0, .4, 0, .5, 200, 10}, 1},
		{flow{.1, .4, .3, 0, 200, 1}, 5},
		{flow{.1, .4, .3, .9, 500, 10}, 10},
		{flow{.5, .4, .3, .9, 200, 1}, 5},
		{flow{.5, .4, .3, .5, 200, 1}, 20},
	} {
		got, _ := errorCoverage(t, nrmse, c.flow, c.n, n)
		assert.InDelta(t, 95, got.held, 2+slack, "%+v", c)
	}
	mean := core.Measure{LowerIsBetter: true, Most: math.Inf(1)}
	got, _ := errorCoverage(t, mean, flow{.3, .4, .3, .5, 200, 1}, 5, n)
	assert.InDelta(t, 95, got.held, 2+slack, "errors of which the mean is taken")
}

// ratedApart is tellApart for errors: methods share half of the variance of the starts, and the errors of the first are
// smaller by a factor.
func ratedApart(t testing.TB, f flow, methods, seeds, n int, factor float64) (right, wrong float64) {
	r := rand.New(rand.NewPCG(uint64(methods), uint64(1000*seeds+f.starts)))
	for range n {
		shared := f.process(r)
		samples := make([]Sample, methods)
		for m := range samples {
			own := f.process(r)
			for i, v := range shared {
				own[i] = (own[i] + v) / math.Sqrt2
			}
			samples[m] = Sample{}
			for s, row := range f.draw(r, seeds, own) {
				if f.seeds == 0 && s > 0 {
					row = samples[m][0]
				}
				samples[m][int64(s)] = row
			}
			if m == 0 {
				for _, row := range samples[m] {
					for i := range row {
						row[i] /= factor
					}
					if f.seeds == 0 { // all rows are one
						break
					}
				}
			}
		}
		ranking, err := Rank(nrmse, samples)
		require.NoError(t, err)
		found, mistaken := factor != 1, false
		for _, c := range ranking.Comparisons {
			different := c.Adjusted < Alpha
			switch {
			case c.A == 0 && factor != 1:
				found = found && different && c.Ratio < 1
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

// TestStudyOfErrorRanks prints how often rankings tell methods apart that are equal, and that are not.
func TestStudyOfErrorRanks(t *testing.T) {
	if !*study {
		t.Skip("it takes minutes; run it with -study")
	}
	fmt.Println(
		"rankings of 5 equal methods that tell any two apart, in %: sd of seeds, starts, coefficient; S = 3, 5, 10")
	for _, seedSD := range []float64{0, .1, .5} {
		t.Run(fmt.Sprint("equal ", seedSD), func(t *testing.T) { studyOfEqualErrors(t, seedSD) })
	}
	t.Run("better", func(t *testing.T) {
		fmt.Println("rankings of 5 methods that tell the best from each of the others, in %: ratio; S = 3, 5, 10")
		for _, factor := range []float64{1.2, 1.5, 2, 4} {
			fmt.Printf("| %.1f |", factor)
			for _, seeds := range []int{3, 5, 10} {
				right, _ := ratedApart(t, flow{.1, .4, .3, .9, 1000, 1}, 5, seeds, 100, factor)
				fmt.Printf(" %.0f |", 100*right)
			}
			fmt.Println()
		}
	})
}

// studyOfEqualErrors prints how often rankings tell methods apart that are equal.
func studyOfEqualErrors(t *testing.T, seedSD float64) {
	fmt.Println(
		"rankings of 5 equal methods that tell any two apart, in %: sd of seeds, starts, coefficient; S = 3, 5, 10")
	for _, starts := range []int{200, 1000} {
		for _, coefficient := range []float64{0, .5, .9, .98} {
			f := flow{seedSD, .4, .3, coefficient, starts, 1}
			numbers := []int{3, 5, 10}
			if seedSD == 0 { // without random numbers, the number of seeds changes nothing
				f.rest, numbers = 0, numbers[:1]
			}
			fmt.Printf("| %.1f | %d | %.2f |", seedSD, starts, coefficient)
			for _, seeds := range numbers {
				_, wrong := ratedApart(t, f, 5, seeds, 400, 1)
				fmt.Printf(" %.1f |", 100*wrong)
			}
			fmt.Println()
		}
	}
}

func TestRankingOfErrorsErrsSeldom(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation of seconds")
	}
	const n, slack = 200, 0.031 // two standard errors
	for name, c := range map[string]struct {
		flow
		n int
	}{
		"five seeds":       {flow{.3, .4, .3, .9, 300, 1}, 5},
		"three seeds":      {flow{.1, .4, .3, .5, 200, 1}, 3},
		"no random number": {flow{0, .4, 0, .9, 500, 1}, 5},
	} {
		_, wrong := ratedApart(t, c.flow, 4, c.n, n, 1)
		assert.LessOrEqual(t, wrong, Alpha+slack, name)
	}
	right, wrong := ratedApart(t, flow{.1, .4, .3, .9, 1000, 1}, 4, 5, 50, 3)
	assert.Greater(t, right, 0.9, "a clear case")
	assert.LessOrEqual(t, wrong, Alpha+slack)
}
