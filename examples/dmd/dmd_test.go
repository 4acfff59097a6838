package main

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/conformance"
	"github.com/koopbench/koopbench/core"
)

// TestConformance: dmd keeps the contract of a method.
func TestConformance(t *testing.T) {
	conformance.RunMethodSuite(t, func() core.Method { return dmd{} }, &conformance.Options{Shape: []int{12, 12}})
}

// rotation returns n snapshots of two damped rotations in four dimensions, seen in d = 6 by a
// matrix and moved off the origin by shift, and the eigenvalues of one step.
func rotation(t *testing.T, n int, shift float64) (core.Snapshots, []complex128) {
	t.Helper()
	const d = 6
	moduli, angles := [2]float64{0.999, 0.99}, [2]float64{0.4, 1.3}
	random := core.NewStream(1, "dmd", "test")
	view := mat.NewDense(4, d, nil)
	view.Apply(func(int, int, float64) float64 { return random.NormFloat64() }, view)
	states := mat.NewDense(n, 4, nil)
	values := make([]complex128, 0, 4)
	for k := range 2 {
		for i := range n {
			r, angle := math.Pow(moduli[k], float64(i)), angles[k]*float64(i)
			states.Set(i, 2*k, r*math.Cos(angle))
			states.Set(i, 2*k+1, r*math.Sin(angle))
		}
		re, im := moduli[k]*math.Cos(angles[k]), moduli[k]*math.Sin(angles[k])
		values = append(values, complex(re, im), complex(re, -im))
	}
	var seen mat.Dense
	seen.Mul(states, view)
	seen.Apply(func(_, _ int, v float64) float64 { return v + shift }, &seen)
	x, err := core.SnapshotsFromMatrix(&seen, 2, 3)
	require.NoError(t, err)
	return x, values
}

func fit(t *testing.T, x core.Snapshots, lag int, options map[string]any) core.Model {
	t.Helper()
	o, err := dmd{}.Describe().Resolve(options)
	require.NoError(t, err)
	fitted, err := dmd{}.Fit(t.Context(), &core.Training{
		Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x),
		Lag: lag, States: 2, Options: o, Name: "energy-dmd", Progress: core.NoProgress,
	})
	require.NoError(t, err)
	return fitted
}

// TestLinearSystem: the trajectory of a linear system gives its eigenvalues, its future, and
// eigenfunctions that the dynamics carries into their multiples.
func TestLinearSystem(t *testing.T) {
	x, values := rotation(t, 300, 0)
	past, next := x.Slice(0, 299), x.Slice(1, 300)
	fitted := fit(t, x, 1, map[string]any{"rank": 4, "centre": false})
	spectral, ok := core.As[core.Spectral](fitted)
	require.True(t, ok)
	got := spectral.Eigenvalues()
	require.Len(t, got, 4)
	for k, want := range values {
		assert.InDelta(t, real(want), real(got[k]), 1e-5)
		assert.InDelta(t, imag(want), imag(got[k]), 1e-5, "conjugate pairs, the positive imaginary part first")
	}
	predicted, err := fitted.Predict(t.Context(), past)
	require.NoError(t, err)
	assert.InDeltaSlice(t, next.Floats(), predicted.Floats(), 1e-4)
	assert.Equal(t, 4, core.ReportOf(fitted).Rank)
	assert.Empty(t, core.ReportOf(fitted).Warnings)
}

// TestLeftEigenvectors: the modes are left eigenvectors of the operator Q B, scaled by its right ones.
// TestForecast: the system is linear, so a forecast is the sequence itself so many snapshots later.
func TestForecast(t *testing.T) {
	x, _ := rotation(t, 300, 0)
	m := fit(t, x, 1, map[string]any{"rank": 4, "centre": false}).(*model)
	for _, steps := range []int{1, 2, 7} {
		ahead, err := m.Forecast(t.Context(), x.Slice(0, 290), steps)
		require.NoError(t, err)
		assert.InDeltaSlice(t, x.Slice(steps, 290+steps).Floats(), ahead.Floats(), 1e-3)
	}
	_, err := m.Forecast(t.Context(), x, 0)
	assert.ErrorIs(t, err, core.ErrOption)
}

func TestLeftEigenvectors(t *testing.T) {
	x, _ := rotation(t, 300, 0)
	m := fit(t, x, 1, map[string]any{"rank": 4, "centre": false}).(*model)
	var operator mat.Dense
	operator.Mul(m.project, m.advance)
	for k, mode := range m.spectrum.modes {
		for j := range mode {
			sum := complex(0, 0)
			for i := range mode {
				sum += mode[i] * complex(operator.At(i, j), 0)
			}
			want := m.spectrum.values[k] * mode[j]
			assert.InDelta(t, real(want), real(sum), 1e-9)
			assert.InDelta(t, imag(want), imag(sum), 1e-9)
		}
	}
	functions, err := m.LeftEigenfunctions(t.Context(), x.Slice(5, 6))
	require.NoError(t, err)
	row := x.Matrix().RawRowView(5)
	for k, mode := range m.spectrum.modes {
		sum := complex(0, 0)
		for j, v := range row {
			sum += complex(v, 0) * mode[j]
		}
		assert.InDelta(t, real(sum), real(functions.At(0, k)), 1e-12)
		assert.InDelta(t, imag(sum), imag(functions.At(0, k)), 1e-12)
	}
}

// TestCenterAndLag: away from the origin the mean is subtracted, and a lag of two squares the eigenvalues.
func TestCenterAndLag(t *testing.T) {
	x, values := rotation(t, 4000, 100)
	fitted := fit(t, x, 2, map[string]any{"rank": 4})
	predicted, err := fitted.Predict(t.Context(), x.Slice(10, 40))
	require.NoError(t, err)
	assert.InDeltaSlice(t, x.Slice(12, 42).Floats(), predicted.Floats(), 0.05)
	got := fitted.(core.Spectral).Eigenvalues()
	assert.InDelta(t, real(values[0]*values[0]), real(got[0]), 1e-2)
	assert.InDelta(t, imag(values[0]*values[0]), imag(got[0]), 1e-2)
}

func TestRank(t *testing.T) {
	x, _ := rotation(t, 300, 0)
	for name, c := range map[string]struct {
		options  map[string]any
		rank     int
		warnings int
	}{
		"most energy":    {map[string]any{"energy": 0.9999, "centre": false}, 4, 0},
		"hardly any":     {map[string]any{"energy": 0.0, "centre": false}, 1, 0},
		"asked for":      {map[string]any{"rank": 3, "centre": false}, 3, 0},
		"asked too much": {map[string]any{"rank": 9, "centre": false}, 6, 1},
	} {
		t.Run(name, func(t *testing.T) {
			report := core.ReportOf(fit(t, x, 1, c.options))
			assert.Equal(t, c.rank, report.Rank)
			assert.Len(t, report.Warnings, c.warnings)
			assert.Empty(t, report.Untrained)
		})
	}
}

// TestConstant: there is nothing to learn from equal snapshots, and the model says so.
func TestConstant(t *testing.T) {
	x, err := core.NewPixelSnapshots([]uint8{9, 9, 9, 9, 9, 9, 9, 9}, 2)
	require.NoError(t, err)
	fitted := fit(t, x, 1, nil)
	assert.NotEmpty(t, core.ReportOf(fitted).Untrained)
	predicted, err := fitted.Predict(context.Background(), x)
	require.NoError(t, err)
	assert.InDeltaSlice(t, x.Floats(), predicted.Floats(), 1e-7)
	assert.Empty(t, fitted.(core.Spectral).Eigenvalues())
}
