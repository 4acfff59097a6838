package stats

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// cell is one of the study's: a population, judged at so many seeds on so many snapshots.
type cell struct {
	rate             float64
	kind             string
	population       population
	seeds, snapshots int
	got, exact       cover
}

// few says that over-coverage is forced: fewer than ten misses are expected.
func (c *cell) few() bool { return c.misses() < 10-1e-9 }

func (c *cell) misses() float64 { return (1 - c.rate) * float64(c.seeds*c.snapshots) }

// outside says that intervals cover less than they should, or more than steps of one miss force
// them to.
func (c *cell) outside() bool { return c.got.held < 93 || c.got.held > 97 && !c.few() }

// simulate fills cells, on all processors.
func simulate(t *testing.T, cells []*cell, n int, stream uint64) {
	var all sync.WaitGroup
	next := make(chan *cell)
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for c := range next {
				c.got, c.exact = coverage(t, c.population, c.seeds, c.snapshots, n, stream)
			}
		})
	}
	for _, c := range cells {
		next <- c
	}
	close(next)
	all.Wait()
}

// TestStudyOfCoverage prints docs/statistics-coverage.md. Cells that are outside of the bounds, as
// one in many is by chance, are simulated once more with other tables and more of them; those that
// remain are named.
func TestStudyOfCoverage(t *testing.T) {
	if !*study {
		t.Skip("it takes ten minutes; run it with -study")
	}
	const n, more = 2000, 8000
	seedsOf := []int{2, 3, 5, 10, 20, 50}
	var cells []*cell
	for _, snapshots := range []int{20, 100, 1000} {
		for _, effects := range [][2]float64{{0, 0}, {0.15, 1.2}, {0.5, 1.2}, {1, 1.2}} {
			kind := "independent scores"
			if effects[1] > 0 {
				kind = fmt.Sprintf("deviation of seeds %.2f, of images %.1f", effects[0], effects[1])
			}
			for _, rate := range []float64{.5, .8, .9, .97, .99, .999, .9998, .9999} {
				p := ofRate(rate, effects[0], effects[1])
				for _, seeds := range seedsOf {
					cells = append(cells, &cell{rate: rate, kind: kind, population: p, seeds: seeds, snapshots: snapshots})
				}
			}
		}
	}
	simulate(t, cells, n, 0)
	var again []*cell
	title := ""
	for _, c := range cells {
		if now := fmt.Sprintf("\n## %d images, %s\n", c.snapshots, c.kind); now != title {
			title = now
			fmt.Printf("%s\n| accuracy | S = 2 | 3 | 5 | 10 | 20 | 50 |\n|---|---|---|---|---|---|---|\n", title)
		}
		if c.seeds == seedsOf[0] {
			fmt.Printf("| %v |", c.rate)
		}
		mark := ""
		if c.few() {
			mark = "†"
		}
		fmt.Printf(" %.1f%s (%.2g, %.2f) |", c.got.held, mark, c.got.width, c.got.width/c.exact.width)
		if c.seeds == seedsOf[len(seedsOf)-1] {
			fmt.Println()
		}
		if c.seeds > 2 && c.outside() {
			again = append(again, c)
		}
	}
	fmt.Printf("\nof %d cells outside of the bounds with %d tables:\n\n", len(again), n)
	for _, c := range again {
		fmt.Printf("%v, %d images, S = %d, %s: %.1f\n", c.rate, c.snapshots, c.seeds, c.kind, c.got.held)
	}
	simulate(t, again, more, 1)
	fmt.Printf("\nthese remain outside with %d other ones:\n", more)
	fmt.Print("\n| accuracy | images | S | scores | errors expected | covered | interval above | below " +
		"|\n|---|---|---|---|---|---|---|---|\n")
	for _, c := range again {
		if c.outside() {
			fmt.Printf("| %v | %d | %d | %s | %.1f | %.1f | %.1f | %.1f |\n",
				c.rate, c.snapshots, c.seeds, c.kind, c.misses(), c.got.held, c.got.above, c.got.below)
		}
		assert.GreaterOrEqual(t, c.got.held, 93.0, "%+v", *c)
		if !c.few() {
			assert.Less(t, c.got.held, 98.0, "%+v", *c)
		}
	}
}

// TestStudyOfOtherSeeds prints how intervals fare where seeds are not what the model takes them
// for.
func TestStudyOfOtherSeeds(t *testing.T) {
	if !*study {
		t.Skip("it takes a minute; run it with -study")
	}
	line := func(p population) {
		for _, s := range []int{2, 3, 5, 10, 20} {
			got, _ := coverage(t, p, s, 1000, 2000, 0)
			fmt.Printf(" %.1f (%.3f) |", got.held, got.width)
		}
		fmt.Println()
	}
	fmt.Println("a share of the seeds does not train, 1000 snapshots, S = 2, 3, 5, 10, 20")
	for _, untrained := range []float64{0.1, 0.3} {
		fmt.Printf("| %.1f |", untrained)
		line(population{level: 5.4, seeds: 0.3, snapshots: 1.2, untrained: untrained})
	}
	fmt.Println("seeds are skewed: expected score, their sd")
	for _, p := range []population{
		{level: 2.7, seeds: 0.5, snapshots: 1.2, skewed: true}, {level: 4.2, seeds: 0.5, snapshots: 1.2, skewed: true},
		{level: 4.2, seeds: 1, snapshots: 1.2, skewed: true},
	} {
		fmt.Printf("| %.3f | %.2f |", p.expected(), p.seeds)
		line(p)
	}
}

// TestStudyOfRanks prints how often rankings tell methods apart that are equal, and that are not.
func TestStudyOfRanks(t *testing.T) {
	if !*study {
		t.Skip("it takes minutes; run it with -study")
	}
	fmt.Println("rankings of 5 equal methods that tell any two apart, in %:",
		"rate, sd of seeds, untrained, snapshots, then S = 3, 5, 10")
	for _, c := range []struct {
		population
		snapshots int
	}{
		{population{level: 1, snapshots: 1.2}, 200}, {population{level: 1, seeds: 0.3, snapshots: 1.2}, 200},
		{population{level: 4.2, seeds: 0.5, snapshots: 1.2}, 200},
		{population{level: 4.2, seeds: 0.3, snapshots: 1.2, untrained: 0.2}, 200},
		{ofRate(0.999, 0, 0), 1000}, {ofRate(0.999, 0.5, 1.2), 1000},
		{ofRate(0.9998, 0, 0), 1000}, {ofRate(0.9998, 0.5, 1.2), 1000},
	} {
		fmt.Printf("| %.4f | %.2f | %.1f | %d |", c.expected(), c.seeds, c.untrained, c.snapshots)
		for _, s := range []int{3, 5, 10} {
			_, wrong := tellApart(t, c.population, 5, s, c.snapshots, 1000, 0)
			assert.LessOrEqual(t, wrong, Alpha+0.014, "%+v, %d seeds", c, s)
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
