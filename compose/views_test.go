package compose_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

// watching is the loss of agreement that tells what views it gets.
type watching struct {
	agreement
	see func(x, y mat.Matrix)
}

func (w watching) Evaluate(ctx context.Context, x, y mat.Matrix, o core.Options) (core.LossValue, error) {
	w.see(x, y)
	return w.agreement.Evaluate(ctx, x, y, o)
}

// centring is such a loss that subtracts means by itself.
type centring struct{ watching }

func (c centring) Describe() core.Description {
	d := c.watching.Describe()
	d.Options = append(d.Options, core.BoolOption("centre", false, "subtract means"))
	return d
}

// TestViews: what a loss sees, and what the features are afterwards, is what the options say.
func TestViews(t *testing.T) {
	for _, normalise := range []compose.Normalise{compose.NormaliseNone, compose.NormaliseRows, compose.NormaliseBatch} {
		for _, lagged := range []compose.Lagged{compose.LaggedNone, compose.LaggedLinear, compose.LaggedEncoder} {
			for _, constant := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s %v", normalise, lagged, constant), func(t *testing.T) {
					calls := 0
					loss := watching{see: func(x, y mat.Matrix) {
						calls++
						n, d := x.Dims()
						require.Equal(t, 4, d)
						for i := range n {
							checkRow(t, mat.Row(nil, i, x), normalise, constant)
							if lagged != compose.LaggedLinear {
								checkRow(t, mat.Row(nil, i, y), normalise, constant)
							}
						}
						if normalise == compose.NormaliseBatch && lagged == compose.LaggedEncoder {
							checkMoments(t, x, constant, 1e-4)
							checkMoments(t, y, constant, 1e-4)
						}
					}}
					e := compose.LossEmbedder(testRuntime, loss, &compose.LossOptions{
						Network: small, Features: 4,
						Views: &compose.Views{Normalise: normalise, Lagged: lagged, Constant: constant},
					})
					tr := training(t, e.Describe(), 4, map[string]any{"epochs": 1, "batch_size": 16})
					embedding, err := e.Fit(t.Context(), tr)
					require.NoError(t, err)
					require.Positive(t, calls)
					require.Equal(t, 4, embedding.Dim())
					z, err := embedding.Embed(t.Context(), tr.Train.Snapshots())
					require.NoError(t, err)
					for i := range tr.Train.Len() {
						checkRow(t, mat.Row(nil, i, z), normalise, constant)
					}
					if normalise == compose.NormaliseBatch {
						checkMoments(t, z, constant, 1e-3)
					}
					saver, ok := core.As[core.Saver](embedding)
					require.True(t, ok)
					s, err := saver.Save(t.Context())
					require.NoError(t, err)
					for name := range s.Arrays {
						assert.NotContains(t, name, "successors", "an encoder of successors is not kept")
					}
					loader, ok := core.As[core.EmbeddingLoader](e)
					require.True(t, ok)
					loaded, err := loader.Load(t.Context(), &core.Saved{State: *s})
					require.NoError(t, err)
					again, err := loaded.Embed(t.Context(), tr.Train.Snapshots())
					require.NoError(t, err)
					assert.True(t, mat.Equal(z, again), "what is loaded embeds as what was saved")
				})
			}
		}
	}
}

// checkRow checks the features of a snapshot.
func checkRow(t *testing.T, z []float64, normalise compose.Normalise, constant bool) {
	if constant {
		require.Equal(t, 1.0, z[0])
		z = z[1:]
	}
	if normalise == compose.NormaliseRows {
		square := 0.0
		for _, v := range z {
			square += v * v
		}
		require.InDelta(t, 1, square, 1e-5)
	}
}

// checkMoments checks that each feature, but for a constant one, has the mean 0 and the variance 1.
func checkMoments(t *testing.T, z mat.Matrix, constant bool, tolerance float64) {
	n, d := z.Dims()
	for j := range d {
		if constant && j == 0 {
			continue
		}
		mean, square := 0.0, 0.0
		for i := range n {
			mean += z.At(i, j) / float64(n)
			square += z.At(i, j) * z.At(i, j) / float64(n)
		}
		require.InDelta(t, 0, mean, tolerance)
		require.InDelta(t, 1, square, 1e-3)
	}
}

// TestCentre: one option centres the views, by the loss where that can, and the regression.
func TestCentre(t *testing.T) {
	for _, own := range []bool{false, true} {
		largest := 0.0
		watched := watching{see: func(x, _ mat.Matrix) {
			_, d := x.Dims()
			for j := range d {
				largest = max(largest, math.Abs(mat.Sum(x.(*mat.Dense).ColView(j))))
			}
		}}
		var loss core.Loss = watched
		if own {
			loss = centring{watched}
		}
		m := lossMethod(loss)
		centres := 0
		for _, o := range m.Describe().Options {
			if o.Name == "centre" || o.Name == "loss_centre" || o.Name == "operator_centre" {
				centres++
			}
		}
		assert.Equal(t, 1, centres, "centre is one option of all parts")
		model, err := m.Fit(t.Context(),
			training(t, m.Describe(), 4, map[string]any{"epochs": 1, "batch_size": 16, "centre": true}))
		require.NoError(t, err)
		assert.Equal(t, own, largest > 1e-3, "a loss that centres gets the features as they are")
		_, ok := core.As[core.Spectral](model)
		require.True(t, ok)
	}
}

// TestRefusedViews: options that contradict each other are refused before anything is trained.
func TestRefusedViews(t *testing.T) {
	untouched := watching{see: func(_, _ mat.Matrix) { t.Fatal("it was trained") }}
	m := compose.LossMethod(testRuntime, untouched, linalg.Ridge{}, &compose.LossOptions{Network: small})
	for says, options := range map[string]map[string]any{
		"centre=true makes the feature of constant=true zero":                {"constant": true, "centre": true},
		"features=1, but constant=true is one of them":                       {"constant": true, "features": 1},
		"rank=9 with 5 features; give a rank of at most 5, or more features": {"rank": 9, "features": 5},
		"batch_size=1 with normalise=batch and centre=false":                 {"batch_size": 1, "normalise": "batch"},
		"batch_size=1 with normalise=rows and centre=true":                   {"batch_size": 1, "centre": true},
		"rank=2 with variant=full, which has rank 3; leave out the rank":     {"rank": 2, "variant": "full"},
		"rank=4 with 3 features":                                             {"rank": 4},
	} {
		_, err := m.Fit(t.Context(), training(t, m.Describe(), 1, options))
		require.ErrorIs(t, err, core.ErrOption, says)
		assert.ErrorContains(t, err, says)
		checker, ok := core.As[core.Checker](m)
		require.True(t, ok)
		assert.EqualError(t, checker.Check(training(t, m.Describe(), 1, options)), err.Error(), "before a fit")
	}
	_, err := m.Describe().Resolve(map[string]any{"features": 4097})
	require.ErrorIs(t, err, core.ErrOption, "as many are regressed in seconds; time grows with the cube")
	model, err := m.Fit(t.Context(),
		training(t, m.Describe(), 1, map[string]any{"epochs": 100_000, "rank": 9, "features": 3}))
	assert.Nil(t, model)
	assert.ErrorIs(t, err, core.ErrOption)
}
