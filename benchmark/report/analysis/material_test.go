package analysis

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestColumns(t *testing.T) {
	for _, steps := range []int{1, 2, 15, maxColumns, maxColumns + 1, 200, 1000} {
		columns := ColumnsOf(steps)
		assert.Len(t, columns, min(steps, maxColumns))
		assert.Equal(t, 1, columns[0])
		assert.Equal(t, steps, columns[len(columns)-1])
		for i := range columns[1:] {
			assert.Less(t, columns[i], columns[i+1])
		}
	}
}
