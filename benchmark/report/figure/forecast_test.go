package figure

import (
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
		assert.Contains(t, New(materialOf(t, made)).Forecast().Note, "The last value of a snapshot, standardised, from", "%v", value)
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
	assert.Contains(t, sheet.Note, "nearest to the true one")
}
