package check_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/conformance/internal/broken"
)

// hangs is a time that nothing takes which does not hang, on a busy machine too. Things that hang
// are checked with less.
const hangs = 5 * time.Minute

// quick are options under which the things of package broken are checked in milliseconds.
func quick() *check.Options {
	return &check.Options{Shape: []int{4, 4}, Snapshots: 60, Epochs: 10, Timeout: hangs, Grace: hangs}
}

// impatient checks within little time, and within more where another check than that one finds it
// too short, as on a busy machine.
func impatient(name string, checks func(limit time.Duration) check.Report) check.Report {
	for limit := 250 * time.Millisecond; ; limit *= 4 {
		report := checks(limit)
		if limit > hangs || !slices.ContainsFunc(report.With(check.Fail), func(r check.Result) bool {
			return r.Check != name && strings.Contains(r.Found, limit.String())
		}) {
			return report
		}
	}
}

// run checks a thing of any kind.
func run(ctx context.Context, kind check.Kind, thing any, o *check.Options) check.Report {
	if kind == check.KindPlugin {
		p, _ := thing.(check.Program)
		return check.Plugin(ctx, p, o)
	}
	return check.NewOf(kind, thing, o).RunAll(ctx)
}

func explain(results []check.Result) string {
	var text []string
	for _, r := range results {
		text = append(text, r.Check+"\n"+r.Explanation())
	}
	return strings.Join(text, "\n")
}

// TestCorrectThingsPass: nothing fails or is blocked, and only what is not declared is skipped.
func TestCorrectThingsPass(t *testing.T) {
	for kind, thing := range broken.Correct() {
		t.Run(kind, func(t *testing.T) {
			o := quick()
			o.Reference = thing
			report := run(t.Context(), check.Kind(kind), thing, o)
			assert.True(t, report.OK())
			assert.Empty(t, explain(report.With(check.Fail)))
			assert.Empty(t, report.With(check.Blocked))
			for _, skipped := range report.With(check.Skip) {
				assert.Equal(t, []string{"oracle", "seeds"}, []string{kind, skipped.Check}, "the correct oracle draws nothing")
			}
			assert.NotEmpty(t, report.Name)
		})
	}
}

// TestRefusedTrajectoriesAreNoFailure: who says that it takes one trajectory only learns no false pairs.
func TestRefusedTrajectoriesAreNoFailure(t *testing.T) {
	for kind, thing := range broken.Refusing() {
		report := run(t.Context(), check.Kind(kind), thing, quick())
		assert.Empty(t, explain(report.With(check.Fail)), kind)
		for _, r := range report.Results {
			if r.Check == "trajectories" {
				assert.Equal(t, check.Skip, r.Status, kind)
				assert.Contains(t, r.Reason, "it refuses these trajectories")
				assert.Contains(t, r.Reason, "one trajectory only")
			}
		}
	}
}

// TestLossInFloat32Passes: the rounding of float32 is no order, and no difference between matrices.
func TestLossInFloat32Passes(t *testing.T) {
	report := check.Loss(t.Context(), broken.SingleLoss(), quick())
	assert.Empty(t, explain(report.With(check.Fail)))
	assert.True(t, report.OK())
	for _, r := range report.Results {
		if r.Check == "row-order" {
			assert.Contains(t, r.Notes, "the order changes value and gradients by no more than the rounding of float32")
		}
	}
}

// TestCorrectProgramPasses: nothing fails, nothing is skipped.
func TestCorrectProgramPasses(t *testing.T) {
	report := check.Plugin(t.Context(), broken.CorrectProgram(), quick())
	assert.Empty(t, explain(report.With(check.Fail)))
	assert.Len(t, report.With(check.Pass), len(report.Results))
	assert.Equal(t, "reference-plugin", report.Name)
}

// TestEachCheckFailsForWhatBreaksIt, and for nothing else: a thing that breaks one rule fails the
// check of that rule alone, and there is such a thing for every check.
func TestEachCheckFailsForWhatBreaksIt(t *testing.T) {
	shown := map[string]bool{}
	for _, c := range broken.Cases() {
		shown[c.Kind+" "+c.Check] = true
		t.Run(c.Kind+"/"+c.Check+"/"+c.How, func(t *testing.T) {
			t.Parallel() // much of it is waiting
			o := quick()
			o.Reference = c.Reference
			checks := func(grace time.Duration) check.Report {
				o.Grace = grace
				return run(t.Context(), check.Kind(c.Kind), c.Thing, o)
			}
			var report check.Report
			if strings.HasPrefix(c.Check, "cancelled") || strings.HasPrefix(c.Check, "ends-") {
				report = impatient(c.Check, checks)
			} else {
				report = checks(hangs)
			}
			assert.False(t, report.OK())
			var failed []string
			for _, r := range report.With(check.Fail) {
				failed = append(failed, r.Check)
				assert.NotEmpty(t, r.Found)
				assert.NotEmpty(t, r.Remedy)
			}
			assert.Equal(t, []string{c.Check}, failed, explain(report.With(check.Fail)))
			for _, r := range report.With(check.Blocked) {
				assert.Equal(t, c.Check, r.BlockedBy)
			}
		})
	}
	var missing []string
	for _, e := range check.Catalogue() {
		if name := string(e.Kind) + " " + e.Check; !shown[name] {
			missing = append(missing, name)
		}
		delete(shown, string(e.Kind)+" "+e.Check)
	}
	slices.Sort(missing)
	require.Empty(t, missing, "checks that nothing was shown to fail")
	require.Empty(t, shown, "no such checks")
}
