package methods_test

import (
	"fmt"
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/dmd"
	"github.com/koopbench/koopbench/methods/edmd"
	"github.com/koopbench/koopbench/methods/linear"
)

// linearSystem simulates x′ = A x + noise for an A of four dimensions with the eigenvalues .95·e^{±iπ/8}, .8 and .5,
// and returns n snapshots of it in 10 dimensions, by a random isometry, and the eigenvalues.
func linearSystem(t *testing.T, n int) (core.Snapshots, []complex128) {
	random := core.NewStream(1, "linear system")
	gaussian := mat.NewDense(10, 10, nil)
	for i := range 10 {
		for j := range 10 {
			gaussian.Set(i, j, random.NormFloat64())
		}
	}
	var qr mat.QR
	var isometry mat.Dense
	qr.Factorize(gaussian)
	qr.QTo(&isometry)
	turn := cmplx.Rect(0.95, math.Pi/8)
	z, state := complex(0, 0), [2]float64{}
	values := make([]float32, 0, 10*n)
	for i := range n + 200 {
		z = turn*z + complex(random.NormFloat64(), random.NormFloat64())
		state[0] = 0.8*state[0] + random.NormFloat64()
		state[1] = 0.5*state[1] + random.NormFloat64()
		if i < 200 { // until it is stationary
			continue
		}
		for j := range 10 {
			sum := 0.0
			for k, v := range []float64{real(z), imag(z), state[0], state[1]} {
				sum += isometry.At(j, k) * v
			}
			values = append(values, float32(sum))
		}
	}
	x, err := core.NewSnapshots(values, 10)
	require.NoError(t, err)
	return x, []complex128{turn, cmplx.Conj(turn), 0.8, 0.5}
}

// TestEigenvaluesOfALinearSystem: the linear methods find them as well as the data say, though the data span four of
// ten dimensions, whether they are told so or not.
func TestEigenvaluesOfALinearSystem(t *testing.T) {
	const many = 100_000
	all, want := linearSystem(t, many)
	polynomials := map[string]any{"dictionary": "polynomials", "degree": 1, "variant": "full"}
	for _, n := range []int{3000, many} {
		for name, c := range map[string]struct {
			method  core.Method
			options map[string]any
		}{
			"linear":            {linear.New(), nil},
			"linear, rank 10":   {linear.New(), map[string]any{"rank": 10}},
			"dmd":               {dmd.New(), nil},
			"dmd, rank 10":      {dmd.New(), map[string]any{"rank": 10}},
			"dmd, centred":      {dmd.New(), map[string]any{"centre": true}},
			"edmd, of degree 1": {edmd.New(), polynomials},
		} {
			t.Run(fmt.Sprint(n, " ", name), func(t *testing.T) {
				options, err := c.method.Describe().Resolve(c.options)
				require.NoError(t, err)
				x := core.OneTrajectory(all.Slice(0, n))
				model, err := c.method.Fit(t.Context(), &core.Training{
					Train: x, Validation: x, Lag: 1, States: 4, Options: options, Name: name, Progress: core.NoProgress,
				})
				require.NoError(t, err)
				found := ability[core.Spectral](t, model).Eigenvalues()
				for _, w := range want {
					tolerance := 4 * math.Sqrt((1-cmplx.Abs(w)*cmplx.Abs(w))/float64(n))
					if n == many {
						tolerance = 0.01
					}
					nearest := math.Inf(1)
					for _, f := range found {
						nearest = min(nearest, cmplx.Abs(f-w))
					}
					assert.Less(t, nearest, tolerance, "%v of %v", w, found)
				}
				for _, f := range found[min(4, len(found)):] {
					assert.True(t, cmplx.Abs(f) < 0.4 || cmplx.Abs(f-1) < 1e-5 || cmplx.Abs(f-0.5) < 0.1, "no others: %v", found)
				}
			})
		}
	}
}

// TestOneNumber: a snapshot may be a single number.
func TestOneNumber(t *testing.T) {
	random := core.NewStream(1, "one number")
	values, v := make([]float32, 2000), 0.0
	for i := range values {
		v = 0.9*v + random.NormFloat64()
		values[i] = float32(v)
	}
	x, err := core.NewSnapshots(values, 1)
	require.NoError(t, err)
	for _, m := range []core.Method{linear.New(), dmd.New(), edmd.New()} {
		options, err := m.Describe().Resolve(nil)
		require.NoError(t, err)
		model, err := m.Fit(t.Context(), &core.Training{
			Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x), Lag: 1, States: 3, Options: options,
			Name: m.Describe().Name, Progress: core.NoProgress,
		})
		require.NoError(t, err)
		next, err := model.Predict(t.Context(), x.Slice(0, 1000))
		require.NoError(t, err)
		risk := 0.0
		for i, p := range next.Floats() {
			risk += math.Pow(float64(p-values[i+1]), 2) / 1000
		}
		assert.InDelta(t, 1, risk, 0.15, m.Describe().Name)
	}
}
