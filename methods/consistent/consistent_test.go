package consistent

import (
	"context"
	"maps"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	_ "github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/synthetic"
	"github.com/koopbench/koopbench/nn"
)

var network = &nn.CNN{Channels: []int{4, 8}, Kernel: 3}

func newMethod() core.Method { return New(nn.NewRuntime("cpu"), &Options{Network: network}) }

// with are options with which it learns the small task in a second, and more.
func with(more map[string]any) map[string]any {
	all := map[string]any{"epochs": 100, "batch_size": 16, "lr": 0.01}
	maps.Copy(all, more)
	return all
}

func training(t *testing.T, options map[string]any) *core.Training {
	tr, err := synthetic.Training(newMethod().Describe(), 120, 8, 3, 2, options)
	require.NoError(t, err)
	return tr
}

func fit(t *testing.T, tr *core.Training) core.Model {
	model, err := newMethod().Fit(t.Context(), tr)
	require.NoError(t, err)
	return model
}

// trainedMatrix is an array of a model's state.
func trainedMatrix(t *testing.T, model core.Model, path string) *mat.Dense {
	saver, ok := core.As[core.Saver](model)
	require.True(t, ok)
	s, err := saver.Save(t.Context())
	require.NoError(t, err)
	values, shape, err := core.StateValues[float32](s, "embedding/"+path, 2)
	require.NoError(t, err)
	m := mat.NewDense(shape[0], shape[1], nil)
	for i, v := range values {
		m.RawMatrix().Data[i] = float64(v)
	}
	return m
}

// inconsistency is ‖KB − I‖, in the norm of Frobenius.
func inconsistency(t *testing.T, model core.Model) float64 {
	var product mat.Dense
	product.Mul(trainedMatrix(t, model, forward), trainedMatrix(t, model, "backward/weights"))
	d, _ := product.Dims()
	for i := range d {
		product.Set(i, i, product.At(i, i)-1)
	}
	return mat.Norm(&product, 2)
}

// TestConsistency: the states go round, so that the process can be turned back. Only the loss of consistency makes the
// maps inverses of one another: at six seeds they are off by at most .021 with it, and by at least 1.27 without.
func TestConsistency(t *testing.T) {
	for seed := range int64(3) {
		for weight, check := range map[float64]func(off float64){
			1: func(off float64) { assert.Less(t, off, 0.05) },
			0: func(off float64) { assert.Greater(t, off, 0.5) },
		} {
			tr := training(t, with(map[string]any{"consistency": weight}))
			tr.Seed = seed
			check(inconsistency(t, fit(t, tr)))
		}
	}
}

func squaredError(x, y core.Snapshots) float64 {
	var off mat.Dense
	off.Sub(x.Matrix(), y.Matrix())
	n, d := off.Dims()
	return mat.Norm(&off, 2) * mat.Norm(&off, 2) / float64(n*d)
}

func TestUntrained(t *testing.T) {
	model := fit(t, training(t, map[string]any{"epochs": 1, "lr": 1e-9}))
	assert.Contains(t, core.ReportOf(model).Untrained, "not 10% below")

	tr := training(t, with(nil))
	model = fit(t, tr)
	assert.Empty(t, core.ReportOf(model).Untrained)
	now, next := tr.Validation.Snapshots().Slice(0, 20), tr.Validation.Snapshots().Slice(1, 21)
	x, err := model.Predict(t.Context(), now)
	require.NoError(t, err)
	assert.Less(t, squaredError(x, next), 0.5*squaredError(now, next), "it predicts the successor")
}

// TestPredictsByTheTrainedMap: the operator is K to the bit, whose powers advance the latents, and whose eigenvectors
// make the eigenfunctions.
func TestPredictsByTheTrainedMap(t *testing.T) {
	tr := training(t, with(map[string]any{"epochs": 5}))
	model := fit(t, tr)
	k := trainedMatrix(t, model, forward)
	e := &embedder{AutoencoderEmbedder: nn.AutoencoderEmbedder{
		Runtime: nn.NewRuntime("cpu"), Network: network, Examples: nn.Triples, Loss: loss,
	}}
	embedding, err := e.Fit(t.Context(), tr) // the same networks from the same seed
	require.NoError(t, err)
	assert.Equal(t, k, e.k)
	x := tr.Validation.Snapshots()
	z, err := embedding.Embed(t.Context(), x)
	require.NoError(t, err)

	forecaster, ok := core.As[core.Forecaster](model)
	require.True(t, ok)
	decoder, ok := core.As[core.Decoder](embedding)
	require.True(t, ok)
	advanced := z
	for n := 1; n <= 15; n++ {
		next := new(mat.Dense)
		next.Mul(advanced, k)
		advanced = next
		want, err := decoder.Decode(t.Context(), advanced)
		require.NoError(t, err)
		got, err := forecaster.Forecast(t.Context(), x, n)
		require.NoError(t, err)
		assert.InDelta(t, 0, squaredError(want, got), 1e-10, "%d steps", n)
	}

	operator, err := (&trained{of: e}).Fit(t.Context(), nil)
	require.NoError(t, err)
	spectral, ok := core.As[core.SpectralOperator](operator)
	require.True(t, ok)
	ofModel, ok := core.As[core.Spectral](model)
	require.True(t, ok)
	values := spectral.Eigenvalues()
	require.Len(t, values, 3)
	assert.Equal(t, ofModel.Eigenvalues(), values)
	for _, c := range []struct {
		eigenfunctions func(context.Context, mat.Matrix) (*mat.CDense, error)
		matrix         mat.Matrix
	}{{spectral.RightEigenfunctions, k}, {spectral.LeftEigenfunctions, k.T()}} {
		f, err := c.eigenfunctions(t.Context(), z)
		require.NoError(t, err)
		var mapped mat.Dense
		mapped.Mul(z, c.matrix)
		g, err := c.eigenfunctions(t.Context(), &mapped)
		require.NoError(t, err)
		for i := range x.Len() {
			for j, value := range values {
				assert.InDelta(t, 0, cmplx.Abs(g.At(i, j)-value*f.At(i, j)), 1e-9)
			}
		}
	}
}

// TestTooShort: two snapshots are a pair, and no triple.
func TestTooShort(t *testing.T) {
	tr := training(t, with(map[string]any{"epochs": 1}))
	tr.Lag, tr.TrainLabels, tr.ValidationLabels = 2, nil, nil
	whole := *tr
	for _, part := range []*core.Trajectories{&tr.Train, &tr.Validation} {
		*tr = whole
		*part = core.OneTrajectory(part.At(0).Slice(0, 4))
		_, err := newMethod().Fit(t.Context(), tr)
		require.ErrorIs(t, err, core.ErrTooShort)
		assert.ErrorContains(t, err, "snapshot has a snapshot before and after it at a lag of 2; give a trajectory of at "+
			"least 5 snapshots")
	}
	tr.Train = core.OneTrajectory(whole.Train.At(0).Slice(0, 5))
	tr.Validation = core.OneTrajectory(whole.Validation.At(0).Slice(0, 5))
	fit(t, tr)
}
