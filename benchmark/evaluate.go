package benchmark

import (
	"context"
	"errors"
	"fmt"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// evaluate rolls the model out from the starts by every protocol. What is wrong with one evaluation
// leaves the others as they are; the error is that of the context.
func (h *harness) evaluate(
	ctx context.Context, model core.Model, drawn rows, result *results.Run, m *meter, progress core.Progress,
) (*results.RunArrays, error) {
	arrays := &results.RunArrays{Rollouts: map[string]results.Rollout{}}
	prepared := map[string]rows{}
	failed := map[string]error{}
	for _, protocol := range results.Protocols() {
		failed[protocol] = core.Contain(func() (err error) {
			prepared[protocol], err = drawn.of(protocol).before(ctx, model, protocol, h.Task.starts)
			return err
		})
	}
	progress.Phase("evaluation", h.Task.Steps*len(results.Protocols()))
	for i, protocol := range results.Protocols() {
		advance := func(step int) { progress.Advance(i*h.Task.Steps + step) }
		e := results.Evaluation{Protocol: protocol, Status: results.StatusOK, Score: []float64{},
			PredictionSHA256: []string{}}
		var shown results.Rollout
		var unsaved error
		err := failed[protocol]
		if err == nil {
			err = core.Contain(func() (err error) {
				shown, unsaved, err = h.rollOut(ctx, model, prepared[protocol], result.Key, &e, m, advance)
				return err
			})
		}
		if err != nil && ctx.Err() != nil {
			return nil, err
		}
		if err != nil {
			e = results.Evaluation{
				Protocol: protocol, Status: statusOf(err), Reason: beginning(err.Error()), Score: []float64{},
				PredictionSHA256: []string{},
			}
		} else {
			arrays.Rollouts[protocol] = shown
			arrays.Unsaved = errors.Join(arrays.Unsaved, unsaved)
		}
		result.Evaluations = append(result.Evaluations, e)
		advance(h.Task.Steps)
	}
	return arrays, nil
}

// rollOut rolls the model out by the protocol of e, and judges what it predicts at each step. Step 0 is
// never scored. unsaved says why predictions could not be kept.
//
// The model is given the starts in an order of its own at each step, so that the place of a snapshot
// says nothing of its time; everything else here is in the order of time. At one step it predicts some
// of them again, see [rows].
func (h *harness) rollOut(
	ctx context.Context, model core.Model, rows rows, key string, e *results.Evaluation, m *meter, advance func(step int),
) (shown results.Rollout, unsaved, err error) {
	ahead, err := predictor(e.Protocol, model)
	if err != nil {
		return shown, nil, err
	}
	measured := func(ctx context.Context, x core.Snapshots, step int) (next core.Snapshots, err error) {
		m.measure(&e.PredictSeconds, func() { next, err = ahead(ctx, x, step) })
		return next, err
	}
	var kept *results.Predictions
	if h.SavePredictions {
		kept = h.store.CreatePredictions(key, e.Protocol, h.Task.Info)
	}
	defer kept.Discard()
	x := h.Task.starts
	for step := 1; step <= h.Task.Steps; step++ {
		next, err := rows.predict(ctx, x, step, measured, ahead)
		if err != nil {
			return shown, nil, fmt.Errorf("prediction at step %d: %w", step, err)
		}
		v, err := h.verdict(ctx, step, next, rows)
		if err != nil {
			return shown, nil, fmt.Errorf("at step %d: %w", step, err)
		}
		if e.Protocol != results.ProtocolPowers {
			x = next
		}
		e.PredictionSHA256 = append(e.PredictionSHA256, results.HashSnapshots(next))
		score := h.Task.Info.Measure.Together(v.scores)
		if err := h.Task.Info.Measure.Measure().Check(score); err != nil {
			return shown, nil, fmt.Errorf("at step %d: the scores together: %w", step, err)
		}
		e.Score = append(e.Score, score)
		if v.labels != nil {
			e.Labels = append(e.Labels, v.labels)
		} else {
			e.Scores = append(e.Scores, v.scores)
		}
		kept.Add(next, v.labels)
		first, err := gather(next, firstRows(min(results.RolloutSnapshots, next.Len())))
		if err != nil {
			return shown, nil, err
		}
		shown = append(shown, first)
		advance(step)
	}
	return shown, kept.Commit(), nil
}

// ahead is what predicts the snapshots of a step.
type ahead func(ctx context.Context, x core.Snapshots, step int) (core.Snapshots, error)

// predictor returns what gives the predictions of a step: from those of the step before, or from
// the test snapshots themselves, as the protocol says.
func predictor(protocol string, model core.Model) (ahead, error) {
	if protocol != results.ProtocolPowers {
		return func(ctx context.Context, x core.Snapshots, _ int) (core.Snapshots, error) {
			return model.Predict(ctx, x)
		}, nil
	}
	forecaster, ok := core.As[core.Forecaster](model)
	if !ok {
		return nil, skipped(fmt.Sprintf("its model predicts one step at a time, and the protocol %q needs one that "+
			"predicts several steps ahead by itself; run it with the protocol %q", results.ProtocolPowers,
			results.ProtocolReencode))
	}
	return forecaster.Forecast, nil
}

// predict calls the model once and checks what it returns, and that it leaves x as it is.
func predict(ctx context.Context, x core.Snapshots, step int, ahead ahead) (_ core.Snapshots, err error) {
	defer core.Recover(&err)
	given := results.HashSnapshots(x)
	next, err := ahead(ctx, x, step)
	switch {
	case err != nil:
		return next, err
	case results.HashSnapshots(x) != given:
		return next, fmt.Errorf("%w: it changed the snapshots that it was given", core.ErrContract)
	case !next.SameShape(x):
		return next, fmt.Errorf("%w: it returned snapshots of shape %v for snapshots of shape %v", core.ErrContract,
			next.Shape(), x.Shape())
	case next.Len() != x.Len():
		return next, fmt.Errorf("%w: it returned %d snapshots for %d", core.ErrContract, next.Len(), x.Len())
	}
	if err := next.CheckFinite(); err != nil {
		return next, fmt.Errorf("%w: %w", core.ErrContract, err)
	}
	return next, nil
}
