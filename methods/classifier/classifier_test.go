package classifier_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/synthetic"
	"github.com/koopbench/koopbench/methods/classifier"
)

// encoder stands for the oracle's: the first values of the snapshot, and a report of its own training.
type encoder struct{}

func (encoder) Dim() int { return 20 }

func (encoder) Embed(_ context.Context, x core.Snapshots) (*mat.Dense, error) {
	z := mat.NewDense(x.Len(), 20, nil)
	z.Copy(x.Matrix())
	return z, nil
}

func (encoder) Report() core.Report {
	return core.Report{Untrained: "no", Warnings: []string{"weak"}, Parameters: 7, CompileSeconds: 9,
		History: []core.Epoch{{Number: 1}}}
}

func TestClassifierUsesTheOraclesEncoder(t *testing.T) {
	m := classifier.New()
	d := m.Describe()
	assert.Equal(t, core.OracleExposed, d.Exposure)
	tr, err := synthetic.Training(d, 80, 8, 3, 1, nil)
	require.NoError(t, err)
	_, err = m.Fit(t.Context(), tr)
	require.ErrorIs(t, err, core.ErrUnavailable)
	assert.ErrorContains(t, err, "oracle")

	tr.OracleEmbedding = encoder{}
	model, err := m.Fit(t.Context(), tr)
	require.NoError(t, err)
	report := core.ReportOf(model)
	assert.Equal(t, 3, report.Rank)
	assert.Empty(t, report.Untrained, "the report of the oracle's training is not the method's")
	assert.Empty(t, report.Warnings)
	assert.Empty(t, report.History)
	assert.Zero(t, report.Parameters)
	assert.Zero(t, report.CompileSeconds)
}
