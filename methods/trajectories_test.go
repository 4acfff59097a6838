package methods_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/autoencoder"
	"github.com/koopbench/koopbench/methods/consistent"
	"github.com/koopbench/koopbench/methods/contrastive"
	"github.com/koopbench/koopbench/methods/vamp"
)

// windows are trajectories of n snapshots, begun one after the other: those of one pair each at a
// lag of n-1, and of one triple each at half of it, and pairs and triples are those of x.
func windows(t *testing.T, x core.Trajectories, n int) core.Trajectories {
	var parts []core.Snapshots
	for i := range x.Len() - n + 1 {
		parts = append(parts, x.At(0).Slice(i, i+n))
	}
	cut, err := core.NewTrajectories(parts...)
	require.NoError(t, err)
	return cut
}

// TestNoPairCrossesAnEnd: trajectories that have the pairs of a sequence, in their order, train the
// same encoder to the bit, by the same losses, and give the operator of that sequence.
func TestNoPairCrossesAnEnd(t *testing.T) {
	task := newTask(t)
	for _, m := range []core.Method{
		autoencoder.New(testRuntime, &autoencoder.Options{Network: small}),
		consistent.New(testRuntime, &consistent.Options{Network: small}),
		contrastive.New(testRuntime, &contrastive.Options{Network: small}),
		vamp.New(testRuntime, &vamp.Options{Network: small}),
	} {
		for _, lag := range []int{1, 2, 5} {
			t.Run(fmt.Sprint(m.Describe().Name, lag), func(t *testing.T) {
				tr := task.training(m.Describe(), 1, map[string]any{"epochs": 3, "batch_size": 16, "lr": 0.01})
				tr.Lag, tr.TrainLabels, tr.ValidationLabels = lag, nil, nil
				whole, err := m.Fit(t.Context(), tr)
				require.NoError(t, err)
				x := tr.Validation.At(0)
				n := lag + 1
				if m.Describe().Name == "consistent" { // which learns from triples
					n += lag
				}
				tr.Train, tr.Validation = windows(t, tr.Train, n), windows(t, tr.Validation, n)
				cut, err := m.Fit(t.Context(), tr)
				require.NoError(t, err)
				assert.Equal(t, core.ReportOf(whole).History, core.ReportOf(cut).History)
				want, err := whole.Predict(t.Context(), x)
				require.NoError(t, err)
				got, err := cut.Predict(t.Context(), x)
				require.NoError(t, err)
				assert.True(t, mat.EqualApprox(want.Matrix(), got.Matrix(), 1e-4))
			})
		}
	}
}
