package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStudyOfOtherErrors prints how intervals and tests fare where errors are not what the model takes them for.
func TestStudyOfOtherErrors(t *testing.T) {
	if !*study {
		t.Skip("it takes a minute; run it with -study")
	}
	const n = 500
	line := func(name string, truth float64, draw func(r *rand.Rand, seeds int) [][]float64) {
		fmt.Printf("| %s |", name)
		for _, seeds := range []int{3, 5, 10, 20} {
			var got cover
			r := rand.New(rand.NewPCG(uint64(seeds), 11))
			for range n {
				e, err := NewEstimate(nrmse, draw(r, seeds))
				require.NoError(t, err)
				got.add(Interval{math.Log(e.Interval.Low), math.Log(e.Interval.High)}, math.Log(truth), n)
			}
			fmt.Printf(" %.1f (%.2g) |", got.held, math.Exp(got.width/2))
		}
		fmt.Println()
	}
	fmt.Println("coverage (factor); S = 3, 5, 10, 20; 500 starts with the coefficient 0.9")
	base := flow{.1, .4, .3, .9, 500, 1}
	line("normal errors in one number", math.Exp(.005), func(r *rand.Rand, seeds int) [][]float64 {
		errors := make([][]float64, seeds)
		shared := base.process(r)
		for s := range errors {
			size := math.Exp(.1 * r.NormFloat64())
			own := base.process(r)
			for i, v := range shared {
				errors[s] = append(errors[s], size*math.Abs(.8*v+.6*own[i]))
			}
		}
		return errors
	})
	wide := base
	wide.startSD, wide.rest = .8, .6
	line("logarithms of deviation 1 over starts", wide.expected(nrmse), func(r *rand.Rand, seeds int) [][]float64 {
		return wide.draw(r, seeds, wide.process(r))
	})
	line("a seed in ten is 100 times worse", base.expected(nrmse)*(.9+.1*100), func(r *rand.Rand, seeds int) [][]float64 {
		errors := base.draw(r, seeds, base.process(r))
		for _, row := range errors {
			if r.Float64() < .1 {
				for i := range row {
					row[i] *= 100
				}
			}
		}
		return errors
	})
	fmt.Println("equal methods of which one has no random numbers that are told apart, in %: sd of the other's seeds; S " +
		"= 3, 5, 10")
	for _, sd := range []float64{.1, .3, .5} {
		fmt.Printf("| %.1f |", sd)
		for _, seeds := range []int{3, 5, 10} {
			r := rand.New(rand.NewPCG(uint64(seeds), 12))
			wrong := 0.0
			for range n {
				f := flow{sd, .4, 0, .9, 500, 1}
				starts := f.process(r)
				one := flow{0, .4, 0, .9, 500, 1}.draw(r, 1, starts)[0]
				a, b := Sample{}, Sample{}
				for s, row := range f.draw(r, seeds, starts) {
					for i := range row {
						row[i] /= math.Exp(sd * sd / 2)
					}
					a[int64(s)], b[int64(s)] = row, one
				}
				ranking, err := Rank(nrmse, []Sample{a, b})
				require.NoError(t, err)
				if ranking.Comparisons[0].Adjusted < Alpha {
					wrong += 100. / n
				}
			}
			fmt.Printf(" %.1f |", wrong)
		}
		fmt.Println()
	}
}
