package edmd_test

import (
	"fmt"
	"maps"
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/edmd"
)

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

// points are n snapshots of d values of some size about an offset.
func points(n, d int, offset, size float64) []float32 {
	random := core.NewStream(1, "points")
	values := make([]float32, n*d)
	for i := range values {
		values[i] = float32(offset + size*random.NormFloat64())
	}
	return values
}

// embed fits the dictionary and returns its features of the training snapshots.
func embed(t *testing.T, values []float32, size int, options map[string]any) (core.Embedding, *mat.Dense) {
	tr := training(t, edmd.Dictionary().Describe(), values, size, options)
	e, err := edmd.Dictionary().Fit(t.Context(), tr)
	require.NoError(t, err)
	z, err := e.Embed(t.Context(), tr.Train.At(0))
	require.NoError(t, err)
	return e, z
}

var dictionaries = []string{"random-fourier", "rbf", "polynomials", "fourier"}

// TestFeatures: the first is 1, rows depend on no other, the view has what Embed gives, and large values give
// features of the order of 1.
func TestFeatures(t *testing.T) {
	for _, name := range dictionaries {
		values := points(50, 3, 1e6, 100)
		e, z := embed(t, values, 3, map[string]any{"dictionary": name, "functions": 20, "degree": 2})
		n, k := z.Dims()
		require.Equal(t, []int{50, e.Dim()}, []int{n, k}, name)
		x, err := core.NewSnapshots(values, 3)
		require.NoError(t, err)
		viewer, ok := core.As[core.Viewer](e)
		require.True(t, ok)
		view, err := viewer.View(x)
		require.NoError(t, err)
		assert.True(t, mat.Equal(z, view), name)
		for i := range n {
			assert.InDelta(t, 1, z.At(i, 0), 0)
			row, err := e.Embed(t.Context(), x.Slice(i, i+1))
			require.NoError(t, err)
			assert.Equal(t, z.RawRowView(i), row.RawRowView(0), name)
			for _, v := range z.RawRowView(i) {
				assert.Less(t, math.Abs(v), 20.0, name)
			}
		}
	}
}

// TestMonomials: they are those of the total degree, each once.
func TestMonomials(t *testing.T) {
	e, _ := embed(t, []float32{-1, -2, 1, 2, -1, 2, 1, -2}, 2, map[string]any{"dictionary": "polynomials", "degree": 3})
	require.Equal(t, 10, e.Dim())
	x, err := core.NewSnapshots([]float32{3, 10}, 2) // 3 and 5 once standardised
	require.NoError(t, err)
	z, err := e.Embed(t.Context(), x)
	require.NoError(t, err)
	assert.ElementsMatch(t, []float64{1, 3, 5, 9, 15, 25, 27, 45, 75, 125}, z.RawRowView(0))
}

// TestFourier: the functions are those of the raw values, of the period that is asked for.
func TestFourier(t *testing.T) {
	_, z := embed(t, []float32{0.25, 2.5}, 1, map[string]any{"dictionary": "fourier", "frequencies": 2, "period": 2.0})
	half := math.Sqrt(0.5)
	assert.InDeltaSlice(t, []float64{1, half, half, 0, 1}, z.RawRowView(0), 1e-12)
	assert.InDeltaSlice(t, []float64{1, 0, 1, -1, 0}, z.RawRowView(1), 1e-12)
}

// TestGaussianKernel: products of random Fourier features are those of the kernel, but for chance; radial functions are
// 1 over the root of their number at their centre.
func TestGaussianKernel(t *testing.T) {
	values := points(40, 2, 0, 1)
	_, z := embed(t, values, 2, map[string]any{"dictionary": "random-fourier", "functions": 4000, "length_scale": 0.7})
	_, r := embed(t, values, 2, map[string]any{"dictionary": "rbf", "functions": 40, "length_scale": 0.7})
	// With as many centres as snapshots, column 1+j of r is the kernel of snapshot j.
	for i := range 40 {
		for j := range 40 {
			kernel := mat.Dot(z.RowView(i), z.RowView(j)) - 1
			assert.InDelta(t, kernel, r.At(i, 1+j)*math.Sqrt(40), 5*math.Sqrt(1.0/4000), "%d, %d", i, j)
		}
		assert.InDelta(t, 1, r.At(i, 1+i)*math.Sqrt(40), 1e-12)
	}
}

