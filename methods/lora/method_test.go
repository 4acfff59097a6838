package lora_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/lora"
	"github.com/koopbench/koopbench/nn"
)

// signs are, over √4, eigenvectors of a chain of four states that is the same in both directions of time.
var signs = [4][4]float64{{1, 1, 1, 1}, {1, -1, 1, -1}, {1, 1, -1, -1}, {1, -1, -1, 1}}

// chain simulates n steps of the chain with these eigenvalues: snapshots that are 1 at the state and 0 elsewhere.
func chain(t *testing.T, n int, eigenvalues [4]float64) core.Snapshots {
	random := core.NewStream(1, "chain")
	values, state := make([]float32, 4*n), 0
	for i := range n {
		values[4*i+state] = 1
		left, next := random.Float64(), 0
		for ; next < 3; next++ {
			p := 0.0
			for k, v := range eigenvalues {
				p += v * signs[k][state] * signs[k][next] / 4
			}
			require.GreaterOrEqual(t, p, 0.0)
			if left -= p; left < 0 {
				break
			}
		}
		state = next
	}
	x, err := core.NewSnapshots(values, 4)
	require.NoError(t, err)
	return x
}

// correlations trains features on the chain and returns the correlation of each with itself one
// step later, but for that of the constant.
func correlations(t *testing.T, x core.Snapshots, nesting string) []float64 {
	e := lora.Features(nn.NewRuntime("cpu"), nil)
	options, err := e.Describe().Resolve(map[string]any{"nesting": nesting, "epochs": 30, "lr": 5e-3, "width": 16})
	require.NoError(t, err)
	embedding, err := e.Fit(t.Context(), &core.Training{
		Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x.Slice(0, 100)),
		Lag: 1, States: 4, Options: options, Name: "lora", Progress: core.NoProgress,
	})
	require.NoError(t, err)
	z, err := embedding.Embed(t.Context(), x)
	require.NoError(t, err)
	n, d := z.Dims()
	require.Equal(t, 4, d)
	assert.Equal(t, slices.Repeat([]float64{1}, n), mat.Col(nil, 0, z))
	var found []float64
	for j := 1; j < d; j++ {
		feature := mat.Col(nil, j, z)
		found = append(found, stat.Correlation(feature[:n-1], feature[1:], nil))
	}
	return found
}

// TestFeaturesAreOrdered: with joint nesting, each feature is an eigenfunction of the chain, in the
// order of the eigenvalues. Without nesting the features span the same functions, and are any
// combinations of them.
func TestFeaturesAreOrdered(t *testing.T) {
	want := [4]float64{1, 0.8, 0.5, 0.35}
	x := chain(t, 3000, want)
	const margin = 0.05 // of the eigenvalues that are estimated from 3000 steps
	joint, none := correlations(t, x, "joint"), correlations(t, x, "none")
	assert.InDeltaSlice(t, want[1:], joint, margin)
	assert.IsDecreasing(t, joint)
	off := 0.0
	for i, c := range none {
		off = max(off, math.Abs(c-want[1+i]))
	}
	assert.Greater(t, off, 2*margin, "%v", none)
}
