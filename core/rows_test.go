package core_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/koopbench/koopbench/core"
)

func TestRowDistance(t *testing.T) {
	for name, c := range map[string]struct {
		a, b []float64
		want float64
	}{
		"nothing":           {nil, nil, 0},
		"zeros":             {[]float64{0, 0}, []float64{0, 0}, 0},
		"equal":             {[]float64{3, 4}, []float64{3, 4}, 0},
		"one of five":       {[]float64{3, 4}, []float64{3, 3}, 0.2},
		"the larger norm":   {[]float64{0}, []float64{2}, 1},
		"opposite":          {[]float64{1, 1}, []float64{-1, -1}, 2},
		"squares overflow":  {[]float64{3e200, 4e200}, []float64{3e200, 3e200}, 0.2},
		"squares underflow": {[]float64{3e-200, 4e-200}, []float64{3e-200, 3e-200}, 0.2},
	} {
		assert.InDelta(t, c.want, core.RowDistance(c.a, c.b), 1e-15, name)
		assert.InDelta(t, c.want, core.RowDistance(c.b, c.a), 1e-15, name)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		assert.True(t, math.IsNaN(core.RowDistance([]float64{1, v}, []float64{1, 1})), "%v", v)
	}
	// Neighbours in float32 are equal, and a change that an image shows is none.
	x := []float32{0.5, 0.25}
	assert.LessOrEqual(t, core.RowDistance(x, []float32{math.Nextafter32(0.5, 1), 0.25}), core.RowTolerance)
	assert.Greater(t, core.RowDistance(x, []float32{0.5, 0.26}), core.RowTolerance)
}
