package oracle_test

import (
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	_ "github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/synthetic"
	"github.com/koopbench/koopbench/methods/oracle"
	"github.com/koopbench/koopbench/nn"
)

func newOracle() core.Oracle {
	return oracle.New(nn.NewRuntime("cpu"), &oracle.Options{Network: &nn.CNN{Channels: []int{4, 8}, Kernel: 3}})
}

func training(t *testing.T, o core.Oracle, seed int64, options map[string]any) *core.Training {
	tr, err := synthetic.Training(o.Describe(), 120, 8, 3, seed, options)
	require.NoError(t, err)
	return tr
}

var quick = map[string]any{"epochs": 15, "batch_size": 16, "lr": 0.01}

func TestOracleLearnsLabels(t *testing.T) {
	o := newOracle()
	d := o.Describe()
	require.NoError(t, d.Validate())
	assert.Equal(t, "cnn", d.Name)
	tr := training(t, o, 1, quick)
	judge, err := o.Fit(t.Context(), tr)
	require.NoError(t, err)
	labels, err := judge.Classify(t.Context(), tr.Validation.Snapshots())
	require.NoError(t, err)
	assert.Equal(t, tr.ValidationLabels, labels)

	report := core.ReportOf(judge)
	require.Len(t, report.History, 15)
	assert.InDelta(t, math.Log(3), report.History[0].Train, 0.5, "cross-entropy starts near that of guessing")
	assert.Less(t, report.History[14].Validation, 0.2)
	assert.Empty(t, report.Warnings)

	encoder, ok := core.As[core.Encoder](judge)
	require.True(t, ok)
	logits, err := encoder.Encoder().Embed(t.Context(), tr.Validation.Snapshots())
	require.NoError(t, err)
	assert.Equal(t, 3, encoder.Encoder().Dim())
	for i, label := range labels {
		for _, v := range logits.RawRowView(i) {
			assert.LessOrEqual(t, v, logits.At(i, label))
		}
	}
	// The reported validation loss is the mean over snapshots, not over batches.
	sum := 0.0
	for i, label := range labels {
		total := 0.0
		for _, v := range logits.RawRowView(i) {
			total += math.Exp(v)
		}
		sum += math.Log(total) - logits.At(i, label)
	}
	assert.InDelta(t, sum/float64(len(labels)), report.History[14].Validation, 1e-5)
}

func TestOracleIsReproducible(t *testing.T) {
	o := newOracle()
	logits := func(seed int64) []float64 {
		tr := training(t, o, seed, map[string]any{"epochs": 2})
		judge, err := o.Fit(t.Context(), tr)
		require.NoError(t, err)
		z, err := judge.(core.Encoder).Encoder().Embed(t.Context(), tr.Validation.Snapshots())
		require.NoError(t, err)
		return z.RawMatrix().Data
	}
	first := logits(1)
	assert.Equal(t, first, logits(1))
	assert.NotEqual(t, first, logits(2))
}

func TestOracleErrors(t *testing.T) {
	o := newOracle()
	tr := training(t, o, 1, nil)
	tr.TrainLabels = nil
	_, err := o.Fit(t.Context(), tr)
	require.ErrorIs(t, err, core.ErrShape)
	tr = training(t, o, 1, nil)
	tr.ValidationLabels[3] = 3
	_, err = o.Fit(t.Context(), tr)
	require.ErrorIs(t, err, core.ErrLabel)

	judge, err := o.Fit(t.Context(), training(t, o, 1, map[string]any{"epochs": 1}))
	require.NoError(t, err)
	other, _ := synthetic.Images(2, 12, 3, 1)
	_, err = judge.Classify(t.Context(), other)
	require.ErrorIs(t, err, core.ErrShape)
	values := make([]float32, 128)
	values[100] = float32(math.NaN())
	broken, err := core.NewSnapshots(values, 8, 8)
	require.NoError(t, err)
	_, err = judge.Classify(t.Context(), broken)
	require.ErrorIs(t, err, core.ErrNonFinite)
	assert.ErrorContains(t, err, "snapshot 1")
	labels, err := judge.Classify(t.Context(), core.Snapshots{})
	require.NoError(t, err)
	assert.Empty(t, labels)
}

func TestJudgeIsConcurrent(t *testing.T) {
	o := newOracle()
	tr := training(t, o, 1, quick)
	judge, err := o.Fit(t.Context(), tr)
	require.NoError(t, err)
	want, err := judge.Classify(t.Context(), tr.Train.Snapshots())
	require.NoError(t, err)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			labels, err := judge.Classify(t.Context(), tr.Train.Snapshots())
			assert.NoError(t, err)
			assert.Equal(t, want, labels)
		})
	}
	wait.Wait()
}