// TestTooManyFunctions: a dictionary that is too large is refused before it is made.
func TestTooManyFunctions(t *testing.T) {
	for want, options := range map[string]map[string]any{
		"polynomials to degree 10 of 784 values are 25925644949220590762903 functions; the most is 4096": {
			"dictionary": "polynomials", "degree": 10,
		},
		"polynomials to degree 2 of 784 values are 308505 functions": {"dictionary": "polynomials", "degree": 2},
		"Fourier functions of 8 frequencies of 784 values are 12545": {"dictionary": "fourier"},
	} {
		tr := training(t, edmd.New().Describe(), make([]float32, 784*3), 784, options)
		_, err := edmd.New().Fit(t.Context(), tr)
		require.ErrorIs(t, err, core.ErrOption)
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "choose dictionary=random-fourier")
	}
}

// TestQuadraticMapIsClosed: for x ← ax, y ← by + cx², the functions x, y and x² span a space that the Koopman operator
// maps into itself, so its eigenvalues are exact (Brunton et al., PLoS ONE 11, 2016), large values or not.
func TestQuadraticMapIsClosed(t *testing.T) {
	const a, b, c = 0.9, 0.5, 0.3
	for _, size := range []float64{1, 1e4} {
		random := core.NewStream(1, "starts")
		var parts []core.Snapshots
		for range 60 {
			x, y := random.NormFloat64(), random.NormFloat64()
			next, ahead := a*x, b*y+c*x*x
			s, err := core.NewSnapshots([]float32{
				float32(size * x), float32(size * y), float32(size * next), float32(size * ahead),
			}, 2)
			require.NoError(t, err)
			parts = append(parts, s)
		}
		m := edmd.New()
		tr := training(t, m.Describe(), points(4, 2, 0, 1), 2, map[string]any{
			"dictionary": "polynomials", "degree": 2, "alpha": 0.0, "variant": "full",
		})
		var err error
		tr.Train, err = core.NewTrajectories(parts...)
		require.NoError(t, err)
		model, err := m.Fit(t.Context(), tr)
		require.NoError(t, err)
		spectral, ok := core.As[core.Spectral](model)
		require.True(t, ok)
		values := spectral.Eigenvalues()
		for _, want := range []complex128{1, a, a * a, b} {
			nearest := math.Inf(1)
			for _, v := range values {
				nearest = min(nearest, cmplx.Abs(v-want))
			}
			assert.Less(t, nearest, 1e-4, "%v of %v", want, values)
		}
		forecaster, ok := core.As[core.Forecaster](model)
		require.True(t, ok)
		start, err := core.NewSnapshots([]float32{float32(size), float32(size)}, 2)
		require.NoError(t, err)
		ahead, err := forecaster.Forecast(t.Context(), start, 2)
		require.NoError(t, err)
		want := []float64{a * a, b*(b+c) + c*a*a}
		for j, v := range ahead.Floats() {
			assert.InDelta(t, want[j], float64(v)/size, 1e-4)
		}
	}
}

func ExampleNew() {
	fmt.Println(edmd.New().Describe().Summary)
	// Output: extended dynamic mode decomposition: ridge regression on a dictionary of functions
}

// TestSaved: what is saved and loaded has the same features, of each dictionary; a state that lacks anything is
// refused.
func TestSaved(t *testing.T) {
	values := points(50, 3, 2, 1)
	x, err := core.NewSnapshots(values, 3)
	require.NoError(t, err)
	for _, name := range dictionaries {
		e, want := embed(t, values, 3, map[string]any{"dictionary": name, "functions": 20})
		s, ok := core.As[core.Saver](e)
		require.True(t, ok)
		state, err := s.Save(t.Context())
		require.NoError(t, err)
		loader, ok := core.As[core.EmbeddingLoader](edmd.Dictionary())
		require.True(t, ok)
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
