package dmd_test

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/dmd"
)

// fit fits dmd to trajectories.
func fit(t *testing.T, x core.Trajectories, lag int, options map[string]any) core.Model {
	m := dmd.New()
	resolved, err := m.Describe().Resolve(options)
	require.NoError(t, err)
	model, err := m.Fit(t.Context(), &core.Training{
		Train: x, Validation: x, Lag: lag, States: 2, Options: resolved, Name: "dmd", Progress: core.NoProgress,
	})
	require.NoError(t, err)
	return model
}

// noisy returns n snapshots of 5 values about an offset, that follow one another but for noise.
func noisy(t *testing.T, n int, offset, size float64) core.Snapshots {
	random := core.NewStream(1, "noisy")
	values, x := make([]float32, 0, 5*n), make([]float64, 5)
	for range n {
		for j := range x {
			x[j] = 0.8*x[(j+1)%5]*float64(j+1)/5 + random.NormFloat64()
			values = append(values, float32(offset+size*x[j]))
		}
	}
	s, err := core.NewSnapshots(values, 5)
	require.NoError(t, err)
	return s
}

// TestExactDMD: eigenvalues and predictions are those of Tu et al. by a singular value decomposition, at any scale.
func TestExactDMD(t *testing.T) {
	for _, size := range []float64{1, 1e-9, 1e9} {
		for _, centre := range []bool{false, true} {
			x := noisy(t, 200, 3*size, size)
			matrix := x.Matrix() // one row a snapshot
			now, next := mat.DenseCopyOf(matrix.Slice(0, 199, 0, 5)), mat.DenseCopyOf(matrix.Slice(1, 200, 0, 5))
			mean, later := make([]float64, 5), make([]float64, 5)
			if centre {
				mean, later = subtract(now, mean), subtract(next, later)
			}
			var svd mat.SVD
			require.True(t, svd.Factorize(now, mat.SVDThin))
			var u, v, operator, projected mat.Dense
			svd.UTo(&u)
			svd.VTo(&v)
			const rank = 3
			scaled := mat.DenseCopyOf(v.Slice(0, 5, 0, rank))
			for k, s := range svd.Values(nil)[:rank] {
				column := scaled.ColView(k).(*mat.VecDense)
				column.ScaleVec(1/s, column)
			}
			operator.Product(scaled, u.Slice(0, 199, 0, rank).T(), next)
			projected.Product(v.Slice(0, 5, 0, rank).T(), &operator, v.Slice(0, 5, 0, rank))
			var eigen mat.Eigen
			require.True(t, eigen.Factorize(&projected, mat.EigenNone))

			model := fit(t, core.OneTrajectory(x), 1, map[string]any{"rank": rank, "centre": centre})
			assert.Equal(t, rank, core.ReportOf(model).Rank)
			spectral, ok := core.As[core.Spectral](model)
			require.True(t, ok)
			near(t, eigen.Values(nil), spectral.Eigenvalues(), 1e-6)
			got, err := model.Predict(t.Context(), x.Slice(7, 8))
			require.NoError(t, err)
			start, want := mat.NewVecDense(5, mat.Row(nil, 7, matrix)), mat.NewVecDense(5, nil)
			start.SubVec(start, mat.NewVecDense(5, mean))
			want.MulVec(operator.T(), start)
			want.AddVec(want, mat.NewVecDense(5, later))
			for j, p := range got.Floats() {
				assert.InDelta(t, want.AtVec(j)/size, float64(p)/size, 1e-5, "size %g, centre %v", size, centre)
			}
		}
	}
}

// subtract subtracts the mean of the rows of m, and returns it.
func subtract(m *mat.Dense, mean []float64) []float64 {
	n, d := m.Dims()
	for j := range d {
		mean[j] = mat.Sum(m.ColView(j)) / float64(n)
		for i := range n {
			m.Set(i, j, m.At(i, j)-mean[j])
		}
	}
	return mean
}

// near checks that each value has one of the found ones near it.
func near(t *testing.T, want, found []complex128, tolerance float64) {
	t.Helper()
	require.Len(t, found, len(want))
	for _, w := range want {
		least := math.Inf(1)
		for _, f := range found {
			least = min(least, cmplx.Abs(f-w))
		}
		assert.Less(t, least, tolerance, "%v of %v", w, found)
	}
}

// TestDirectionsThatAreNotThere: data of two dimensions in five have rank 2, whatever rank is asked for.
func TestDirectionsThatAreNotThere(t *testing.T) {
	const n, turn = 300, 0.3
	values := make([]float32, 0, 5*n)
	for i := range n {
		a, b := math.Cos(turn*float64(i)), math.Sin(turn*float64(i))
		values = append(values, float32(a), float32(b), float32(a-b), float32(2*a+b), 0)
	}
	x, err := core.NewSnapshots(values, 5)
	require.NoError(t, err)
	model := fit(t, core.OneTrajectory(x), 2, map[string]any{"rank": 5})
	report := core.ReportOf(model)
	assert.Equal(t, 2, report.Rank)
	require.Len(t, report.Warnings, 1)
	assert.Contains(t, report.Warnings[0], "3 of the 5 directions asked for were dropped")
	spectral, _ := core.As[core.Spectral](model)
	near(t, []complex128{cmplx.Exp(2i * turn), cmplx.Exp(-2i * turn)}, spectral.Eigenvalues(), 1e-6)
}
