package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/nn"
)

// batch makes a tensor of equally shaped matrices.
func batch(matrices ...*mat.Dense) *tensors.Tensor {
	rows, columns := matrices[0].Dims()
	var values []float64
	for _, m := range matrices {
		values = append(values, m.RawMatrix().Data...)
	}
	return tensors.FromFlatDataAndDimensions(values, len(matrices), rows, columns)
}

// unbatch is batch's inverse.
func unbatch(t *tensors.Tensor) []*mat.Dense {
	shape := t.Shape().Dimensions
	values := tensors.MustCopyFlatData[float64](t)
	size := shape[1] * shape[2]
	matrices := make([]*mat.Dense, shape[0])
	for i := range matrices {
		matrices[i] = mat.NewDense(shape[1], shape[2], values[i*size:(i+1)*size])
	}
	return matrices
}

func gaussian(r *rand.Rand, rows, columns int) *mat.Dense {
	m := mat.NewDense(rows, columns, nil)
	for i := range m.RawMatrix().Data {
		m.RawMatrix().Data[i] = r.NormFloat64()
	}
	return m
}

func identity(n int) *mat.Dense {
	m := mat.NewDense(n, n, nil)
	for i := range n {
		m.Set(i, i, 1)
	}
	return m
}

func orthonormalise(t *testing.T, length int, tolerance float64,
	matrices ...*mat.Dense) (q []*mat.Dense, dropped []*mat.Dense) {
	t.Helper()
	outputs, err := graph.CallOnceN(cpu.GetBackend(), func(a *graph.Node) []*graph.Node {
		q, dropped := nn.Orthonormalise(a, length, tolerance)
		return []*graph.Node{q, dropped}
	}, batch(matrices...))
	require.NoError(t, err)
	return unbatch(outputs[0]), unbatch(outputs[1])
}

func TestOrthonormaliseRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, d := range []int{1, 2, 5, 10} {
		const length = 12
		var rows, all []*mat.Dense
		for range 3 {
			a := gaussian(r, d, length)
			augmented := mat.NewDense(d, length+d, nil)
			augmented.Augment(a, identity(d))
			rows, all = append(rows, a), append(all, augmented)
		}
		q, dropped := orthonormalise(t, length, 1e-6, all...)
		for i, a := range rows {
			u, transform := q[i].Slice(0, d, 0, length), q[i].Slice(0, d, length, length+d)
			var gram, again mat.Dense
			gram.Mul(u, u.T())
			assert.True(t, mat.EqualApprox(identity(d), &gram, 1e-13), "rows are orthonormal")
			again.Mul(transform, a)
			assert.True(t, mat.EqualApprox(u, &again, 1e-12), "what is behind the counted entries holds the transform")
			for row := range d {
				assert.Positive(t, transform.At(row, row))
				for column := row + 1; column < d; column++ {
					assert.Zero(t, transform.At(row, column), "a row depends on those before it only")
				}
			}
			assert.Zero(t, mat.Sum(dropped[i]))
		}
	}
}

func TestOrthonormaliseDropsDependentRows(t *testing.T) {
	const tolerance = 1e-6
	a := mat.NewDense(6, 4, []float64{
		1, 0, 0, 0,
		0, 0, 0, 0, // zero
		1, 2e-7, 0, 0, // within the tolerance of the first
		1, 2e-6, 0, 0, // not within it
		3, 4, 0, 0, // in the plane of two before it
		0, 1, 1, 0,
	})
	q, dropped := orthonormalise(t, 4, tolerance, a)
	assert.Equal(t, []float64{0, 1, 1, 0, 1, 0}, dropped[0].RawMatrix().Data)
	want := mat.NewDense(6, 4, []float64{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0})
	assert.True(t, mat.EqualApprox(want, q[0], 1e-9), "%v", mat.Formatted(q[0]))
}

func TestOrthonormaliseKeepsNaN(t *testing.T) {
	q, _ := orthonormalise(t, 2, 1e-6, mat.NewDense(2, 2, []float64{1, 0, 0, math.NaN()}))
	assert.True(t, math.IsNaN(mat.Sum(q[0])))
}

func TestPolarFactor(t *testing.T) {
	const smallest = 1e-8
	for name, values := range map[string][]float64{
		"one":        {0.3},
		"well":       {1, 0.9, 0.5, 0.1, 0.02},
		"near one":   {1, 1, 1 - 1e-15, 1 - 1e-9, 1 - 1e-3},
		"above one":  {1 + 1e-9, 1, 0.5},
		"tiny":       {1, 1e-2, 1e-4, 1e-6, 1e-8},
		"singular":   {1, 0.5, 0.1, 0, 0},
		"zero":       {0, 0, 0},
		"ten values": {1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			d := len(values)
			r := rand.New(rand.NewPCG(2, 2))
			var left, right mat.QR
			left.Factorize(gaussian(r, d, d))
			right.Factorize(gaussian(r, d, d))
			var u, v mat.Dense
			left.QTo(&u)
			right.QTo(&v)
			k, want := mat.NewDense(d, d, nil), mat.NewDense(d, d, nil)
			for i, s := range values {
				k.RankOne(k, s, u.ColView(i), v.ColView(i))
				if s > 0 {
					want.RankOne(want, 1, u.ColView(i), v.ColView(i))
				}
			}
			output, err := graph.CallOnce(cpu.GetBackend(), func(k *graph.Node) *graph.Node {
				return nn.PolarFactor(k, smallest)
			}, batch(k, mat.DenseCopyOf(k.T())))
			require.NoError(t, err)
			got := unbatch(output)
			// Rounding of k, 1e-16, counts relative to its smallest singular value.
			tolerance := 1e-12
			switch name {
			case "tiny":
				tolerance = 1e-6
			case "singular":
				tolerance = 1e-7
			}
			assert.True(t, mat.EqualApprox(want, got[0], tolerance), "%v", mat.Formatted(got[0]))
			assert.True(t, mat.EqualApprox(want.T(), got[1], tolerance))
		})
	}
}

func BenchmarkOrthonormalise(b *testing.B) {
	for _, d := range []int{5, 10} {
		b.Run(fmt.Sprintf("2x%dx64", d), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			exec, err := graph.NewExec(cpu.GetBackend(), func(a *graph.Node) *graph.Node {
				q, _ := nn.Orthonormalise(a, 64, 1e-6)
				return q
			})
			require.NoError(b, err)
			input := batch(gaussian(r, d, 64), gaussian(r, d, 64))
			exec.MustCall(input)
			for b.Loop() {
				exec.MustCall(input)
			}
		})
	}
}
