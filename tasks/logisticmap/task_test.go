package logisticmap

import (
	"math/cmplx"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

func open(t *testing.T, options map[string]any) *core.Problem {
	o, err := New().Describe().Resolve(options)
	require.NoError(t, err)
	p, err := New().Open(t.Context(), o)
	require.NoError(t, err)
	return p
}

// TestHistogram: snapshots are spread as the invariant density says, and not clipped.
func TestHistogram(t *testing.T) {
	for _, order := range []int{1, 10} {
		p := open(t, map[string]any{"split": "400000,20,20", "order": order})
		require.GreaterOrEqual(t, slices.Min(p.Train.At(0).Floats()), float32(0))
		require.LessOrEqual(t, slices.Max(p.Train.At(0).Floats()), float32(1))
		const bins = 20
		count := [bins]float64{}
		for _, v := range p.Train.At(0).Floats() {
			count[min(int(v*bins), bins-1)]++
		}
		truth, err := NewTruth(order)
		require.NoError(t, err)
		for b := range count {
			want := 0.0
			for k := range 50 {
				want += truth.Density((float64(b)+(float64(k)+.5)/50)/bins) / 50
			}
			assert.InDelta(t, want, count[b]/float64(p.Train.Len())*bins, .03, "order %d, bin %d", order, b)
		}
	}
}

// TestOrders: the truth is well formed at the least order, the largest, and others.
func TestOrders(t *testing.T) {
	for _, order := range []int{1, 2, 3, 4, 7, 20, 50} {
		truth, err := NewTruth(order)
		require.NoError(t, err)
		values := truth.Eigenvalues()
		assert.InDelta(t, 1, real(values[0]), 1e-12, order)
		for _, v := range values[1:] {
			assert.Less(t, cmplx.Abs(v), .5, order)
		}
		p := open(t, map[string]any{"split": "50,50,50", "order": order})
		require.NoError(t, p.Validate(), order)
		last := p.Truth.Eigenvalues[p.Truth.Leading-1]
		if imag(last) != 0 {
			assert.Equal(t, cmplx.Conj(last), p.Truth.Eigenvalues[p.Truth.Leading-2], "order %d: a pair is whole", order)
		}
	}
}

// TestMean: one step on, the expectation is that of the noise, and far on it is that of the density.
func TestMean(t *testing.T) {
	truth, err := NewTruth(10)
	require.NoError(t, err)
	assert.InDelta(t, .5, truth.Mean(.1464466094067262, 1), 1e-8, "4x(1 − x) is ½")
	assert.InDelta(t, truth.Mean(.1, 60), truth.Mean(.7, 60), 1e-12)
}
