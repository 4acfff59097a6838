package main

import (
	"math"
	"slices"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{2: {3, 1, 2}, 2.5: {4, 1, 2, 3}, 7: {7}} {
		before := slices.Clone(values)
		assert.InDelta(t, want, median(values), 0)
		assert.Equal(t, before, values, "the values stay in their order")
	}
	assert.True(t, math.IsNaN(median(nil)))
	assert.NoError(t, quick.Check(func(values []float64) bool { // as many below as above
		m, below, above := median(values), 0, 0
		for _, v := range values {
			if v < m {
				below++
			}
			if v > m {
				above++
			}
		}
		return len(values) == 0 || math.IsInf(m, 0) || 2*below <= len(values) && 2*above <= len(values)
	}, nil))
}

func TestFormat(t *testing.T) {
	for want, v := range map[string]float64{
		"–": math.NaN(), "0.00": 0, "0.123": 0.1234, "1.00": 0.9999, "1.23": 1.234, "10.0": 9.999, "12.3": 12.34,
		"100": 99.99, "12346": 12345.6, "-1.50": -1.5,
	} {
		assert.Equal(t, want, format(v))
	}
	assert.Equal(t, "–", format(math.Inf(1)))
}

// TestComparison: the ratio is that of the rounds, not of the medians.
func TestComparison(t *testing.T) {
	c := newComparison("a", "b")
	c.add("part", [][2]float64{{1, 4}, {2, 6}, {10, 20}})
	c.add("unknown", [][2]float64{{0, 0}})
	assert.Equal(t, "|  | a | b | b ÷ a |\n"+
		"|---|---:|---:|---:|\n"+
		"| part | 2.00 | 6.00 | 3.00 (2.00–4.00) |\n"+
		"| unknown | 0.00 | 0.00 | – |\n", c.String())
}

const benchOutput = `goos: linux
BenchmarkConv/14x14x16to32/epilogue=0/avx512-2         	     100	    624301 ns/op	       257.1 GFLOP/s	       0 B/op
BenchmarkGemm/5x1568x128,true,false/avx2/float32   100  12.5 ns/op
BenchmarkLog-2 and then some text that is no result
BenchmarkOnly-2
    steps_test.go:3: BenchmarkX 1 2 ns/op
PASS
`

func TestParseBenchmarks(t *testing.T) {
	got, err := parseBenchmarks([]byte(benchOutput), 2)
	require.NoError(t, err)
	assert.Equal(t, benchResults{
		"Conv/14x14x16to32/epilogue=0/avx512":     {"ns/op": 624301, "GFLOP/s": 257.1, "B/op": 0},
		"Gemm/5x1568x128,true,false/avx2/float32": {"ns/op": 12.5},
	}, got)
	got, err = parseBenchmarks([]byte("BenchmarkRun-2 1 5 ns/op\n"), 1)
	require.NoError(t, err)
	assert.Contains(t, got, "Run-2", "one thread has no suffix, so it is the name's own")

	for text, want := range map[string]string{
		"": "printed no benchmark", "PASS\n": "printed no benchmark",
		"BenchmarkA-2 10 fast ns/op\n":  "benchmarks:1: parsing measurement",
		"BenchmarkA-2 10 NaN ns/op\n":   "benchmark A: NaN ns/op is not a number",
		"BenchmarkA-2 10 1e400 ns/op\n": "benchmarks:1: parsing measurement",
	} {
		_, err := parseBenchmarks([]byte(text), 2)
		assert.ErrorContains(t, err, want)
	}
}

func FuzzParseBenchmarks(f *testing.F) {
	f.Add([]byte(benchOutput), 2)
	f.Add([]byte("BenchmarkA 1 1e400 ns/op"), 1)
	f.Fuzz(func(t *testing.T, text []byte, threads int) {
		found, err := parseBenchmarks(text, threads)
		if err != nil {
			require.Nil(t, found)
			return
		}
		require.NotEmpty(t, found)
		for name, metrics := range found {
			require.NotEmpty(t, metrics, name)
			for _, v := range metrics {
				require.False(t, math.IsNaN(v) || math.IsInf(v, 0))
			}
		}
	})
}
