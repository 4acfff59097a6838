package nn_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// consistency computes the loss block by block, as it is defined.
func consistency(k, b *mat.Dense) float64 {
	d, _ := k.Dims()
	sum := 0.0
	for i := 1; i <= d; i++ {
		for _, order := range [][2]*mat.Dense{{k, b}, {b, k}} {
			var block mat.Dense
			block.Mul(order[0].Slice(0, i, 0, d), order[1].Slice(0, d, 0, i))
			block.Sub(&block, identity(i))
			sum += math.Pow(mat.Norm(&block, 2), 2)
		}
	}
	return sum / float64(2*d)
}

func TestConsistency(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for _, d := range []int{1, 2, 5} {
		k, b := gaussian(r, d, d), gaussian(r, d, d)
		value, gradK, gradB, err := nn.Consistency(k, b)
		require.NoError(t, err)
		assert.InEpsilon(t, consistency(k, b), value, 1e-12)
		for _, side := range []struct{ entries, gradient *mat.Dense }{{k, gradK}, {b, gradB}} {
			for i := range side.entries.RawMatrix().Data {
				const step = 1e-4 // the loss is quadratic in each matrix: central differences are exact
				entry := &side.entries.RawMatrix().Data[i]
				was := *entry
				*entry = was + step
				above := consistency(k, b)
				*entry = was - step
				below := consistency(k, b)
				*entry = was
				assert.InDelta(t, (above-below)/(2*step), side.gradient.RawMatrix().Data[i], 1e-8)
			}
		}

		outputs, err := graph.CallOnceN(cpu.GetBackend(), func(k, b *graph.Node) []*graph.Node {
			loss := nn.ConsistencyGraph(k, b)
			return append(graph.Gradient(loss, k, b), loss)
		}, single(k), single(b))
		require.NoError(t, err)
		assert.InEpsilon(t, value, tensors.ToScalar[float32](outputs[2]), 1e-5)
		for i, gradient := range []*mat.Dense{gradK, gradB} {
			for j, v := range tensors.MustCopyFlatData[float32](outputs[i]) {
				assert.InDelta(t, gradient.RawMatrix().Data[j], v, 1e-5*mat.Norm(gradient, 2))
			}
		}
	}
}

// single makes a tensor of float32 numbers of m.
func single(m *mat.Dense) *tensors.Tensor {
	rows, columns := m.Dims()
	var values []float32
	for _, v := range m.RawMatrix().Data {
		values = append(values, float32(v))
	}
	return tensors.FromFlatDataAndDimensions(values, rows, columns)
}

func TestInversesAreConsistent(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	k := gaussian(r, 4, 4)
	var b mat.Dense
	require.NoError(t, b.Inverse(k))
	value, gradK, gradB, err := nn.Consistency(k, &b)
	require.NoError(t, err)
	assert.InDelta(t, 0, value+mat.Norm(gradK, 2)+mat.Norm(gradB, 2), 1e-10)
}

func TestConsistencyRefusesBadMatrices(t *testing.T) {
	good := identity(2)
	for name, c := range map[string]struct {
		k, b mat.Matrix
		want error
	}{
		"sizes":      {good, identity(3), core.ErrShape},
		"not square": {mat.NewDense(2, 3, nil), mat.NewDense(2, 3, nil), core.ErrShape},
		"empty":      {&mat.Dense{}, &mat.Dense{}, core.ErrShape},
		"nil":        {good, nil, core.ErrShape},
		"NaN":        {good, constant(2, 2, math.NaN()), core.ErrNonFinite},
		"overflow":   {constant(2, 2, 1e200), good, core.ErrNonFinite},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, _, err := nn.Consistency(c.k, c.b)
			assert.ErrorIs(t, err, c.want)
		})
	}
	_, err := graph.CallOnce(cpu.GetBackend(), nn.ConsistencyGraph, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1, 2}})
	assert.ErrorIs(t, err, core.ErrShape)
}
