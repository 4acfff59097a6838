package stats

import (
	"fmt"

	"github.com/koopbench/koopbench/core"
)

// scale is how scores of a measure are treated.
type scale int

const (
	noScale    scale = iota
	shareScale       // log-odds; snapshots are independent
	errorScale       // logarithms; starts depend on one another, in blocks
)

func scaleOf(m core.Measure) scale {
	switch {
	case m.Least >= 0 && m.Most <= 1 && !m.LowerIsBetter && !m.RootMeanSquare:
		return shareScale
	case m.Least >= 0:
		return errorScale
	}
	return noScale
}

// Covers reports whether intervals, comparisons and ranks exist for scores of m. These scores are
// shares, in [0,1] where higher is better, or they are never negative.
func Covers(m core.Measure) bool { return scaleOf(m) != noScale }

// checkScale returns [core.ErrOption] for a measure that is not covered.
func checkScale(m core.Measure) error {
	if Covers(m) {
		return nil
	}
	return fmt.Errorf("%w: the least score of the measure %q is %v; there are intervals and ranks of scores from 0 on",
		core.ErrOption, m.Name, m.Least)
}
