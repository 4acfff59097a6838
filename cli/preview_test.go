package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDryRun: what is finished, what is missing and what would be made again is told, and nothing is
// written.
func TestDryRun(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "results")
	run := func(more ...string) output {
		return call(t.Context(), newFakes().config(), tiny(data, out, more...)...)
	}
	got := run("--methods", "template,other", "--seeds", "0..2", "--dry-run")
	require.Zero(t, got.status, got.stderr)
	assert.Equal(t, "METHOD    FINISHED  TO DO\ntemplate  –         seeds 0..2\nother     –         seeds 0..2\n\n"+
		"0 of 6 runs are finished in "+out+"; nothing was run\n", got.stdout)
	assert.NoDirExists(t, out)

	require.Zero(t, run("--methods", "template,other", "--seeds", "0..1").status)
	before := names(t, out)
	for want, more := range map[string][]string{
		"4 of 6 runs": {"--methods", "template,other", "--seeds", "0..2"},
		"template, seeds 0,1, would be made again: it was asked for": {"--methods", "template", "--seeds", "0..1",
			"--force", "t*"},
		"template, seeds 0,1, would be made again: a file of it is missing": {"--methods", "template,other", "--seeds",
			"0..1", "--save-predictions"},
		"would be made again: another seed of the oracle: 42 against 7": {"--methods", "template,other", "--seeds",
			"0..1", "--oracle-seed", "7"},
	} {
		got := run(append(more, "--dry-run")...)
		require.Zero(t, got.status, got.stderr)
		assert.Contains(t, got.stdout, want)
	}
	assert.Equal(t, before, names(t, out))
	got = run("--methods", "no-such", "--dry-run")
	assert.NotZero(t, got.status)
}

// TestForce: finished runs of the methods that are named are made again, others are not.
func TestForce(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "results")
	run := func(more ...string) output {
		return call(t.Context(), newFakes().config(), tiny(data, out, append(more, "--methods", "template,other")...)...)
	}
	require.Zero(t, run().status)
	times := func() (template, other int64) {
		for name, at := range map[string]*int64{"template": &template, "other": &other} {
			files, err := filepath.Glob(filepath.Join(out, "runs", name+"-s*.json"))
			require.NoError(t, err)
			require.Len(t, files, 1)
			info, err := os.Stat(files[0])
			require.NoError(t, err)
			*at = info.ModTime().UnixNano()
		}
		return template, other
	}
	template, other := times()
	require.Zero(t, run("--force", "template").status)
	again, same := times()
	assert.Greater(t, again, template)
	assert.Equal(t, other, same)

	got := run("--force", "tamplate")
	assert.NotZero(t, got.status)
	assert.Contains(t, got.stderr, `--force: there is no method of these runs "tamplate"; did you mean "template"?`)
}
