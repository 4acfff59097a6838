package core

import (
	"context"
	"fmt"
)

// GuardTask is [Guard] for a task. The guard makes sure that an opened problem keeps the rules of
// [Problem], and that there is one score for each start, within the bounds of the measure.
func GuardTask(t Task) Task {
	if isGuarded(t) {
		return t
	}
	return guardedTask{t}
}

type guardedTask struct{ Task }

func (t guardedTask) unwrap() any { return t.Task }

func (t guardedTask) Open(ctx context.Context, options Options) (*Problem, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := t.Task.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	return GuardProblem(p)
}

// GuardProblem returns the problem with a guard around its score. The error is [ErrContract] if the
// problem is nil or breaks a rule.
func GuardProblem(p *Problem) (*Problem, error) {
	if p == nil {
		return nil, fmt.Errorf("%w: it returned neither a problem nor an error", ErrContract)
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if _, guarded := p.Score.(guardedScore); guarded || p.Score == nil {
		return p, nil
	}
	guarded := *p
	guarded.Score = guardedScore{p.Score, p}
	return &guarded, nil
}

type guardedScore struct {
	Score
	problem *Problem
}

func (s guardedScore) unwrap() any { return s.Score }

func (s guardedScore) Fit(ctx context.Context, t *Training) (Scorer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	scorer, err := s.Score.Fit(ctx, t)
	if err != nil {
		return nil, err
	}
	if IsNil(scorer) {
		return nil, fmt.Errorf("%w: the fit of the score returned neither a scorer nor an error", ErrContract)
	}
	return guardedScorer{scorer, s.problem}, nil
}

type guardedScorer struct {
	Scorer
	problem *Problem
}

func (s guardedScorer) unwrap() any { return s.Scorer }

func (s guardedScorer) Score(ctx context.Context, step int, predicted Snapshots) ([]float64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.problem.CheckPredicted(step, predicted); err != nil {
		return nil, err
	}
	scores, err := s.Scorer.Score(ctx, step, predicted)
	if err != nil {
		return nil, err
	}
	return scores, CheckScores(s.problem.Measure(), scores, predicted.Len())
}
