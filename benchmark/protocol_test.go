package benchmark_test

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// farsighted is a method whose models have another answer ahead than step by step: each step ahead
// moves the state on by leap.
type farsighted struct {
	*method
	leap     int
	seen     *[]core.Snapshots
	forecast func(ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error) // nil for one that leaps
}

func (f farsighted) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	m, err := f.method.Fit(ctx, t)
	return forecaster{m.(model), f}, err
}

type forecaster struct {
	model
	f farsighted
}

func (m forecaster) Forecast(ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error) {
	if m.f.seen != nil {
		*m.f.seen = append(*m.f.seen, x)
	}
	if m.f.forecast != nil {
		return m.f.forecast(ctx, x, steps)
	}
	return moved(m.f.leap*steps)(ctx, x)
}

func powers(t *testing.T, dir string, methods ...core.Method) benchmark.Plan {
	p := plan(t, dir, &oracle{})
	p.Protocol = results.ProtocolPowers
	for _, m := range methods {
		p.Entries = append(p.Entries, benchmark.Entry{Written: m.Describe().Name, Method: m,
			Options: defaults(t, m.Describe())})
	}
	p.Seeds = p.Seeds[:1]
	return p
}

// TestPowersLookAheadFromTheTestSnapshots: every step starts from the test snapshots, and none from a prediction.
func TestPowersLookAheadFromTheTestSnapshots(t *testing.T) {
	dir := t.TempDir()
	var seen []core.Snapshots
	right := farsighted{method: perfect(), leap: 1, seen: &seen}
	wrong := farsighted{method: &method{name: "leaper", predict: moved(1)}, leap: 2}
	p := powers(t, dir, right, wrong, perfectNamed("nearsighted"))
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, got.Runs, 3)
	assert.Equal(t, results.ProtocolPowers, got.Protocol)
	assert.Equal(t, []float64{1, 1, 1, 1}, got.Runs[0].Ranked.Score)
	assert.Equal(t, []float64{0, 0, 1, 0}, got.Runs[1].Ranked.Score, "its forecasts are judged, not its predictions")
	whole := 0
	for _, x := range seen {
		if x.Len() == p.Task.Test.Len() {
			whole++
			assert.ElementsMatch(t, p.Task.Test.At(0).Floats(), x.Floats(), "in another order")
		}
	}
	assert.Equal(t, 4, whole)
	assert.Equal(t, results.StatusSkipped, got.Runs[2].Status)
	assert.Contains(t, got.Runs[2].Reason, `the protocol "powers" needs one that predicts several steps ahead`)
	assert.Empty(t, got.Runs[2].Ranked.Score)

	text, err := os.Open(filepath.Join(dir, "results.csv"))
	require.NoError(t, err)
	defer text.Close()
	rows, err := csv.NewReader(text).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+8+8+5)
	column := slices.Index(rows[0], "protocol")
	for i, row := range rows[1:] {
		want := results.ProtocolReencode
		if i%8 >= 4 {
			want = results.ProtocolPowers
		}
		assert.Equal(t, want, row[column])
	}
}

func perfectNamed(name string) *method {
	m := perfect()
	m.name = name
	return m
}

// TestOneFitServesBothProtocols: another protocol ranks the same runs, which are not made again.
func TestOneFitServesBothProtocols(t *testing.T) {
	dir := t.TempDir()
	m := farsighted{method: perfect(), leap: 2}
	p := powers(t, dir, m)
	first, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	p.Protocol = ""
	second, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.EqualValues(t, 1, m.fits.Load())
	assert.Equal(t, first.Runs[0].Key, second.Runs[0].Key)
	assert.Equal(t, first.Runs[0].Evaluations, second.Runs[0].Evaluations)
	assert.Equal(t, []float64{0, 0, 1, 0}, first.Runs[0].Ranked.Score)
	assert.Equal(t, []float64{1, 1, 1, 1}, second.Runs[0].Ranked.Score)
	assert.Equal(t, first.Runs[0].Evaluation(results.ProtocolPowers).PredictionSHA256, first.Runs[0].PredictionSHA256)
	assert.Equal(t, first.Runs[0].Evaluation(results.ProtocolReencode).PredictionSHA256, second.Runs[0].PredictionSHA256)
	read, err := results.OpenStore(dir).Results()
	require.NoError(t, err)
	assert.Equal(t, asJSON(t, second), asJSON(t, read))
}

func TestPowersFailures(t *testing.T) {
	for name, c := range map[string]struct {
		forecast func(ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error)
		status   results.Status
		says     string
	}{
		"too few": {func(_ context.Context, x core.Snapshots, _ int) (core.Snapshots, error) {
			return x.Slice(1, x.Len()), nil
		},
			results.StatusInvalid, "contract broken: it returned "},
		"panic at a later step": {func(_ context.Context, x core.Snapshots, steps int) (core.Snapshots, error) {
			if steps == 3 {
				panic("no farther")
			}
			return x, nil
		}, results.StatusCrashed, "internal failure: no farther"},
		"changes input": {func(_ context.Context, x core.Snapshots, _ int) (core.Snapshots, error) {
			y, err := core.NewSnapshots(append([]float32{}, x.Floats()...), x.Shape()...)
			x.Floats()[0]++
			return y, err
		}, results.StatusInvalid, "it changed the snapshots"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := benchmark.Run(t.Context(), powers(t, t.TempDir(), farsighted{method: perfect(), forecast: c.forecast}))
			require.NoError(t, err)
			assert.Equal(t, c.status, got.Runs[0].Status)
			assert.Contains(t, got.Runs[0].Reason, c.says)
			other := got.Runs[0].Evaluation(results.ProtocolReencode)
			assert.Equal(t, results.StatusOK, other.Status, "one protocol leaves the other as it is")
			assert.Equal(t, []float64{1, 1, 1, 1}, other.Score)
		})
	}
}

func TestUnknownProtocol(t *testing.T) {
	p := powers(t, t.TempDir(), perfect())
	p.Protocol = "power"
	_, err := benchmark.Run(t.Context(), p)
	require.ErrorIs(t, err, core.ErrOption)
	assert.ErrorContains(t, err, `there is no protocol "power"; did you mean "powers"?`)
}
