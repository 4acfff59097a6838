package prinz

import (
	"math"
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

// TestWells: the particle is in each well as often as the invariant density says.
func TestWells(t *testing.T) {
	p := open(t, map[string]any{"split": "100000,20,30"})
	truth, err := NewTruth(2)
	require.NoError(t, err)
	edges := []float64{-1.7, -.5, 0, .5, 1.7}
	for k, from := range edges[:4] {
		to, want, got := edges[k+1], 0.0, 0.0
		for i := range 1000 {
			want += truth.Density(from+(to-from)*(float64(i)+.5)/1000) * (to - from) / 1000
		}
		for _, v := range p.Train.At(0).Floats() {
			if float64(v) >= from && float64(v) < to {
				got += 1 / float64(p.Train.Len())
			}
		}
		assert.InDelta(t, want, got, .02, "from %v to %v", from, to)
	}
}

// TestDerivatives: slope and bend are those of the potential.
func TestDerivatives(t *testing.T) {
	v := func(x float64) float64 {
		sum := math.Pow(x, 8)
		for _, b := range bumps {
			sum += b[0] * math.Exp(-b[2]*(x-b[1])*(x-b[1]))
		}
		return 4 * sum
	}
	const h = 1e-4
	for x := -1.2; x < 1.2; x += .07 {
		assert.InDelta(t, (v(x+h)-v(x-h))/(2*h), slope(x), 1e-3, x)
		assert.InDelta(t, (v(x+h)-2*v(x)+v(x-h))/(h*h), bend(x), 1e-2, x)
	}
}

// TestTruthOfEverySigma: whatever the noise, the density is that of Boltzmann, and sums to 1.
func TestTruthOfEverySigma(t *testing.T) {
	for _, sigma := range []float64{1, math.Sqrt2, 2, 3, 4} {
		truth, err := NewTruth(sigma)
		require.NoError(t, err)
		rates := truth.Rates(shown)
		assert.InDelta(t, 0, rates[0], 1e-7, sigma)
		for k, r := range rates[1:] {
			assert.Less(t, r, rates[k], sigma)
		}
		total := 0.0
		for x := -edge; x < edge; x += 1e-3 {
			total += truth.Density(x) * 1e-3
		}
		assert.InDelta(t, 1, total, 1e-9, sigma)
		for x := -1.1; x < 1.1; x += .1 { // ρ' = −V' ρ / D
			const h = 1e-5
			change := (math.Log(truth.Density(x+h)) - math.Log(truth.Density(x-h))) / (2 * h)
			assert.InDelta(t, -slope(x)/(sigma*sigma/2), change, 1e-4, "sigma %v at %v", sigma, x)
		}
	}
}
