package benchmark

import (
	"errors"
	"fmt"

	"github.com/koopbench/koopbench/core"
)

// Check returns [core.ErrOption] with all reasons if methods of the plan refuse their options on
// the data of the task, as far as they can know this before a fit ([core.Checker]). Other errors
// are those of the runs. [Run] does the same check before it writes or trains anything.
func (p *Plan) Check() error {
	h := &harness{Plan: *p}
	var refused error
	for _, e := range p.Entries {
		checker, ok := core.As[core.Checker](e.Method)
		if !ok {
			continue
		}
		err := core.Contain(func() error {
			return checker.Check(h.training(e.Method.Describe(), e.Options, 0, core.NoProgress))
		})
		if !errors.Is(err, core.ErrOption) {
			continue
		}
		if err = fmt.Errorf("%s: %w", e.Written, err); refused != nil {
			err = fmt.Errorf("%w; %w", refused, err)
		}
		refused = err
	}
	return refused
}
