package benchmark_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/statefile"
)

// counting is a method whose fit counts to ten, storing how far it is, and ends after so many
// counts as if it were killed.
type counting struct {
	*method
	until   int
	stop    func()
	counted []int // by each fit
	took    time.Duration
	due     []bool // what it was told
}

func newCounting() *counting {
	c := &counting{method: perfect(), until: 10}
	c.fit = func(ctx context.Context, t *core.Training) error {
		n := 0
		if s := t.Checkpoints.Load("count"); s != nil {
			values, _, err := core.StateValues[int64](s, "n", 1)
			if err != nil {
				return err
			}
			n = int(values[0])
		}
		c.counted = append(c.counted, 0)
		for ; n < 10; n++ {
			if n == c.until {
				c.stop()
				return ctx.Err()
			}
			time.Sleep(c.took)
			c.counted[len(c.counted)-1]++
			c.due = append(c.due, t.Checkpoints.Due())
			t.Checkpoints.Store("count",
				&core.State{Arrays: map[string]core.Array{"n": {Shape: []int{1}, Values: []int64{int64(n + 1)}}}})
		}
		return nil
	}
	return c
}

// runCounting runs the method at one seed.
func runCounting(t *testing.T, dir string, c *counting, change func(*benchmark.Plan)) (*results.Results, error) {
	p := plan(t, dir, &oracle{}, c.method)
	p.Seeds, p.CheckpointEvery = []int64{1}, time.Nanosecond
	if change != nil {
		change(&p)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.stop = cancel
	return benchmark.Run(ctx, p)
}

func checkpointFiles(t *testing.T, dir string) []string {
	files, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*"))
	require.NoError(t, err)
	return files
}

// TestContinuedRun: a fit that is stopped continues where it was, and leaves nothing when it has finished.
func TestContinuedRun(t *testing.T) {
	dir, c := t.TempDir(), newCounting()
	c.until, c.took = 4, 5*time.Millisecond
	_, err := runCounting(t, dir, c, nil)
	require.ErrorIs(t, err, context.Canceled)
	files := checkpointFiles(t, dir)
	require.Len(t, files, 1)
	assert.Regexp(t, `perfect-s1-[0-9a-f]{16}-count\.npz$`, files[0])
	leaveHalf(t, filepath.Join(dir, "checkpoints"))

	c.until = 10
	r, err := runCounting(t, dir, c, nil)
	require.NoError(t, err)
	assert.Equal(t, []int{4, 6}, c.counted)
	assert.True(t, c.due[0])
	run := r.Runs[0]
	assert.Equal(t, results.StatusOK, run.Status)
	assert.Equal(t, []string{"careful"}, run.Warnings)
	assert.GreaterOrEqual(t, run.ResumedSeconds, 0.02)
	assert.GreaterOrEqual(t, run.FitSeconds, run.ResumedSeconds+0.03)
	assert.NoDirExists(t, filepath.Join(dir, "checkpoints"), "a run that has finished needs no checkpoint")
}

// TestUselessCheckpoints: what is torn, changed, or of another run is left aside, with a warning, and not trusted.
func TestUselessCheckpoints(t *testing.T) {
	dir, c := t.TempDir(), newCounting()
	c.until = 4
	_, err := runCounting(t, dir, c, nil)
	require.ErrorIs(t, err, context.Canceled)
	path := checkpointFiles(t, dir)[0]
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	key := strings.TrimSuffix(filepath.Base(path), "-count.npz")
	changed := append([]byte{}, whole...)
	changed[len(changed)/2] ^= 1
	other := t.TempDir()
	_, err = runCounting(t, other, c, func(p *benchmark.Plan) { p.Seeds[0] = 2 })
	require.ErrorIs(t, err, context.Canceled)
	foreign, err := os.ReadFile(checkpointFiles(t, other)[0])
	require.NoError(t, err)

	c.until = 10
	for name, content := range map[string][]byte{"torn": whole[:len(whole)/2], "changed": changed, "foreign": foreign,
		"empty": {}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.Mkdir(filepath.Join(dir, "checkpoints"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "checkpoints", key+"-count.npz"), content, 0o644))
			c.counted = nil
			r, err := runCounting(t, dir, c, nil)
			require.NoError(t, err)
			assert.Equal(t, []int{10}, c.counted)
			require.Len(t, r.Runs[0].Warnings, 2)
			assert.Contains(t, r.Runs[0].Warnings[1], "was not used")
			assert.Zero(t, r.Runs[0].ResumedSeconds)
			assert.NoDirExists(t, filepath.Join(dir, "checkpoints"))
		})
	}
}

// TestCheckpointsThatCannotBeStored do no harm but a warning.
func TestCheckpointsThatCannotBeStored(t *testing.T) {
	dir, c := t.TempDir(), newCounting()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "checkpoints"), nil, 0o644))
	r, err := runCounting(t, dir, c, nil)
	require.NoError(t, err)
	assert.Equal(t, results.StatusOK, r.Runs[0].Status)
	require.Greater(t, len(r.Runs[0].Warnings), 1)
	assert.Contains(t, r.Runs[0].Warnings[1], "a checkpoint was not stored")
}

// TestTimeoutCountsEarlierProcesses: a run that is interrupted has no more time than another. Its
// checkpoint says that an hour was spent, of the half that it has.
func TestTimeoutCountsEarlierProcesses(t *testing.T) {
	dir, c := t.TempDir(), newCounting()
	c.until = 4
	_, err := runCounting(t, dir, c, nil)
	require.ErrorIs(t, err, context.Canceled)
	path := checkpointFiles(t, dir)[0]
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	const format = "koopbench.checkpoint/1"
	header := map[string]any{}
	state, err := statefile.Decode(data, format, &header)
	require.NoError(t, err)
	require.Contains(t, header, "seconds")
	header["seconds"] = 3600
	data, err = statefile.Encode(format, header, state)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o644))
	c.until = 10
	r, err := runCounting(t, dir, c, func(p *benchmark.Plan) { p.Timeout = 30 * time.Minute })
	require.NoError(t, err)
	assert.Equal(t, results.StatusTimeout, r.Runs[0].Status)
	assert.NoDirExists(t, filepath.Join(dir, "checkpoints"), "it begins anew")
}

func TestNoCheckpoints(t *testing.T) {
	dir, c := t.TempDir(), newCounting()
	c.until = 4
	_, err := runCounting(t, dir, c, func(p *benchmark.Plan) { p.CheckpointEvery = -1 })
	require.ErrorIs(t, err, context.Canceled)
	assert.NoDirExists(t, filepath.Join(dir, "checkpoints"))
	assert.NotContains(t, c.due, true)
}

func TestDueByTheClock(t *testing.T) {
	c := newCounting()
	_, err := runCounting(t, t.TempDir(), c, func(p *benchmark.Plan) { p.CheckpointEvery = time.Hour })
	require.NoError(t, err)
	assert.NotContains(t, c.due, true)
}
