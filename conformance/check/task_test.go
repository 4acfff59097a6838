package check_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/conformance/internal/broken"
	"github.com/koopbench/koopbench/core"
)

// posed is a task whose problems, or whose errors, are changed.
type posed struct {
	core.Task
	change func(*core.Problem) error
}

func (p posed) Open(ctx context.Context, o core.Options) (*core.Problem, error) {
	problem, err := p.Task.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	return problem, p.change(problem)
}

// skipped are the reasons of the checks that were skipped.
func skipped(r check.Report) map[string]string {
	reasons := map[string]string{}
	for _, result := range r.With(check.Skip) {
		reasons[result.Check] = result.Reason
	}
	return reasons
}

// TestTasksWithoutSome: what a problem may lack is skipped, and nothing fails.
func TestTasksWithoutSome(t *testing.T) {
	const oracle = "the problem has states and no score: an oracle judges its predictions"
	const reference = "there is no Options.Reference to compare with"
	report := check.Task(t.Context(), broken.JudgedTask(), quick())
	assert.Empty(t, explain(report.With(check.Fail)))
	assert.Equal(t, map[string]string{
		"truth": "nothing is known of the true evolution operator", "same-outputs": reference, "score-fit": oracle,
		"score-length": oracle, "score-rows": oracle, "score-repeatable": oracle, "score-direction": oracle,
	}, skipped(report))

	report = check.Task(t.Context(), broken.ScoredTask(), quick())
	assert.Empty(t, explain(report.With(check.Fail)))
	assert.Equal(t, map[string]string{"expected-states": "the problem has no states", "same-outputs": reference},
		skipped(report))

	alone := posed{broken.ScoredTask(), func(p *core.Problem) (err error) {
		var parts []core.Snapshots
		for i := range p.Test.Len() {
			x, err := core.NewSnapshots([]float32{float32(i), 0}, 2)
			if err != nil {
				return err
			}
			parts = append(parts, x)
		}
		p.Test, err = core.NewTrajectories(parts...)
		return err
	}}
	report = check.Task(t.Context(), alone, quick())
	assert.Contains(t, skipped(report)["score-direction"], "no test trajectory goes on for a step after a start")
}

// TestGrowth: an eigenvalue outside the unit disc is a remark if there may be functions without bound.
func TestGrowth(t *testing.T) {
	growing := func(task core.Task) check.Result {
		return result(t, check.Task(t.Context(), posed{task, func(p *core.Problem) error {
			p.Truth.Eigenvalues, p.Truth.Eigenfunctions = []complex128{1.2, 1}, nil
			return nil
		}}, quick()), "truth")
	}
	r := growing(broken.ScoredTask())
	assert.Equal(t, check.Pass, r.Status)
	require.Len(t, r.Notes, 1)
	assert.Contains(t, r.Notes[0], "true eigenvalue 0 has the modulus 1.2")
	assert.Equal(t, check.Fail, growing(broken.Correct()["task"].(core.Task)).Status)
}

// TestEigenvaluesUpToRounding: the roots of unity are in no order of modulus but for rounding.
func TestEigenvaluesUpToRounding(t *testing.T) {
	task := posed{broken.Correct()["task"].(core.Task), func(p *core.Problem) error {
		p.Truth.Eigenvalues = []complex128{1 - 1e-16, 1 + 2.3e-16, 1i}
		p.Truth.Eigenfunctions = nil
		return nil
	}}
	assert.Equal(t, check.Pass, result(t, check.Task(t.Context(), task, quick()), "truth").Status)
}

// TestTasksElsewhere: what the other side of a connection finds wrong is explained as what is found here.
func TestTasksElsewhere(t *testing.T) {
	fails := func(task core.Task, name string) check.Result {
		report := check.Task(t.Context(), task, quick())
		require.Len(t, report.With(check.Fail), 1)
		return result(t, report, name)
	}
	invalid := find(t, "task", "valid").(core.Task)
	r := fails(posed{invalid, func(p *core.Problem) error { return p.Validate() }}, "open")
	assert.Contains(t, r.Found, "contract broken")
	assert.Contains(t, r.Remedy, "change what Open gives")

	outside := find(t, "task", "score-length").(core.Task)
	r = fails(posed{outside, func(p *core.Problem) error {
		p.Score = validated{p.Score, p.StartCount()}
		return nil
	}}, "score-length")
	assert.Contains(t, r.Found, "contract broken: 17 scores for 18")
	assert.Contains(t, r.Remedy, "a finite number within the bounds")
}

// validated is a score whose numbers are checked on the way.
type validated struct {
	core.Score
	starts int
}

func (v validated) Fit(ctx context.Context, t *core.Training) (core.Scorer, error) {
	scorer, err := v.Score.Fit(ctx, t)
	return validatedScorer{scorer, v.starts}, err
}

type validatedScorer struct {
	core.Scorer
	starts int
}

func (v validatedScorer) Score(ctx context.Context, step int, predicted core.Snapshots) ([]float64, error) {
	scores, err := v.Scorer.Score(ctx, step, predicted)
	if err == nil && len(scores) != v.starts {
		err = fmt.Errorf("%w: %d scores for %d", core.ErrContract, len(scores), v.starts)
	}
	return scores, err
}

// TestTaskOptions: the least and largest numbers, choices and texts are tried, and refusals told.
func TestTaskOptions(t *testing.T) {
	tried := map[string]bool{}
	task := opening{broken.Correct()["task"].(core.Task), func(o core.Options) {
		for name, value := range o.Map() {
			tried[fmt.Sprintf("%s=%v", name, value)] = true
		}
	}}
	o := quick()
	o.Only = []string{"options"}
	report := check.Task(t.Context(), task, o)
	assert.Empty(t, explain(report.With(check.Fail)))
	for _, want := range []string{
		"law=uniform", "steps=1", "steps=5", "lag=3", "split=", fmt.Sprint("data_seed=", math.MinInt),
		fmt.Sprint("data_seed=", math.MaxInt),
	} {
		assert.True(t, tried[want], want)
	}
	assert.Contains(t, result(t, report, "options").Notes, `split= is refused: invalid option: a split of ""`)
}

// opening is a task whose options are looked at.
type opening struct {
	core.Task
	look func(core.Options)
}

func (o opening) Open(ctx context.Context, options core.Options) (*core.Problem, error) {
	o.look(options)
	return o.Task.Open(ctx, options)
}
