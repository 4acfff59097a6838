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

// autoencoder makes a batch of its six arrays; arrays lists them in the same order.
func autoencoder[T any](a [6]T) nn.AutoencoderBatch[T] {
	return nn.AutoencoderBatch[T]{X: a[0], Y: a[1], Reconstruction: a[2], Encoded: a[3], Evolved: a[4], Prediction: a[5]}
}

func arrays[T any](b nn.AutoencoderBatch[T]) [6]T {
	return [6]T{b.X, b.Y, b.Reconstruction, b.Encoded, b.Evolved, b.Prediction}
}

// randomBatch holds n snapshots of p values and d latents, all of them float32 numbers.
func randomBatch(r *rand.Rand, n, p, d int) [6]mat.Matrix {
	var a [6]mat.Matrix
	for i, columns := range [6]int{p, p, p, d, d, p} {
		m := gaussian(r, n, columns)
		m.Apply(func(_, _ int, v float64) float64 { return float64(float32(v)) }, m)
		a[i] = m
	}
	return a
}

var someWeights = []*nn.AutoencoderWeights{nil, {Reconstruction: 2, Linearity: 10, Prediction: 0.5}, {Prediction: 1}}

func TestAutoencoderLossGradients(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, weights := range someWeights {
		a := randomBatch(r, 4, 6, 3)
		value, g, err := nn.AutoencoderLoss(autoencoder(a), weights)
		require.NoError(t, err)
		assert.Positive(t, value)
		for which, gradient := range arrays(g) {
			m := a[which].(*mat.Dense)
			for i := range m.RawMatrix().Data {
				const step = 1e-4 // the loss is quadratic: central differences are exact
				entry := &m.RawMatrix().Data[i]
				was := *entry
				*entry = was + step
				above, _, _ := nn.AutoencoderLoss(autoencoder(a), weights)
				*entry = was - step
				below, _, _ := nn.AutoencoderLoss(autoencoder(a), weights)
				*entry = was
				assert.InDelta(t, (above-below)/(2*step), gradient.RawMatrix().Data[i], 1e-9)
			}
		}
	}
}

func TestAutoencoderLossIsTheSumOfMeans(t *testing.T) {
	two, four := mat.NewDense(2, 2, []float64{2, 2, 2, 2}), mat.NewDense(2, 2, []float64{4, 4, 4, 4})
	latent, zero := mat.NewDense(2, 1, []float64{3, 3}), mat.NewDense(2, 1, nil)
	b := nn.AutoencoderBatch[mat.Matrix]{X: two, Reconstruction: four, Encoded: latent,
		Evolved: zero, Y: four, Prediction: four}
	value, _, err := nn.AutoencoderLoss(b, nil)
	require.NoError(t, err)
	assert.InDelta(t, 4+9, value, 1e-12)
	value, _, err = nn.AutoencoderLoss(b, &nn.AutoencoderWeights{Reconstruction: 0.5, Linearity: 2, Prediction: 100})
	require.NoError(t, err)
	assert.InDelta(t, 2+18, value, 1e-12)
}

func TestAutoencoderGraphEqualsTheLossOnImages(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	const n, side, d = 8, 14, 5
	for _, weights := range someWeights {
		a := randomBatch(r, n, side*side, d)
		want, wantGradients, err := nn.AutoencoderLoss(autoencoder(a), weights)
		require.NoError(t, err)
		inputs := make([]any, len(a))
		for i, m := range a {
			var values []float32
			for _, v := range m.(*mat.Dense).RawMatrix().Data {
				values = append(values, float32(v))
			}
			shape := []int{n, side, side, 1}
			if _, columns := m.Dims(); columns == d {
				shape = []int{n, d}
			}
			inputs[i] = tensors.FromFlatDataAndDimensions(values, shape...)
		}
		outputs, err := graph.CallOnceN(cpu.GetBackend(), func(in []*graph.Node) []*graph.Node {
			loss := nn.AutoencoderGraph(autoencoder([6]*graph.Node(in)), weights)
			return append([]*graph.Node{loss}, graph.Gradient(loss, in...)...)
		}, inputs...)
		require.NoError(t, err)
		assert.InEpsilon(t, want, tensors.ToScalar[float32](outputs[0]), 1e-6)
		for i, gradient := range arrays(wantGradients) {
			for j, v := range tensors.MustCopyFlatData[float32](outputs[1+i]) {
				assert.InDelta(t, gradient.RawMatrix().Data[j], v, 1e-6*mat.Norm(gradient, 2))
			}
		}
	}
}

func TestAutoencoderLossRefusesBadArrays(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for which := range 6 {
		columns := 6
		if which == 3 || which == 4 {
			columns = 2
		}
		for _, c := range []struct {
			put  mat.Matrix
			want error
		}{
			{mat.NewDense(3, 3, nil), core.ErrShape},
			{&mat.Dense{}, core.ErrShape},
			{nil, core.ErrShape},
			{constant(4, columns, math.NaN()), core.ErrNonFinite},
			{constant(4, columns, 1e308), core.ErrNonFinite},
		} {
			a := randomBatch(r, 4, 6, 2)
			a[which] = c.put
			_, _, err := nn.AutoencoderLoss(autoencoder(a), nil)
			assert.ErrorIs(t, err, c.want)
		}
	}
}

func constant(rows, columns int, v float64) *mat.Dense {
	m := mat.NewDense(rows, columns, nil)
	m.Apply(func(int, int, float64) float64 { return v }, m)
	return m
}

func TestAutoencoderGraphRefusesWhatWouldBroadcast(t *testing.T) {
	_, err := graph.CallOnce(cpu.GetBackend(), func(x, row *graph.Node) *graph.Node {
		return nn.AutoencoderGraph(autoencoder([6]*graph.Node{x, x, row, x, x, x}), nil)
	}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1, 2}})
	assert.ErrorIs(t, err, core.ErrShape)
}
