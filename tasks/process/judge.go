package process

import "github.com/koopbench/koopbench/core"

// Judge gives a problem, whose data are there, its starts, at most so many, and the normalised error as its score. Of
// each snapshot the last width values are judged. The error is [core.ErrOption] if none of them changes among the test
// snapshots.
func Judge(p *core.Problem, most, width int) error {
	p.Starts = starts(p.Test, p.Steps*p.Lag, most)
	score, err := newError(p, width)
	if err != nil {
		return err
	}
	p.Score = score
	return nil
}
