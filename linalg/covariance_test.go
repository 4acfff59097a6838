package linalg_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

func TestCovariancesAreMeansOfProducts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	x, y := gaussian(random, 50, 3), gaussian(random, 50, 4)
	for i := range 50 {
		x.Set(i, 1, 3+x.At(i, 1)) // a mean to subtract
		y.Set(i, 2, 2*x.At(i, 1)-5)
	}
	for _, centre := range []bool{false, true} {
		cx, cy, cxy, err := linalg.Covariances(x, y, centre)
		require.NoError(t, err)
		for _, c := range []struct {
			got  mat.Matrix
			a, b *mat.Dense
		}{{cx, x, x}, {cy, y, y}, {cxy, x, y}} {
			_, columns := c.a.Dims()
			_, others := c.b.Dims()
			for j := range columns {
				for k := range others {
					require.InDelta(t, momentOf(c.a, j, c.b, k, centre), c.got.At(j, k), 1e-12, "centre=%v (%d, %d)", centre, j, k)
				}
			}
		}
	}
}

// momentOf is the mean of the products of two columns, of their deviations with centre.
func momentOf(a *mat.Dense, j int, b *mat.Dense, k int, centre bool) float64 {
	n, _ := a.Dims()
	var meanA, meanB, sum float64
	for i := range n {
		meanA += a.At(i, j) / float64(n)
		meanB += b.At(i, k) / float64(n)
	}
	for i := range n {
		sum += a.At(i, j) * b.At(i, k)
	}
	if centre {
		return sum/float64(n) - meanA*meanB
	}
	return sum / float64(n)
}

func TestCovariancesOfViews(t *testing.T) {
	x := gaussian(rand.New(rand.NewPCG(1, 2)), 20, 6)
	view := x.Slice(2, 12, 1, 4)
	cx, _, cxy, err := linalg.Covariances(view, x.Slice(3, 13, 1, 4), false)
	require.NoError(t, err)
	wantX, _, wantXY, err := linalg.Covariances(mat.DenseCopyOf(view), mat.DenseCopyOf(x.Slice(3, 13, 1, 4)), false)
	require.NoError(t, err)
	assert.True(t, mat.Equal(wantX, cx))
	assert.True(t, mat.Equal(wantXY, cxy))
}

func TestCovariancesRefuseBadInput(t *testing.T) {
	one := mat.NewDense(2, 1, []float64{1, 2})
	for name, c := range map[string]struct {
		x, y mat.Matrix
		want error
	}{
		"nil":              {nil, one, core.ErrShape},
		"empty":            {one, &mat.Dense{}, core.ErrShape},
		"different length": {one, mat.NewDense(3, 1, nil), core.ErrShape},
		"not a number":     {one, mat.NewDense(2, 1, []float64{1, math.NaN()}), core.ErrNonFinite},
		"infinite":         {mat.NewDense(2, 1, []float64{math.Inf(-1), 1}), one, core.ErrNonFinite},
		"overflow of C_X":  {mat.NewDense(2, 1, []float64{1e200, 1}), mat.NewDense(2, 1, nil), core.ErrNonFinite},
		"overflow of C_XY": {mat.NewDense(2, 1, []float64{1e150, 1}), mat.NewDense(2, 1, []float64{1e300, 1}),
			core.ErrNonFinite},
	} {
		_, _, _, err := linalg.Covariances(c.x, c.y, false)
		assert.ErrorIs(t, err, c.want, name)
	}
}
