package process

import (
	"context"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

// counting is the process whose rows are 0, 1, 2 and so on.
func counting() *Process {
	return &Process{
		Name: "counting", Summary: "whole numbers", Width: 1, Picture: core.SeriesPicture,
		Defaults: Defaults{Split: Split{20, 10, 12}, Steps: 3, Rank: 1, Delay: 2},
		Simulate: func(_ context.Context, _ core.Options, _ *rand.Rand, rows Split) (Parts, error) {
			all := NewRows(rows.Sum(), 1)
			for i := range all.Values {
				all.Values[i] = float64(i)
			}
			return all.Cut(rows), nil
		},
	}
}

func open(t *testing.T, p *Process, options map[string]any) *core.Problem {
	require.NoError(t, p.Describe().Validate())
	o, err := p.Describe().Resolve(options)
	require.NoError(t, err)
	problem, err := p.Open(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, problem.Validate())
	return problem
}

// TestParts: the split counts snapshots, and no row is in two parts.
func TestParts(t *testing.T) {
	p := open(t, counting(), map[string]any{"delay": 3})
	assert.Equal(t, []int{20, 10, 12}, []int{p.Train.Len(), p.Validation.Len(), p.Test.Len()})
	row := make([]float32, 3)
	p.Train.Read(row, 0)
	assert.Equal(t, []float32{0, 1, 2}, row)
	p.Train.Read(row, 19)
	assert.Equal(t, []float32{19, 20, 21}, row)
	p.Validation.Read(row, 0)
	assert.Equal(t, []float32{22, 23, 24}, row)
	p.Test.Read(row, 0)
	assert.Equal(t, []float32{34, 35, 36}, row)
}

func TestStarts(t *testing.T) {
	for _, c := range []struct {
		options map[string]any
		want    []int
	}{
		{map[string]any{}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}},
		{map[string]any{"lag": 3}, []int{0, 1, 2}},
		{map[string]any{"steps": 11}, []int{0}},
		{map[string]any{"starts": 3}, []int{0, 3, 6}},
		{map[string]any{"starts": 9}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}},
		{map[string]any{"starts": 4}, []int{0, 2, 4, 6}},
	} {
		assert.Equal(t, c.want, open(t, counting(), c.options).Starts, c.options)
	}
}

// TestError: the error is the distance in standard deviations, of the values that are new.
func TestError(t *testing.T) {
	p := open(t, counting(), nil)
	scorer, err := p.Score.Fit(t.Context(), nil)
	require.NoError(t, err)
	values := make([]float32, 2*p.StartCount())
	for i, start := range p.Starts {
		row := make([]float32, 2)
		p.Test.Read(row, start+2)
		values[2*i], values[2*i+1] = 1e30, row[1]+float32(i)
	}
	predicted, err := core.NewSnapshots(values, 2)
	require.NoError(t, err)
	scores, err := scorer.Score(t.Context(), 2, predicted)
	require.NoError(t, err)
	deviation := math.Sqrt((12*12 - 1) / 12.) // of twelve numbers that follow one another
	for i, got := range scores {
		assert.InDelta(t, float64(i)/deviation, got, 1e-12, i)
	}
}

// TestConstant: values that do not change in training are no reason to divide by zero, and a test part in which none
// changes is refused, be its value one that rounding moves or not.
func TestConstant(t *testing.T) {
	p := counting()
	p.Defaults.Standardise = true
	constant := func(value, last float64) *core.Problem {
		p.Simulate = func(_ context.Context, _ core.Options, _ *rand.Rand, rows Split) (Parts, error) {
			all := NewRows(rows.Sum(), 1)
			for i := range all.Values {
				all.Values[i] = value
			}
			all.Values[len(all.Values)-1] = last
			return all.Cut(rows), nil
		}
		o, err := p.Describe().Resolve(nil)
		require.NoError(t, err)
		problem, err := p.Open(t.Context(), o)
		if value == last {
			assert.ErrorIs(t, err, core.ErrOption)
			assert.ErrorContains(t, err, "no value of the 12 test snapshots changes")
		} else {
			require.NoError(t, err)
		}
		return problem
	}
	constant(0, 0)
	constant(5.3, 5.3)
	problem := constant(0, 1)
	scorer, err := problem.Score.Fit(t.Context(), nil)
	require.NoError(t, err)
	predicted, err := core.NewSnapshots(make([]float32, 2*problem.StartCount()), 2)
	require.NoError(t, err)
	scores, err := scorer.Score(t.Context(), 1, predicted)
	require.NoError(t, err)
	assert.Equal(t, make([]float64, problem.StartCount()), scores)
}

// TestFollow: the error for a harmonic oscillator falls with the thirteenth power of the step, down to rounding.
func TestFollow(t *testing.T) {
	turn := func(v, x []float64) { v[0], v[1] = x[1], -x[0] }
	off := func(dt float64) float64 {
		rows, err := Follow(t.Context(), turn, []float64{0, 1}, 2, 1, dt)
		require.NoError(t, err)
		return math.Hypot(rows.Row(1)[0]-math.Sin(dt), rows.Row(1)[1]-math.Cos(dt))
	}
	assert.InDelta(t, 13, math.Log2(off(4)/off(2)), 1)
	assert.Less(t, off(.25), 1e-15)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Follow(ctx, turn, []float64{0, 1}, 2, 1, 1)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestDescending(t *testing.T) {
	up, down := cmplx.Rect(.5, 1), cmplx.Rect(.5, -1)
	for _, values := range [][]complex128{{-.5, down, .1, up, 1, .5}, {.5, up, 1, down, -.5, .1}} {
		slices.SortStableFunc(values, Descending)
		assert.Equal(t, []complex128{1, .5, up, down, -.5, .1}, values)
	}
	values := []complex128{1, up, down, .1}
	for n, want := range []int{1: 1, 2: 3, 3: 3, 4: 4, 5: 4} {
		if n > 0 {
			assert.Equal(t, want, Whole(values, n), n)
		}
	}
}
