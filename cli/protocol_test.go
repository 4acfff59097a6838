package cli

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// farsighted is the template method with models that look ahead: by three classes a step.
type farsighted struct{ *template }

func (f farsighted) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	m, err := f.template.Fit(ctx, t)
	if err != nil {
		return nil, err
	}
	return looking{m.(*templates)}, nil
}

type looking struct{ *templates }

func (l looking) Forecast(ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error) {
	far := *l.templates
	far.next = 3 * steps
	return far.Predict(ctx, x)
}

// TestProtocolPowers: the table names the protocol, methods that look one step ahead are left out
// with the reason, and the same command with the other protocol ranks the same runs by that.
func TestProtocolPowers(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	fakes := newFakes()
	fakes.extra = []core.Method{farsighted{&template{fakes, "farsighted"}}}
	got := call(
		t.Context(),
		fakes.config(),
		tiny(data, out, "--methods", "farsighted,template", "--protocol", "powers")...)
	require.Zero(t, got.status, got.stderr)
	assert.Contains(t, got.stdout, "t steps ahead, protocol powers\n")
	assert.Contains(t, got.stdout, "template, seed 42: skipped: its model predicts one step at a time")
	r := resultsIn(t, out)
	assert.Equal(t, results.ProtocolPowers, r.Protocol)
	assert.Equal(t, []float64{0, 1, 0}, r.Runs[0].Ranked.Score, "3, 6 and 9 classes on, of 4")
	assert.Equal(t, results.StatusSkipped, r.Runs[1].Status)

	again := call(t.Context(), fakes.config(), "verify", out, "--data", data)
	assert.Zero(t, again.status, again.stderr)
	assert.Contains(t, again.stdout, "farsighted, seed 42: the same predictions at all steps, by reencode and powers\n",
		again.stderr)
	assert.Contains(t, again.stdout, "template, seed 42: the same predictions at all steps, by reencode\n")

	got = call(t.Context(), fakes.config(), tiny(data, out, "--methods", "farsighted,template")...)
	require.Zero(t, got.status, got.stderr)
	assert.Equal(t, 2, strings.Count(got.stderr, "already finished"), got.stderr)
	assert.Equal(t, []float64{1, 1, 1}, resultsIn(t, out).Runs[0].Ranked.Score)
}
