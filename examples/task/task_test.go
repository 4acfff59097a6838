package main

import (
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/conformance"
	"github.com/koopbench/koopbench/core"
)

// TestConformance: rotation keeps the contract of a task, with few snapshots.
func TestConformance(t *testing.T) {
	conformance.RunTaskSuite(t, func() core.Task { return rotation{} }, &conformance.Options{
		Settings: map[string]any{"split": "100,40,60", "steps": 3, "lag": 2},
	})
}

func opened(t *testing.T, options map[string]any) (*core.Problem, error) {
	t.Helper()
	o, err := rotation{}.Describe().Resolve(options)
	require.NoError(t, err)
	return rotation{}.Open(t.Context(), o)
}

// TestEigenvalues: what persists has the eigenvalue 1, a point the one of its turn.
func TestEigenvalues(t *testing.T) {
	p, err := opened(t, map[string]any{"angle": 45.0, "lag": 2})
	require.NoError(t, err)
	values := p.Truth.Eigenvalues
	require.Len(t, values, 10)
	assert.InDelta(t, 1, real(values[0]), 1e-12)
	const square = 0.98 * 0.98
	for _, want := range []complex128{complex(0, square), complex(0, -square), complex(square*square, 0)} {
		assert.True(t, hasNear(values, want), "%v in %v", want, values)
	}
}

func hasNear(values []complex128, want complex128) bool {
	for _, v := range values {
		if cmplx.Abs(v-want) < 1e-12 {
			return true
		}
	}
	return false
}

// TestTurns: without noise to speak of, the next point is turned by the angle.
func TestTurns(t *testing.T) {
	points, err := simulate(t.Context(), cmplx.Rect(0.98, 0.5), 20_000, 1)
	require.NoError(t, err)
	var product complex128
	square := 0.0
	for i, z := range points[1:] {
		product += z * cmplx.Conj(points[i])
		square += real(points[i] * cmplx.Conj(points[i]))
	}
	estimate := product / complex(square, 0)
	assert.InDelta(t, 0.98, cmplx.Abs(estimate), 0.01)
	assert.InDelta(t, 0.5, cmplx.Phase(estimate), 0.01)
}

func TestScore(t *testing.T) {
	s := angle{test: []complex128{1, 2, 2i, 3}, lag: 1}
	predicted, err := core.NewSnapshots([]float32{5, 0, 1, 1, 0, 0}, 2)
	require.NoError(t, err)
	scores, err := s.Score(t.Context(), 1, predicted)
	require.NoError(t, err)
	assert.InDeltaSlice(t, []float64{0, 45, 90}, scores, 1e-12)
}

func TestRefuses(t *testing.T) {
	for split, want := range map[string]error{
		"1,2": core.ErrOption, "0,40,60": core.ErrOption, "1,40,60": core.ErrTooShort, "100,40,10": core.ErrTooShort,
	} {
		_, err := opened(t, map[string]any{"split": split})
		assert.ErrorIs(t, err, want, split)
	}
}
