package benchmark

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/koopbench/koopbench/benchmark/results"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestUnwritableResultsBecomeInvalid: the last line of defence behind the rules for what methods
// return.
func TestUnwritableResultsBecomeInvalid(t *testing.T) {
	nan := math.NaN()
	for name, spoil := range map[string]func(*results.Run){
		"fit seconds":     func(r *results.Run) { r.FitSeconds = nan },
		"compile seconds": func(r *results.Run) { r.CompileSeconds = math.Inf(1) },
		"scores":          func(r *results.Run) { r.Evaluations = []results.Evaluation{{Score: []float64{1, nan}}} },
		"eigenvalues":     func(r *results.Run) { r.Eigenvalues = []results.Complex{results.Complex(complex(0, nan))} },
		"cpu seconds":     func(r *results.Run) { r.CPUSeconds = &nan },
	} {
		blank := results.Run{Key: "k", Method: "m", Seed: 3, Options: map[string]any{"a": 1}, Warnings: []string{},
			Ranked: &results.Evaluation{}}
		result := blank
		result.Status, result.Trained, result.Rank = results.StatusOK, true, 7
		require.True(t, ensureWritable(&result, &blank))
		assert.Equal(t, results.StatusOK, result.Status)
		spoil(&result)
		require.False(t, ensureWritable(&result, &blank), name)
		assert.Equal(t, results.StatusInvalid, result.Status)
		assert.Contains(t, result.Reason, "contract broken: its result cannot be written: json: ")
		assert.False(t, result.Trained)
		assert.Equal(t, int64(3), result.Seed)
		_, err := json.Marshal(result)
		assert.NoError(t, err)
	}
}
