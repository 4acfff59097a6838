package figure

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// inTime is results of a task that is drawn in time, whose future is not known.
func inTime(t *testing.T, picture core.Picture, size int) *fixture.Made {
	made := fixture.Scored(t, fixture.Setting{Shape: []int{size}, Steps: 3, Test: 10, Methods: fixture.FiveMethods()[:1]})
	made.Content.Task.Picture = string(picture)
	return made
}

// Figures in time speak of the truth where it is known, and of no colour that a line does not have.
func TestTruthInTime(t *testing.T) {
	made := inTime(t, core.PlanePicture, 2)
	for _, sheet := range []Sheet{New(materialOf(t, made)).Forecast(), New(materialOf(t, made)).Plane()} {
		assert.Empty(t, sheet.Key, sheet.Name)
		require.Len(t, sheet.Panels, 1)
		assert.Regexp(t, ", predicted$", sheet.Panels[0].label)
	}
	for range 3 {
		made.Task.Futures = append(made.Task.Futures, made.Task.Starts)
	}
	for _, sheet := range []Sheet{New(materialOf(t, made)).Forecast(), New(materialOf(t, made)).Plane()} {
		require.Len(t, sheet.Key, 2, sheet.Name)
		assert.Equal(t, "predicted, in the colour of the method", sheet.Key[1].Name)
		assert.Regexp(t, ", true and predicted$", sheet.Panels[0].label)
	}
}

// The forecast says what is known of values and times.
func TestForecastWords(t *testing.T) {
	made := inTime(t, core.SeriesPicture, 2)
	for unit, want := range map[string]string{"": "time in snapshots", "time units": "time", "s": "time in s"} {
		made.Content.Task.TimeUnit = unit
		assert.Equal(t, want, New(materialOf(t, made)).Forecast().Panels[0].plot.X.Label.Text)
	}
	for _, value := range []any{nil, false, "false"} {
		made.Content.Task.Options = map[string]any{"standardise": value}
		assert.NotContains(t, New(materialOf(t, made)).Forecast().Note, "standardised", "%v", value)
	}
	for _, value := range []any{true, "true", "auto"} {
		made.Content.Task.Options = map[string]any{"standardise": value}
		assert.Contains(t, New(materialOf(t, made)).Forecast().Note, "a snapshot, standardised, in a roll-out from",
			"%v", value)
	}
}

// A line ends where it leaves the axes, and goes on where it comes back.
func TestWithin(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct{ values, at, want []float64 }{
		{[]float64{0, 1, -1}, []float64{0, 1, 2}, []float64{0, 1, -1}},
		{[]float64{0, 2, 0}, []float64{0, 0.5, 1, 1.5, 2}, []float64{0, 1, nan, 1, 0}},
		{[]float64{-2, 2}, []float64{0, 0.25, 0.75, 1}, []float64{nan, -1, 1, nan}},
		{[]float64{2, -2}, []float64{0, 0.25, 0.75, 1}, []float64{nan, 1, -1, nan}},
		{[]float64{1, 3, 5}, []float64{0, 1, 2}, []float64{1, nan, nan}},
		{[]float64{0, nan, 0}, []float64{0, 1, 2}, []float64{0, nan, 0}},
	} {
		got := curve{at: []float64{0, 1, 2}, values: c.values}.within(-1, 1)
		assert.Equal(t, c.at, got.at, "%v", c.values)
		assert.Equal(t, fmt.Sprint(c.want), fmt.Sprint(got.values))
	}
}

// Eigenfunctions on a line are held against true ones where there are some.
func TestTrueFunctions(t *testing.T) {
	made := inTime(t, core.LinePicture, 1)
	made.Task.Test = made.Task.Starts
	n := made.Task.Test.Len()
	values := mat.NewCDense(n, 1, nil)
	for i := range n {
		values.Set(i, 0, complex(float64(i), 0))
	}
	for _, run := range made.Arrays {
		run.RightEigenfunctions = values
	}
	sheet := New(materialOf(t, made)).Functions()
	assert.Empty(t, sheet.Key)
	assert.NotContains(t, sheet.Note, "true")
	made.Task.TrueEigenfunctions = values
	made.Content.Task.Eigenvalues = []results.Complex{0.5}
	sheet = New(materialOf(t, made)).Functions()
	require.Len(t, sheet.Key, 2)
	assert.Equal(t, "estimated, in the colour of the method", sheet.Key[1].Name)
	assert.Contains(t, sheet.Note, "with the nearest eigenvalue")
}
