package report

import (
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
	"github.com/stretchr/testify/require"
)

func many(n int) []madeUp {
	var ms []madeUp
	for i := range n {
		ms = append(ms, madeUp{label: fmt.Sprintf("method-%c", 'a'+i), half: float64(i % 7), first: 0.6 + 0.02*float64(i), rank: 1 + i%5, losses: i%3 > 0, noise: 0.1})
	}
	ms[3].label = "vamp?epochs=20&lr=1e-3"
	ms[4].label = "operator:third-party-kernel?bandwidth=12.5&regularisation=1e-6&landmarks=300"
	return ms
}

func TestPreview(t *testing.T) {
	out := "/tmp/preview"
	five := fiveMethods()
	six := fiveMethods()
	six[0].failed = []int64{1, 2}
	six[4].untaught = []int64{0, 3}
	six[2].label = "vamp?epochs=20&lr=1e-3"
	six = append(six, madeUp{label: "kernel", failed: []int64{0, 1, 2, 3, 4, 5}}, madeUp{label: "mean", first: .2, noise: 0, rank: 0}, madeUp{label: "dmd", first: .5, half: 1, rank: 1, noise: .1}, madeUp{label: "labelled", first: 1, rank: 2, exposed: core.LabelExposed, noise: 0})
	settings := map[string]setting{
		"five":   {methods: five, test: 1000},
		"seeds":  {methods: six, seeds: []int64{0, 1, 2, 3, 4, 5}, test: 500},
		"twenty": {methods: many(20), digits: 10, test: 500},
		"one":    {methods: five[2:3], digits: 1, steps: 1},
		"two":    {methods: five[:2], digits: 2, steps: 3, shape: []int{20, 40, 3}},
		"long":   {methods: five, digits: 3, steps: 200, shape: []int{40, 20, 1}},
		"failed": {methods: []madeUp{{label: "kernel", failed: []int64{42}}}},
	}
	for name, s := range settings {
		if only := os.Getenv("ONLY"); only != "" && only != name {
			continue
		}
		m := makeUp(t, s)
		if name == "one" {
			m.results.Oracle.History = nil
			m.results.Oracle.TestAccuracy = 1
			for i := range m.results.Runs[0].History {
				m.results.Runs[0].History[i].Train = benchmark.Number(math.NaN())
				m.results.Runs[0].History[i].Validation = benchmark.Number(math.NaN())
			}
		}
		start := time.Now()
		mat, err := gather(m)
		require.NoError(t, err)
		require.NoError(t, mat.write(out+"/"+name))
		fmt.Println(name, time.Since(start))
		require.NoError(t, WriteTable(os.Stdout, m.results))
		if name == "seeds" {
			WriteMarkdown(os.Stdout, m.results)
		}
	}
}
