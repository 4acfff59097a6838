package randomnetwork_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	_ "github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/synthetic"
	"github.com/koopbench/koopbench/methods/randomnetwork"
	"github.com/koopbench/koopbench/nn"
)

var runtime = nn.NewRuntime("cpu")

// features are those of a small sequence of images at a seed.
func features(t *testing.T, seed int64, options map[string]any) (core.Embedding, *mat.Dense, core.Snapshots) {
	e := randomnetwork.Features(runtime, nil)
	tr, err := synthetic.Training(e.Describe(), 60, 8, 4, seed, options)
	require.NoError(t, err)
	fitted, err := e.Fit(t.Context(), tr)
	require.NoError(t, err)
	z, err := fitted.Embed(t.Context(), tr.Validation.At(0))
	require.NoError(t, err)
	return fitted, z, tr.Validation.At(0)
}

// TestSeeds: features are those of the seed, to the bit, as many as are asked for, and loaded again.
func TestSeeds(t *testing.T) {
	fitted, first, x := features(t, 1, nil)
	assert.Equal(t, 300, fitted.Dim())
	assert.Positive(t, core.ReportOf(fitted).Parameters)
	_, again, _ := features(t, 1, nil)
	assert.True(t, mat.Equal(first, again))
	_, other, _ := features(t, 2, nil)
	assert.False(t, mat.EqualApprox(first, other, 0.01))
	few, _, _ := features(t, 1, map[string]any{"features": 7})
	assert.Equal(t, 7, few.Dim())

	saver, ok := core.As[core.Saver](fitted)
	require.True(t, ok)
	state, err := saver.Save(t.Context())
	require.NoError(t, err)
	loader, ok := core.As[core.EmbeddingLoader](randomnetwork.Features(runtime, nil))
	require.True(t, ok)
	loaded, err := loader.Load(t.Context(), &core.Saved{State: *state})
	require.NoError(t, err)
	z, err := loaded.Embed(t.Context(), x)
	require.NoError(t, err)
	assert.True(t, mat.Equal(first, z))
	delete(state.Arrays, "encoder/linear/weights")
	_, err = loader.Load(t.Context(), &core.Saved{State: *state})
	assert.Error(t, err, "nothing is drawn where it is to be loaded")
}

func ExampleNew() {
	fmt.Println(randomnetwork.New(runtime, nil).Describe().Summary)
	// Output: ridge regression on many features of a network that is not trained
}
