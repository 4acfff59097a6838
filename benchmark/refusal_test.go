package benchmark_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
)

// refusing is a method that says before a fit that it cannot use its options.
type refusing struct {
	*method
	err error
}

func (r refusing) Check(*core.Training) error { return r.err }

// TestRefusedBeforeAnythingIsTrained: options that methods refuse end the command with all reasons,
// and nothing is written or trained; other errors are those of their runs.
func TestRefusedBeforeAnythingIsTrained(t *testing.T) {
	out, judge, inner := filepath.Join(t.TempDir(), "out"), &oracle{}, perfect()
	p := plan(t, out, judge, inner, perfect(), perfect())
	why := fmt.Errorf("%w: rank=9 with 5 features; give at most 5", core.ErrOption)
	p.Entries[0].Method = core.Guard(refusing{inner, why}).(core.Method)
	p.Entries[1].Method = refusing{inner, fmt.Errorf("%w: centres=8 for 4 snapshots; give at most 4", core.ErrOption)}
	p.Entries[1].Written, p.Entries[2].Written = "second", "third"
	_, err := benchmark.Run(t.Context(), p)
	require.ErrorIs(t, err, core.ErrOption)
	assert.EqualError(t, err, "perfect: invalid option: rank=9 with 5 features; give at most 5; "+
		"second: invalid option: centres=8 for 4 snapshots; give at most 4")
	assert.Zero(t, judge.fits.Load()+inner.fits.Load())
	_, err = os.Stat(out)
	assert.ErrorIs(t, err, os.ErrNotExist)

	p = plan(t, out, judge, inner)
	p.Entries[0].Method = refusing{inner, fmt.Errorf("%w: it takes images", core.ErrShape)}
	require.NoError(t, p.Check())
	_, err = benchmark.Run(t.Context(), p)
	require.NoError(t, err, "what else a method refuses is a matter of its run")
}
