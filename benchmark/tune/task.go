package tune

import (
	"fmt"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/tasks/process"
)

// maxStarts is the most roll-outs of a trial.
const maxStarts = 1000

// DefaultScore is the score that needs no oracle. It is the task's own measure if that is the error
// of predictions, which can be computed on any part, and VAMP-2 otherwise.
func DefaultScore(p *core.Problem) string {
	if p.Score != nil && p.Measure().Name == core.NRMSE().Name {
		return results.ScoreNRMSE
	}
	return results.ScoreVAMP2
}

// OnValidation returns the problem with its validation part in place of the test part, which is not
// in it. Roll-outs begin at evenly spaced validation snapshots whose whole future lies in their
// trajectory. For the score accuracy, an oracle judges them by the states; for others, the error of
// predictions does. Nothing else that is known about test snapshots remains. The error is
// [core.ErrOption] or [core.ErrTooShort] if the validation part cannot judge.
func OnValidation(p *core.Problem, score string) (*core.Problem, error) {
	v := *p
	v.Test, v.Starts, v.Score = p.Validation, nil, nil
	if p.Source != "" {
		v.Source = p.Source + "; "
	}
	v.Source += "scored on the validation data, not the test data"
	if p.Truth != nil {
		v.Truth = &core.Truth{Eigenvalues: p.Truth.Eigenvalues, Leading: p.Truth.Leading}
	}
	if p.Validation.Pairs(p.Steps*p.Lag) == 0 {
		return nil, fmt.Errorf("%w: no roll-out of %d steps at a lag of %d lies within the %d validation snapshots; give "+
			"fewer --steps, or more snapshots to validate on", core.ErrTooShort, p.Steps, p.Lag, p.Validation.Len())
	}
	width := v.Test.Size()
	if p.Frame != nil {
		width /= p.Frame.Rows
	}
	if err := process.Judge(&v, maxStarts, width); err != nil {
		return nil, fmt.Errorf("the validation data, which replace the test data: %w", err)
	}
	v.ValidUpTo = 0
	if p.States != nil {
		v.States = statesOf(p.States, &v)
	}
	if score == results.ScoreAccuracy {
		if p.States == nil {
			return nil, fmt.Errorf("%w: --score %s needs an oracle, but the task has no states for it to learn; give --score "+
				"%s or %s", core.ErrOption, score, results.ScoreNRMSE, results.ScoreVAMP2)
		}
		v.Score = nil
	}
	return &v, nil
}

// statesOf are the states of the problem on validation data: what follows a start is a snapshot of that part.
func statesOf(s *core.States, v *core.Problem) *core.States {
	of := &core.States{
		Count: s.Count, Word: s.Word, Train: s.Train, Validation: s.Validation, Test: s.Validation,
		Expected: make([][]int, v.Steps),
	}
	for i := range of.Expected {
		for _, start := range v.Starts {
			of.Expected[i] = append(of.Expected[i], s.Validation[start+(i+1)*v.Lag])
		}
	}
	return of
}
