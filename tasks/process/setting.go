package process

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/core"
)

// Split is the number of snapshots of each part.
type Split struct{ Train, Validation, Test int }

func (s Split) String() string { return fmt.Sprintf("%d,%d,%d", s.Train, s.Validation, s.Test) }

// Sum is the sum of all parts.
func (s Split) Sum() int { return s.Train + s.Validation + s.Test }

// parseSplit reads what [Split.String] writes. The error is [core.ErrOption].
func parseSplit(text string) (s Split, err error) {
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return s, fmt.Errorf("%w: a split of %q; give three numbers of snapshots, TRAIN,VAL,TEST", core.ErrOption, text)
	}
	for i, value := range []*int{&s.Train, &s.Validation, &s.Test} {
		written := strings.TrimSpace(parts[i])
		if *value, err = strconv.Atoi(written); err != nil || *value < 1 || *value > maxSnapshots {
			return s, fmt.Errorf("%w: %q in the split %q; give whole numbers from 1 to %d", core.ErrOption, written, text,
				maxSnapshots)
		}
	}
	return s, nil
}

// setting is what the options say that all processes have.
type setting struct {
	split       Split
	lag, steps  int
	starts      int // most roll-outs
	delay       int // rows that a snapshot holds, at least 1
	standardise bool
}

// setting reads the options. The error is [core.ErrOption], or [core.ErrTooShort] for too few snapshots.
func (p *Process) setting(o core.Options) (s setting, err error) {
	s = setting{lag: o.Int(core.LagOption), steps: o.Int(core.StepsOption), starts: o.Int(StartsOption), delay: 1}
	if p.Defaults.Delay > 0 {
		s.delay = o.Int(DelayOption)
	}
	s.standardise = p.Defaults.Standardise && o.Bool(StandardiseOption)
	if s.split, err = parseSplit(o.String(core.SplitOption)); err != nil {
		return s, err
	}
	least := Split{s.lag + 1, s.lag + 1, s.steps*s.lag + 1}
	if n := p.Length; n > 0 {
		if s.split.Train%n+s.split.Validation%n+s.split.Test%n > 0 {
			return s, fmt.Errorf("%w: a split of %v snapshots in trajectories of %d snapshots; give multiples of "+
				"%d", core.ErrOption,
				s.split, n, n)
		}
		if n < least.Test {
			return s, fmt.Errorf("%w: trajectories have %d snapshots, but a roll-out of %d steps at a lag of %d needs %d",
				core.ErrTooShort, n, s.steps, s.lag, least.Test)
		}
		return s, s.checkSize(p.Width)
	}
	if s.split.Train < least.Train || s.split.Validation < least.Validation || s.split.Test < least.Test {
		return s, fmt.Errorf("%w: a split of %v snapshots; a lag of %d and %d steps need at least %v",
			core.ErrTooShort, s.split, s.lag, s.steps, least)
	}
	return s, s.checkSize(p.Width)
}

func (s setting) checkSize(width int) error {
	if numbers := s.split.Sum() * s.delay * width; numbers > maxNumbers {
		return fmt.Errorf("%w: a split of %v snapshots of %d numbers has %d numbers; the most is %d", core.ErrOption,
			s.split, s.delay*width, numbers, maxNumbers)
	}
	return nil
}

// rows is how many rows make the snapshots of the split: each snapshot needs those before it that it holds.
func (s setting) rows() Split {
	more := s.delay - 1
	return Split{s.split.Train + more, s.split.Validation + more, s.split.Test + more}
}
