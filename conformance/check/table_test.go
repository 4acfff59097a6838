package check

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Rows that differ in the last bits of float32 count as equal, rows that differ by more than the limit do not.
func TestTablesApart(t *testing.T) {
	x := table{2, 2, []float64{1, 0.5, 2, 0}}
	assert.Empty(t, x.apart(x))
	assert.Empty(t, x.apart(table{2, 2, []float64{1 + 0x1p-22, 0.5, 2, 1e-6}}))
	assert.Contains(t, x.apart(table{2, 2, []float64{1, 0.5, 2, 1e-3}}),
		"row 1 differs by 0.0005 of its norm, and 0.0001 is the limit")
	assert.Contains(t, x.apart(table{1, 2, []float64{1, 0.5}}), "2×2 values and 1×2 values")
}
