package kernel

import (
	"cmp"
	"fmt"
	"math/cmplx"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/internal/golden"
	"github.com/koopbench/koopbench/linalg"
)

type goldenKernel struct {
	Datasets []struct {
		X, Y  golden.Array
		XTest golden.Array `json:"X_test"`
		Lag   int
	}
	Cases []struct {
		Dataset int
		Kernel  string
		Params  struct {
			Length float64 `json:"length_scale"`
			Degree int
			Coef0  float64
			Scale  float64
		}
		ReducedRank bool `json:"reduced_rank"`
		Alpha       float64
		Rank        int
		Centers     []int
		Eigenvalues golden.Array
		Predict1    golden.Array `json:"predict_1"`
		Predict3    golden.Array `json:"predict_3"`
		PredictObs1 golden.Array `json:"predict_obs_1"`
		PredictObs3 golden.Array `json:"predict_obs_3"`
	}
}

// goldenTolerance is relative to the largest entry of what is compared.
const goldenTolerance = 1e-6

// TestGoldenKernel holds every field of every case of kernel.json.
func TestGoldenKernel(t *testing.T) {
	var file goldenKernel
	golden.Load(t, "kernel.json", &file)
	for i, c := range file.Cases {
		variant := linalg.PrincipalComponents
		if c.ReducedRank {
			variant = linalg.ReducedRank
		}
		name := fmt.Sprintf("%02d dataset=%d %s %s alpha=%g centres=%d",
			i, c.Dataset, c.Kernel, variant, c.Alpha, len(c.Centers))
		t.Run(name, func(t *testing.T) {
			data := file.Datasets[c.Dataset]
			x, y := data.X.Dense(), data.Y.Dense()
			centres := x
			if c.Centers != nil {
				centres = &mat.Dense{}
				for _, k := range c.Centers {
					centres = stacked(centres, x.RawRowView(k))
				}
			}
			f, err := newFeatures(function{c.Kernel, c.Params.Length, c.Params.Degree, c.Params.Coef0, c.Params.Scale},
				centres)
			require.NoError(t, err)
			o := &linalg.RidgeOptions{Alpha: &c.Alpha, Variant: variant, Rank: c.Rank}
			var both mat.Dense
			both.Augment(x, y)
			m, err := linalg.FitRidge(t.Context(), f.at(x), &both, data.Lag, o)
			require.NoError(t, err)
			require.Empty(t, m.Report().Warnings)
			requireEigenvalues(t, c.Eigenvalues.Complex(), m.Eigenvalues())
			_, d := x.Dims()
			_, p := both.Dims()
			for _, expected := range []struct {
				states, observables golden.Array
				steps               int
			}{{c.Predict1, c.PredictObs1, 1}, {c.Predict3, c.PredictObs3, 3}} {
				ahead, err := m.PredictObservable(f.at(data.XTest.Dense()), expected.steps)
				require.NoError(t, err)
				n, _ := ahead.Dims()
				expected.states.RequireNear(t, ahead.Slice(0, n, 0, d), goldenTolerance, "states")
				expected.observables.RequireNear(t, ahead.Slice(0, n, d, p), goldenTolerance, "observables")
			}
		})
	}
}

// stacked returns the rows of m, which may be empty, and one more.
func stacked(m *mat.Dense, row []float64) *mat.Dense {
	one, all := mat.NewDense(1, len(row), row), new(mat.Dense)
	if m.IsEmpty() {
		return one
	}
	all.Stack(m, one)
	return all
}

func requireEigenvalues(t *testing.T, want, got []complex128) {
	t.Helper()
	got = slices.Clone(got)
	slices.SortFunc(got, func(a, b complex128) int {
		return cmp.Or(cmp.Compare(real(a), real(b)), cmp.Compare(imag(a), imag(b)))
	})
	require.Len(t, got, len(want))
	largest := 0.0
	for _, v := range want {
		largest = max(largest, cmplx.Abs(v))
	}
	for i, v := range want {
		require.LessOrEqual(t, cmplx.Abs(got[i]-v), goldenTolerance*largest, "%v where %v is expected", got, want)
	}
}
