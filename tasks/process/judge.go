package process

import "github.com/koopbench/koopbench/core"

// Judge gives a problem, whose data are there, its starts, at most so many, and the normalised error as its score. Of each
// snapshot the last width values are judged.
func Judge(p *core.Problem, most, width int) {
	p.Starts = starts(p.Test, p.Steps*p.Lag, most)
	p.Score = newError(p, width)
}
