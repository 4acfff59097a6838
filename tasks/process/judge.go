package process

import "github.com/koopbench/koopbench/core"

// Judge sets the starts and the score of a problem whose data are set. There are at most most
// starts, and the score is the normalised error. Only the last width values of each snapshot are
// judged. The error is [core.ErrOption] if none of them changes among the test snapshots.
func Judge(p *core.Problem, most, width int) error {
	p.Starts = starts(p.Test, p.Steps*p.Lag, most)
	score, err := newError(p, width)
	if err != nil {
		return err
	}
	p.Score = score
	return nil
}
