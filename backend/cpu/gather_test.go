package cpu_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/stretchr/testify/assert"

	"github.com/koopbench/koopbench/backend/cpu"
)

// TestGather: rows of a table, and other slices, are those that the Go backend takes, also for numbers
// outside the table; whole rows are taken here.
func TestGather(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	for name, c := range map[string]struct {
		table, indices []int
		dtype          dtypes.DType
		vectorAxis     int
		offset, sizes  []int
		own            bool
	}{
		"rows":                {[]int{20, 7}, []int{9, 1}, dtypes.Int32, 1, []int{1}, []int{1, 7}, true},
		"rows by int64":       {[]int{20, 7}, []int{9, 1}, dtypes.Int64, 1, []int{1}, []int{1, 7}, true},
		"many rows":           {[]int{50, 300}, []int{200, 1}, dtypes.Int32, 1, []int{1}, []int{1, 300}, true},
		"matrices":            {[]int{6, 3, 4}, []int{2, 5, 1}, dtypes.Int32, 2, []int{2, 3}, []int{1, 3, 4}, true},
		"numbers":             {[]int{30}, []int{8, 1}, dtypes.Int32, 1, nil, []int{1}, true},
		"parts of rows":       {[]int{20, 7}, []int{9, 1}, dtypes.Int32, 1, []int{1}, []int{1, 5}, false},
		"rows become columns": {[]int{20, 7}, []int{9, 1}, dtypes.Int32, 1, []int{0}, []int{1, 7}, false},
		"numbers of 16 bits":  {[]int{20, 7}, []int{9, 1}, dtypes.Int16, 1, []int{1}, []int{1, 7}, false},
	} {
		size := func(dims []int) int {
			n := 1
			for _, d := range dims {
				n *= d
			}
			return n
		}
		numbers := uniform(random, size(c.indices), 40) // some are negative, some beyond the table
		values := [][]float32{uniform(random, size(c.table), 1), numbers}
		op := func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.Gather(in[0], must(f.ConvertDType(in[1], c.dtype)), c.vectorAxis, c.offset, []int{0}, []int{0}, c.sizes,
				false)
		}
		b := newBackend(t, "threads=2")
		b.EnableProfile(true)
		got := evaluate(t, b, values, [][]int{c.table, c.indices}, op)
		assert.Equal(t, evaluate(t, goBackend(t), values, [][]int{c.table, c.indices}, op), got, name)
		elsewhere := slices.ContainsFunc(b.Profile(), func(e cpu.ProfileEntry) bool { return e.Where == "go" })
		assert.Equal(t, c.own, !elsewhere, name)
	}
}
