package benchmark

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestUnwritableResultsBecomeInvalid: the last line of defence behind the rules for what methods
// return.
func TestUnwritableResultsBecomeInvalid(t *testing.T) {
	nan := math.NaN()
	for name, spoil := range map[string]func(*RunResult){
		"fit seconds":     func(r *RunResult) { r.FitSeconds = nan },
		"compile seconds": func(r *RunResult) { r.CompileSeconds = math.Inf(1) },
		"scores":          func(r *RunResult) { r.Evaluations = []Evaluation{{Score: []float64{1, nan}}} },
		"eigenvalues":     func(r *RunResult) { r.Eigenvalues = []Complex{Complex(complex(0, nan))} },
		"cpu seconds":     func(r *RunResult) { r.CPUSeconds = &nan },
	} {
		blank := RunResult{Key: "k", Method: "m", Seed: 3, Options: map[string]any{"a": 1}, Warnings: []string{}, Ranked: &Evaluation{}}
		result := blank
		result.Status, result.Trained, result.Rank = StatusOK, true, 7
		require.True(t, ensureWritable(&result, &blank))
		assert.Equal(t, StatusOK, result.Status)
		spoil(&result)
		require.False(t, ensureWritable(&result, &blank), name)
		assert.Equal(t, StatusInvalid, result.Status)
		assert.Contains(t, result.Reason, "contract broken: its result cannot be written: json: ")
		assert.False(t, result.Trained)
		assert.Equal(t, int64(3), result.Seed)
		_, err := json.Marshal(result)
		assert.NoError(t, err)
	}
}
