package benchmark

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// verdict is what is said of the predictions of a step.
type verdict struct {
	scores []float64 // one for each start
	labels []int     // what the oracle saw; nil without one
}

// makeJudge makes what judges all runs: the oracle, or the scorer of the task. known says that the
// oracle is that of an earlier command.
func (h *harness) makeJudge(ctx context.Context, known bool, d core.Description, options core.Options) error {
	if h.Task.Info.Judged() {
		return h.makeOracle(ctx, known, d, options)
	}
	return h.fitScorer(ctx)
}

// fitScorer fits the score of the task. It may take as long as a run.
func (h *harness) fitScorer(ctx context.Context) error {
	ctx, cancel := h.bounded(ctx, newAwake(), 0)
	defer cancel()
	what := fmt.Sprintf("the score %s of the task %s", h.Task.Info.Measure.Name, h.Task.Info.Name)
	return h.observe(ctx, ScoreName, what, func(progress core.Progress) (err error) {
		t := h.training(core.Description{Name: h.Task.Info.Name}, core.Options{}, h.Oracle.Seed, progress)
		h.label(t)
		h.scorer, err = fit(ctx, "scorer", h.Task.Score.Fit, t)
		return err
	})
}

// observe makes what judges all runs, in a bounded context, and tells the observer of it by that name. Errors begin
// with what it is.
func (h *harness) observe(ctx context.Context, name, what string, work func(core.Progress) error) error {
	start := time.Now()
	progress := h.Observer.Begin(name, h.Oracle.Seed)
	err := h.tooLong(ctx, core.Contain(func() error { return work(progress) }))
	outcome := Outcome{Status: results.StatusOK, Seconds: time.Since(start).Seconds()}
	if err != nil {
		outcome.Status, outcome.Reason = statusOf(err), err.Error()
		err = fmt.Errorf("%s: %w", what, err)
	}
	h.Observer.End(name, h.Oracle.Seed, outcome)
	return err
}

// verdict judges what is predicted for all starts at a step, counted from 1. What an oracle says is
// checked by rows.
func (h *harness) verdict(ctx context.Context, step int, predicted core.Snapshots, rows rows) (v verdict, err error) {
	if h.judge == nil {
		v.scores, err = h.score(ctx, step, predicted)
		return v, err
	}
	if v.labels, err = h.classify(ctx, predicted); err != nil {
		return v, err
	}
	classify := func(x core.Snapshots) ([]int, error) { return h.classify(ctx, x) }
	if err := rows.checkLabels(predicted, v.labels, step, classify); err != nil {
		return v, err
	}
	v.scores = results.ScoreLabels(v.labels, h.Task.expected(step))
	return v, nil
}

// score calls the scorer of the task, which has a guard, and rounds its scores.
func (h *harness) score(ctx context.Context, step int, predicted core.Snapshots) (scores []float64, err error) {
	defer core.Recover(&err)
	if scores, err = h.scorer.Score(ctx, step, predicted); err != nil {
		return nil, fmt.Errorf("the score %s: %w", h.Task.Info.Measure.Name, err)
	}
	m, rounded := h.Task.Measure(), make([]float64, len(scores))
	for i, v := range scores {
		rounded[i] = min(max(rounding(v), m.Least), m.Most)
	}
	return rounded, nil
}

// precision is the number of decimal places, from the first that is not 0, of a score. All that is
// computed of scores is computed of rounded ones, which take less room in files of results.
const precision = 9

func rounding(v float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', precision, 64), 64)
	if err != nil { // over the largest number
		return v
	}
	return short
}

// baselines judges the models that learn nothing. One that the judge fails at is left out, with a note,
// as a run would be; what the judge must not return at all, and the end of ctx, are errors.
func (h *harness) baselines(ctx context.Context) ([]results.Baseline, error) {
	average, err := h.Task.mean()
	if err != nil {
		return nil, err
	}
	all := []results.Baseline{}
	for _, of := range []struct {
		name string
		x    core.Snapshots
	}{{results.Persistence, h.Task.starts}, {results.Mean, average}} {
		b := results.Baseline{Name: of.name}
		err := core.Contain(func() error { return h.judgeBaseline(ctx, &b, of.x) })
		switch {
		case err == nil:
			all = append(all, b)
		case ctx.Err() != nil, errors.Is(err, core.ErrContract):
			return nil, fmt.Errorf("the baseline %s: %w", of.name, err)
		default:
			h.notes = append(h.notes, beginning(fmt.Sprintf("the baseline %s is left out: %v", of.name, err)))
		}
	}
	return all, nil
}

// judgeBaseline judges the same predictions x at every step. An oracle has seen the starts already.
func (h *harness) judgeBaseline(ctx context.Context, b *results.Baseline, x core.Snapshots) (err error) {
	var seen []int
	if h.judge != nil && b.Name == results.Persistence {
		seen = h.oracle.TestLabels
	} else if h.judge != nil {
		if seen, err = h.classify(ctx, x); err != nil {
			return err
		}
	}
	for step := 1; step <= h.Task.Steps; step++ {
		var scores []float64
		if h.judge != nil {
			scores = results.ScoreLabels(seen, h.Task.expected(step))
		} else if scores, err = h.score(ctx, step, x); err != nil {
			return fmt.Errorf("at step %d: %w", step, err)
		}
		score := h.Task.Info.Measure.Together(scores)
		if math.IsInf(score, 0) {
			return fmt.Errorf("at step %d: the sum of the scores is not finite", step)
		}
		b.Score, b.Scores = append(b.Score, score), append(b.Scores, scores)
	}
	return nil
}

// mean is the mean of the training snapshots, once for each start.
func (t *Task) mean() (core.Snapshots, error) {
	size := t.starts.Size()
	sums, row := make([]float64, size), make([]float32, size)
	for k := range t.Train.Count() {
		for i := range t.Train.At(k).Len() {
			t.Train.At(k).Read(row, i)
			for j, v := range row {
				sums[j] += float64(v)
			}
		}
	}
	values := make([]float32, t.starts.Len()*size)
	for i := range values {
		values[i] = float32(sums[i%size] / float64(t.Train.Len()))
	}
	return core.NewSnapshots(values, t.starts.Shape()...)
}
