package figure

import (
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A tick at the end of an axis stays within it: 3 times 0.2 is a little over 0.6.
func TestLastTick(t *testing.T) {
	ticks := ticksIn(0, 0.6, 4, false)
	require.Len(t, ticks, 4)
	assert.Equal(t, "0.6", ticks[3].Label)
	assert.LessOrEqual(t, ticks[3].Value, 0.6)
}

func TestLogAxis(t *testing.T) {
	for _, c := range [][2]float64{{1, 1}, {0.0001, 100000}, {0.2, 30}, {3, 5}, {1e-4, 1e-4}} {
		a := logAxis("s", c[0], c[1])
		assert.Less(t, a.min, math.Log10(c[0]))
		assert.Greater(t, a.max, math.Log10(c[1]))
		require.NotEmpty(t, a.ticks, "%v", c)
		assert.LessOrEqual(t, len(a.ticks), 12)
		for _, tick := range a.ticks {
			v, err := strconv.ParseFloat(tick.Label, 64)
			require.NoError(t, err)
			assert.InDelta(t, tick.Value, math.Log10(v), 1e-9)
		}
	}
}
