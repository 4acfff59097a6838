package kernel_test

import (
	"fmt"
	"maps"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/kernel"
)

var kernels = []string{"rbf", "matern12", "matern32", "matern52", "polynomial"}

// training returns training data of one trajectory at lag 1, with resolved options.
func training(t *testing.T, d core.Description, values []float32, size int, options map[string]any) *core.Training {
	x, err := core.NewSnapshots(values, size)
	require.NoError(t, err)
	resolved, err := d.Resolve(options)
	require.NoError(t, err)
	return &core.Training{
		Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x), Lag: 1, States: 3,
		Options: resolved, Seed: 1, Name: d.Name, Progress: core.NoProgress,
	}
}

// points are n snapshots of 3 values of that size about an offset, the last of which is the first again.
func points(n int, offset, size float64) []float32 {
	random := core.NewStream(1, "points")
	values := make([]float32, n*3)
	for i := range values {
		values[i] = float32(offset + size*random.NormFloat64())
	}
	copy(values[(n-1)*3:], values[:3])
	return values
}

// embed fits the embedder and returns its features of the training snapshots.
func embed(t *testing.T, values []float32, options map[string]any) (core.Embedding, *mat.Dense) {
	tr := training(t, kernel.Features().Describe(), values, 3, options)
	e, err := kernel.Features().Fit(t.Context(), tr)
	require.NoError(t, err)
	z, err := e.Embed(t.Context(), tr.Train.At(0))
	require.NoError(t, err)
	return e, z
}

// of is the kernel of two points, as its definition says, for lengths and scales of 2.
func of(name string, a, b []float32) float64 {
	square, product := 0.0, 0.0
	for j := range a {
		difference := float64(a[j]) - float64(b[j])
		square += difference * difference
		product += float64(a[j]) * float64(b[j])
	}
	r := math.Sqrt(square) / 2
	switch name {
	case "rbf":
		return math.Exp(-r * r / 2)
	case "matern12":
		return math.Exp(-r)
	case "matern32":
		return (1 + math.Sqrt(3)*r) * math.Exp(-math.Sqrt(3)*r)
	case "matern52":
		return (1 + math.Sqrt(5)*r + 5*r*r/3) * math.Exp(-math.Sqrt(5)*r)
	}
	return (product/2 + 1) * (product/2 + 1) * (product/2 + 1)
}

// TestProductsAreTheKernel: with all snapshots as centres, products of features are the kernel, of snapshots that are
// far from 0 and of one that is there twice too.
func TestProductsAreTheKernel(t *testing.T) {
	for _, name := range kernels {
		for _, offset := range []float64{0, 1e4} {
			if name == "polynomial" && offset > 0 {
				continue // its values are of another order there
			}
			values := points(40, offset, 1)
			_, z := embed(t, values, map[string]any{"kernel": name, "length_scale": 2.0, "scale": 2.0})
			var products mat.Dense
			products.Mul(z, z.T())
			for i := range 40 {
				for j := range 40 {
					want := of(name, values[3*i:3*i+3], values[3*j:3*j+3])
					assert.InDelta(t, want, products.At(i, j), 1e-9*math.Max(1, math.Abs(want)), "%s %v, %d, %d", name, offset, i, j)
				}
			}
		}
	}
}

// TestUnits: relative lengths and the scale of polynomials follow the snapshots, however large these are.
func TestUnits(t *testing.T) {
	for _, name := range kernels {
		_, want := embed(t, points(40, 0, 1), map[string]any{"kernel": name})
		for _, size := range []float64{0x1p-60, 0x1p60} {
			_, got := embed(t, points(40, 0, size), map[string]any{"kernel": name})
			var a, b mat.Dense
			a.Mul(want, want.T())
			b.Mul(got, got.T())
			assert.True(t, mat.EqualApprox(&a, &b, 1e-9), "%s %v", name, size)
		}
	}
}

// predict fits the method to trajectories and returns its forecast of the first snapshots.
func predict(t *testing.T, values []float32, options map[string]any) *mat.Dense {
	m := kernel.New()
	tr := training(t, m.Describe(), values, 3, options)
	model, err := m.Fit(t.Context(), tr)
	require.NoError(t, err)
	forecaster, ok := core.As[core.Forecaster](model)
	require.True(t, ok)
	ahead, err := forecaster.Forecast(t.Context(), tr.Train.At(0).Slice(0, 10), 2)
	require.NoError(t, err)
	return ahead.Matrix()
}

// TestAllCentres: as many centres as there are snapshots give the exact regression, and fewer another.
func TestAllCentres(t *testing.T) {
	values := points(60, 0, 1)
	for _, name := range kernels {
		exact := predict(t, values, map[string]any{"kernel": name})
		assert.True(t, mat.EqualApprox(exact, predict(t, values, map[string]any{"kernel": name, "centres": 60}), 1e-8),
			name)
		assert.False(t, mat.EqualApprox(exact, predict(t, values, map[string]any{"kernel": name, "centres": 12}), 1e-3),
			name)
	}
}

// TestRefused: options that do not fit are refused in a sentence with the value, the limit and the remedy.
func TestRefused(t *testing.T) {
	for want, options := range map[string]map[string]any{
		"length_scale=1e-154; give at least 1e-100, or 0":             {"kernel": "matern52", "length_scale": 1e-154},
		"centres=61 for 60 training snapshots; give at most 60, or 0": {"centres": 61},
		"the largest value of the kernel polynomial at the centres is 0, outside 1e-100 … 1e+100; choose another": {
			"kernel": "polynomial", "coef0": 0.0,
		},
	} {
		m := kernel.New()
		_, err := m.Fit(t.Context(), training(t, m.Describe(), make([]float32, 180), 3, options))
		require.ErrorIs(t, err, core.ErrOption)
		assert.ErrorContains(t, err, want)
	}
	_, err := kernel.New().Describe().Resolve(map[string]any{"degree": 0})
	require.ErrorIs(t, err, core.ErrOption)
	assert.ErrorContains(t, err, "1 … 20")
}

// TestSaved: what is saved and loaded has the same features; a state that lacks anything is refused.
func TestSaved(t *testing.T) {
	values := points(50, 2, 1)
	x, err := core.NewSnapshots(values, 3)
	require.NoError(t, err)
	loader, ok := core.As[core.EmbeddingLoader](kernel.Features())
	require.True(t, ok)
	for _, name := range kernels {
		e, want := embed(t, values, map[string]any{"kernel": name})
		s, ok := core.As[core.Saver](e)
		require.True(t, ok)
		state, err := s.Save(t.Context())
		require.NoError(t, err)
		loaded, err := loader.Load(t.Context(), &core.Saved{State: *state})
		require.NoError(t, err)
		got, err := loaded.Embed(t.Context(), x)
		require.NoError(t, err)
		assert.True(t, mat.Equal(want, got), name)
		for missing := range state.Arrays {
			arrays := maps.Clone(state.Arrays)
			delete(arrays, missing)
			_, err = loader.Load(t.Context(), &core.Saved{State: core.State{Facts: state.Facts, Arrays: arrays}})
			require.ErrorIs(t, err, core.ErrShape, "%s without %s", name, missing)
		}
		_, err = loader.Load(t.Context(), &core.Saved{State: core.State{Facts: []byte(`{}`), Arrays: state.Arrays}})
		require.ErrorIs(t, err, core.ErrShape, name)
	}
}

func ExampleNew() {
	fmt.Println(kernel.New().Describe().Summary)
	// Output: regression of limited rank in the space of a kernel
}
