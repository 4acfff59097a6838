package methods_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/lorenz"
	"github.com/koopbench/koopbench/methods/autoencoder"
	"github.com/koopbench/koopbench/methods/consistent"
	"github.com/koopbench/koopbench/methods/contrastive"
	"github.com/koopbench/koopbench/methods/vamp"
	"github.com/koopbench/koopbench/nn"
)

// tenth returns the trajectories with values a tenth as large, which are then of the order of 1.
func tenth(t *testing.T, x core.Trajectories) core.Trajectories {
	var parts []core.Snapshots
	for _, part := range x.All() {
		m := part.Matrix()
		m.Scale(.1, m)
		scaled, err := core.SnapshotsFromMatrix(m, x.Shape()...)
		require.NoError(t, err)
		parts = append(parts, scaled)
	}
	scaled, err := core.NewTrajectories(parts...)
	require.NoError(t, err)
	return scaled
}

// vectors is training data of three numbers in two trajectories.
func vectors(t *testing.T, d core.Description, given map[string]any) *core.Training {
	options, err := lorenz.Task{}.Describe().Resolve(nil)
	require.NoError(t, err)
	p, err := lorenz.Task{}.Open(t.Context(), options)
	require.NoError(t, err)
	options, err = d.Resolve(given)
	require.NoError(t, err)
	return &core.Training{
		Train: tenth(t, p.Train), Validation: tenth(t, p.Validation), Lag: 1, States: 6, Options: options, Seed: 3,
		Name: d.Name, Progress: core.NoProgress,
	}
}

// onVectors are the neural methods as they are registered, but for the network.
func onVectors(network nn.Autoencoder) []core.Method {
	return []core.Method{
		vamp.New(testRuntime, &vamp.Options{Network: network}),
		contrastive.New(testRuntime, &contrastive.Options{Network: network}),
		autoencoder.New(testRuntime, &autoencoder.Options{Network: network}),
		consistent.New(testRuntime, &consistent.Options{Network: network}),
	}
}

// deviation is how far the rows are from their mean, in the norm of Frobenius.
func deviation(x *mat.Dense) float64 {
	n, d := x.Dims()
	sum := 0.0
	for j := range d {
		_, s := stat.PopMeanStdDev(mat.Col(nil, j, x), nil)
		sum += float64(n) * s * s
	}
	return math.Sqrt(sum)
}

// TestVectors: neural methods learn the flow of Lorenz, and their models are loaded to the same
// bits, whatever the width is by default.
func TestVectors(t *testing.T) {
	for i, m := range onVectors(nn.Reference{}) {
		d := m.Describe()
		t.Run(d.Name, func(t *testing.T) {
			tr := vectors(t, d, map[string]any{"width": 24, "batch_size": 32, "epochs": 60})
			fitted, err := m.Fit(t.Context(), tr)
			require.NoError(t, err)
			want := 3*24 + 24 + 24*24 + 24 + 24*6 + 6 + 6*6
			decoder := 6*24 + 24 + 24*24 + 24 + 24*3 + 3
			switch d.Name {
			case "autoencoder":
				want += decoder
			case "consistent":
				want += decoder + 6*6
			}
			assert.Equal(t, want, core.ReportOf(fitted).Parameters)

			x := tr.Validation.At(0)
			n := x.Len() - 1
			predicted, err := fitted.Predict(t.Context(), x.Slice(0, n))
			require.NoError(t, err)
			assert.Equal(t, []int{3}, predicted.Shape())
			var wrong mat.Dense
			future := x.Slice(1, n+1).Matrix()
			wrong.Sub(predicted.Matrix(), future)
			assert.Less(t, mat.Norm(&wrong, 2), .5*deviation(future), "half of what the mean is off")

			s := throughAFile(t, fitted)
			kept := []byte(`"encoder":{"type":"nn.MLP","fields":{"Width":24}}`)
			require.Contains(t, string(s.Facts), string(kept))
			load := func(facts []byte) (core.Model, error) {
				loader := onVectors(nn.Reference{Width: 9})[i].(core.ModelLoader)
				return loader.Load(t.Context(), &core.Saved{State: core.State{Facts: facts, Arrays: s.Arrays}})
			}
			loaded, err := load(s.Facts)
			require.NoError(t, err)
			again, err := loaded.Predict(t.Context(), x.Slice(0, n))
			require.NoError(t, err)
			assert.Equal(t, predicted.Floats(), again.Floats())
			assert.Equal(t, s, throughAFile(t, loaded))

			for width, want := range map[string]error{
				"25": core.ErrShape, "16384": core.ErrShape, "0": core.ErrOption, "9223372036854775807": core.ErrOption,
				"null": core.ErrOption, `"24"`: core.ErrShape,
			} {
				_, err := load(bytes.Replace(s.Facts, kept, bytes.Replace(kept, []byte("24"), []byte(width), 1), 1))
				require.ErrorIs(t, err, want, width)
				require.NotErrorIs(t, err, core.ErrPanic, width)
			}
			for _, shape := range []string{"4", "2097152", "2147483648", "9223372036854775807,2", "8,8", "3,1,1,1", "0", ""} {
				_, err := load(bytes.ReplaceAll(s.Facts, []byte(`"shape":[3]`), fmt.Appendf(nil, `"shape":[%s]`, shape)))
				require.ErrorIs(t, err, core.ErrShape, shape)
				require.NotErrorIs(t, err, core.ErrPanic, shape)
			}
		})
	}
}
