package linalg_test

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/internal/golden"
	"github.com/koopbench/koopbench/linalg"
)

type goldenRidge struct {
	Datasets []struct {
		X, Y  golden.Array
		XTest golden.Array `json:"X_test"`
	}
	Cases []goldenCase
}

type goldenCase struct {
	Dataset int
	Params  struct {
		Rank        *int    `json:"n_components"`
		ReducedRank bool    `json:"reduced_rank"`
		Alpha       float64 `json:"alpha"`
		Lag         int     `json:"lag_time"`
	}
	Rank              int
	Eigenvalues       golden.Array
	SingularValues    golden.Array `json:"svals"`
	RiskTrain         *float64     `json:"risk_train"`
	RiskTest          *float64     `json:"risk_test"`
	Predict1          golden.Array `json:"predict_1"`
	Predict4          golden.Array `json:"predict_4"`
	PredictObs1       golden.Array `json:"predict_obs_1"`
	PredictObs3       golden.Array `json:"predict_obs_3"`
	Score2            *float64     `json:"score_test_2"`
	AbsRight          golden.Array `json:"abs_right_eigenfunctions"`
	AbsLeftTimesRight golden.Array `json:"abs_left_times_right"`
}

// goldenTolerance is relative to the largest entry of what is compared.
const goldenTolerance = 1e-9

// TestGoldenRidge holds every field of every case of ridge.json, computed by kooplearn 2.0.3.
func TestGoldenRidge(t *testing.T) {
	var file goldenRidge
	golden.Load(t, "ridge.json", &file)
	require.NotEmpty(t, file.Cases)
	for i, c := range file.Cases {
		variant := linalg.PrincipalComponents
		if c.Params.ReducedRank {
			variant = linalg.ReducedRank
		}
		t.Run(fmt.Sprintf("%02d dataset=%d %s alpha=%g lag=%d", i, c.Dataset, variant, c.Params.Alpha, c.Params.Lag),
			func(t *testing.T) {
				require.Less(t, c.Dataset, len(file.Datasets))
				data := file.Datasets[c.Dataset]
				x, test := data.X.Dense(), data.XTest.Dense()
				o := &linalg.RidgeOptions{Alpha: &c.Params.Alpha, Variant: variant}
				if c.Params.Rank != nil {
					o.Rank = *c.Params.Rank
				}
				m, err := linalg.FitRidge(t.Context(), x, data.Y.Dense(), c.Params.Lag, o)
				require.NoError(t, err)
				checkGolden(t, c, m, x, test)
			})
	}
}

func checkGolden(t *testing.T, c goldenCase, m *linalg.Model, x, test *mat.Dense) {
	assert.Equal(t, c.Rank, m.Rank())
	assert.Empty(t, m.Report().Warnings)

	values, columns := sortedByParts(m.Eigenvalues())
	requireNearComplex(t, c.Eigenvalues.Complex(), values)

	singular, err := m.SingularValues()
	require.NoError(t, err)
	c.SingularValues.RequireNear(t, mat.NewVecDense(len(singular), singular), goldenTolerance, "singular values")

	requireNear(t, c.RiskTrain, "risk_train")(m.Risk(x))
	requireNear(t, c.RiskTest, "risk_test")(m.Risk(test))
	requireNear(t, c.Score2, "score_test_2")(m.Score(test, &linalg.ScoreOptions{Steps: 2, KooplearnPairing: true}))

	for _, p := range []struct {
		name    string
		want    golden.Array
		predict func(mat.Matrix, int) (*mat.Dense, error)
		steps   int
	}{
		{"predict_1", c.Predict1, m.Predict, 1},
		{"predict_4", c.Predict4, m.Predict, 4},
		{"predict_obs_1", c.PredictObs1, m.PredictObservable, 1},
		{"predict_obs_3", c.PredictObs3, m.PredictObservable, 3},
	} {
		got, err := p.predict(test, p.steps)
		require.NoError(t, err)
		p.want.RequireNear(t, got, goldenTolerance, p.name)
	}

	right, err := m.RightEigenfunctions(test)
	require.NoError(t, err)
	left, err := m.LeftEigenfunctions(test)
	require.NoError(t, err)
	n, r := right.Dims()
	absRight, absBoth := mat.NewDense(n, r, nil), mat.NewDense(n, r, nil)
	for i := range n {
		for j, k := range columns {
			absRight.Set(i, j, cmplx.Abs(right.At(i, k)))
			absBoth.Set(i, j, cmplx.Abs(left.At(i, k)*right.At(i, k)))
		}
	}
	c.AbsRight.RequireNear(t, absRight, goldenTolerance, "abs_right_eigenfunctions")
	c.AbsLeftTimesRight.RequireNear(t, absBoth, goldenTolerance, "abs_left_times_right")
}

// sortedByParts sorts eigenvalues by real, then imaginary part and returns where each was. Real
// parts of a conjugate pair are equal to the bit.
func sortedByParts(values []complex128) ([]complex128, []int) {
	columns := make([]int, len(values))
	for i := range columns {
		columns[i] = i
	}
	slices.SortFunc(columns, func(a, b int) int {
		x, y := values[a], values[b]
		switch {
		case real(x) < real(y) || real(x) == real(y) && imag(x) < imag(y):
			return -1
		case x == y:
			return 0
		}
		return 1
	})
	sorted := make([]complex128, len(values))
	for i, j := range columns {
		sorted[i] = values[j]
	}
	return sorted, columns
}

func requireNearComplex(t *testing.T, want, got []complex128) {
	t.Helper()
	require.Len(t, got, len(want))
	var largest float64
	for _, v := range want {
		largest = max(largest, cmplx.Abs(v))
	}
	for i, v := range want {
		require.LessOrEqual(t, cmplx.Abs(got[i]-v), goldenTolerance*largest, "eigenvalue %d is %v where %v is expected", i,
			got[i], v)
	}
}

func requireNear(t *testing.T, want *float64, name string) func(float64, error) {
	t.Helper()
	return func(got float64, err error) {
		t.Helper()
		require.NoError(t, err, name)
		require.NotNil(t, want, name)
		require.LessOrEqual(t, math.Abs(got-*want), goldenTolerance*math.Abs(*want), "%s is %v where %v is expected",
			name, got, *want)
	}
}
