package compose_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

// TestForecastIsThePowerOfTheOperator: with G = U Uᵀ C_XY and B = (1/N) U Uᵀ Φ_Xᵀ F_Y, a forecast n steps ahead is
// φ(x) U (Uᵀ C_XY U)ⁿ⁻¹ (1/N) Uᵀ Φ_Xᵀ F_Y = φ(x) Gⁿ⁻¹ B, or φ(x) Gⁿ decoded.
func TestForecastIsThePowerOfTheOperator(t *testing.T) {
	const d, rank = 20, 3
	for name, e := range map[string]core.Embedder{"observable": fixed{d: d}, "decoder": decoding{fixed{d: d}}} {
		t.Run(name, func(t *testing.T) {
			m := compose.New(e, linalg.Ridge{}, nil)
			tr := training(t, m.Describe(), 1, nil)
			model, err := m.Fit(t.Context(), tr)
			require.NoError(t, err)
			forecaster, ok := core.As[core.Forecaster](model)
			require.True(t, ok)

			embedding, err := e.Fit(t.Context(), tr)
			require.NoError(t, err)
			train := tr.Train.Snapshots()
			features, err := embedding.Embed(t.Context(), train)
			require.NoError(t, err)
			ridge, err := linalg.FitRidge(t.Context(), features, train.View(), tr.Lag, &linalg.RidgeOptions{
				Rank: rank, Precision: compose.Float32,
			})
			require.NoError(t, err)
			unit := mat.NewDense(d, d, nil)
			for i := range d {
				unit.Set(i, i, 1)
			}
			g, err := ridge.Predict(unit, 1)
			require.NoError(t, err)
			b, err := ridge.PredictObservable(unit, 1)
			require.NoError(t, err)
			if name == "decoder" {
				b = mat.NewDense(d, 64, nil) // what the decoder does to G's image
				b.Slice(0, d, 0, d).(*mat.Dense).Copy(g)
			}

			x := tr.Validation.Snapshots()
			z, err := embedding.Embed(t.Context(), x)
			require.NoError(t, err)
			for n := 1; n <= 15; n++ {
				var want mat.Dense
				want.Mul(z, b)
				got, err := forecaster.Forecast(t.Context(), x, n)
				require.NoError(t, err)
				assert.True(t, mat.EqualApprox(&want, got.Matrix(), 1e-5), "%d steps", n)
				if n == 1 {
					predicted, err := model.Predict(t.Context(), x)
					require.NoError(t, err)
					assert.Equal(t, predicted, got)
				}
				var next mat.Dense
				next.Mul(z, g)
				z = &next
			}
		})
	}
}

func TestForecastOfNoSteps(t *testing.T) {
	m := compose.New(fixed{d: 20}, linalg.Ridge{}, nil)
	tr := training(t, m.Describe(), 1, nil)
	model, err := m.Fit(t.Context(), tr)
	require.NoError(t, err)
	forecaster, ok := core.As[core.Forecaster](model)
	require.True(t, ok)
	_, err = forecaster.Forecast(t.Context(), tr.Validation.Snapshots(), 0)
	require.ErrorIs(t, err, core.ErrOption)
}
