package methods_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

// TestDeadEncoders: where all snapshots are alike, so are their features; the fit succeeds and says so.
func TestDeadEncoders(t *testing.T) {
	x, err := core.NewSnapshots(make([]float32, 40*64), 8, 8)
	require.NoError(t, err)
	for _, name := range []string{"vamp", "contrastive"} {
		m := builtins()[name]
		options, err := m.Describe().Resolve(map[string]any{"epochs": 2})
		require.NoError(t, err)
		model, err := m.Fit(t.Context(), &core.Training{
			Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x),
			Lag: 1, States: 3, Options: options, Name: name, Progress: core.NoProgress,
		})
		require.NoError(t, err, name)
		report := core.ReportOf(model)
		assert.Contains(t, report.Untrained, "rank 1", name)
		warnings := strings.Join(report.Warnings, "\n")
		assert.Contains(t, warnings, "the same for all training snapshots", name)
		if name == "vamp" {
			assert.Contains(t, warnings, "degenerate on 2 of 2 training batches")
		}
		predicted, err := model.Predict(t.Context(), x)
		require.NoError(t, err)
		require.NoError(t, predicted.CheckFinite())
	}
}
