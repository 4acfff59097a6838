package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/conformance"
	"github.com/koopbench/koopbench/core"
)

// TestConformance: barlow keeps the contract of a loss; its gradients are compared with finite differences there too.
func TestConformance(t *testing.T) {
	conformance.RunLossSuite(t, func() core.Loss { return barlow{} }, nil)
}

func random(n, d int, purpose string) *mat.Dense {
	stream := core.NewStream(1, "barlow-twins", purpose)
	m := mat.NewDense(n, d, nil)
	m.Apply(func(int, int, float64) float64 { return stream.NormFloat64() }, m)
	return m
}

func evaluate(t *testing.T, x, y mat.Matrix, options map[string]any) core.LossValue {
	t.Helper()
	o, err := barlow{}.Describe().Resolve(options)
	require.NoError(t, err)
	v, err := barlow{}.Evaluate(t.Context(), x, y, o)
	require.NoError(t, err)
	return v
}

// TestValues: the loss where it is known.
func TestValues(t *testing.T) {
	// The columns of a Hadamard matrix but the first are orthogonal and have mean 0 and variance 1.
	x := mat.NewDense(4, 3, []float64{1, 1, 1, -1, 1, -1, 1, -1, -1, -1, -1, 1})
	assert.InDelta(t, 0, evaluate(t, x, x, nil).Value, 1e-8, "uncorrelated features that persist")

	var opposite, turned mat.Dense
	opposite.Scale(-1, x)
	assert.InDelta(t, 3*2*2, evaluate(t, x, &opposite, nil).Value, 1e-3, "correlations of −1")
	turned.Mul(x, mat.NewDense(3, 3, []float64{0, 1, 0, 0, 0, 1, 1, 0, 0}))
	assert.InDelta(t, 3+3*0.25, evaluate(t, x, &turned, map[string]any{"redundancy": 0.25}).Value, 1e-3,
		"features that become one another")
}

// TestGradients by central differences, (f(x+h) − f(x−h))/2h, whose error is of the order of h².
func TestGradients(t *testing.T) {
	const h = 1e-5
	for _, n := range []int{2, 3, 20} {
		for _, lambda := range []float64{0, 0.005, 2} {
			options := map[string]any{"redundancy": lambda}
			x, y := random(n, 4, "x"), random(n, 4, "y")
			at := evaluate(t, x, y, options)
			for _, side := range []struct{ view, gradient *mat.Dense }{{x, at.GradX}, {y, at.GradY}} {
				scale := 1 + mat.Norm(side.gradient, math.Inf(1))
				for i := range n {
					for j := range 4 {
						v := side.view.At(i, j)
						side.view.Set(i, j, v+h)
						above := evaluate(t, x, y, options).Value
						side.view.Set(i, j, v-h)
						below := evaluate(t, x, y, options).Value
						side.view.Set(i, j, v)
						assert.InDelta(t, (above-below)/(2*h), side.gradient.At(i, j), 1e-6*scale, "%d rows, λ = %v", n, lambda)
					}
				}
			}
		}
	}
}

// TestShiftAndScale: features may be shifted and scaled, each view on its own.
func TestShiftAndScale(t *testing.T) {
	x, y := random(50, 3, "x"), random(50, 3, "y")
	want := evaluate(t, x, y, nil).Value
	x.Apply(func(_, j int, v float64) float64 { return float64(j+2)*v - 7 }, x)
	assert.InDelta(t, want, evaluate(t, x, y, nil).Value, 1e-4)
}

func TestWarnings(t *testing.T) {
	x, y := random(8, 3, "x"), random(8, 3, "y")
	assert.Empty(t, evaluate(t, x, y, nil).Warnings)
	for i := range 8 {
		y.Set(i, 1, 4)
	}
	assert.Equal(t, []string{"feature 1 of the lagged view is all but constant over the batch"},
		evaluate(t, x, y, nil).Warnings)
}

func BenchmarkEvaluate64x5(b *testing.B) {
	x, y := random(64, 5, "x"), random(64, 5, "y")
	o, err := barlow{}.Describe().Resolve(nil)
	require.NoError(b, err)
	for b.Loop() {
		if _, err := (barlow{}).Evaluate(b.Context(), x, y, o); err != nil {
			b.Fatal(err)
		}
	}
}
