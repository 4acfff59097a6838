package lorenz63

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/tasks/process"
)

func open(t *testing.T, options map[string]any) *core.Problem {
	o, err := New().Describe().Resolve(options)
	require.NoError(t, err)
	p, err := New().Open(t.Context(), o)
	require.NoError(t, err)
	return p
}

// TestAccuracy: over the interval between snapshots the error is below 1e-11 all over the attractor, as
// steps of a quarter of the length show.
func TestAccuracy(t *testing.T) {
	points, err := process.Follow(t.Context(), Flow, []float64{1, 1, 20}, 3000, substeps, interval/substeps)
	require.NoError(t, err)
	worst := 0.0
	for i := 100; i < points.Len()-1; i++ {
		fine, err := process.Follow(t.Context(), Flow, points.Row(i), 2, 4*substeps, interval/(4*substeps))
		require.NoError(t, err)
		for j, v := range fine.Row(1) {
			worst = max(worst, math.Abs(v-points.Row(i + 1)[j]))
		}
	}
	assert.Less(t, worst, 1e-11)
	t.Logf("the largest error is %.3g", worst)
}

// TestStandardised: training snapshots have mean 0 and variance 1, and the others nearly so; without the
// option they are the points of the attractor.
func TestStandardised(t *testing.T) {
	p, raw := open(t, nil), open(t, map[string]any{"standardise": false})
	for j := range 3 {
		column := mat.Col(nil, j, p.Train.Matrix())
		mean, deviation := stat.PopMeanStdDev(column, nil)
		assert.InDelta(t, 0, mean, 1e-6)
		assert.InDelta(t, 1, deviation, 1e-6)
		assert.InDelta(t, 1, stat.PopStdDev(mat.Col(nil, j, p.Test.Matrix()), nil), .2)

		mean, deviation = stat.PopMeanStdDev(mat.Col(nil, j, raw.Train.Matrix()), nil)
		assert.InDelta(t, []float64{0, 0, 23.55}[j], mean, .6, "the mean of coordinate %d", j)
		assert.InDelta(t, []float64{7.92, 9.01, 8.62}[j], deviation, .3, "the deviation of coordinate %d", j)
	}
}

// TestExponent: errors grow by the exponent that the unit of time is made of.
func TestExponent(t *testing.T) {
	const small, n = 1e-8, 4000
	x, err := process.Follow(t.Context(), Flow, []float64{1, 1, 20}, 500, substeps, interval/substeps)
	require.NoError(t, err)
	at := x.Row(499)
	other, sum := []float64{at[0] + small, at[1], at[2]}, 0.0
	for range n {
		a, err := process.Follow(t.Context(), Flow, at, 2, substeps, interval/substeps)
		require.NoError(t, err)
		b, err := process.Follow(t.Context(), Flow, other, 2, substeps, interval/substeps)
		require.NoError(t, err)
		at = a.Row(1)
		distance := 0.0
		for j, v := range b.Row(1) {
			distance = math.Hypot(distance, v-at[j])
		}
		sum += math.Log(distance / small)
		for j, v := range b.Row(1) {
			other[j] = at[j] + (v-at[j])*small/distance
		}
	}
	assert.InDelta(t, exponent, sum/(n*interval), .05)
}
