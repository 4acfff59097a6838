package benchmark

import (
	"errors"
	"fmt"
	"os"
)

// ErrForeign says that a folder holds files of something else where results would be written.
var ErrForeign = errors.New("not a folder of results")

// checkOwn makes sure that nothing is written over that is not of this program, or that this version cannot read. The error is
// [ErrForeign], or [ErrResults] for a results.json that is torn or has another schema.
func (s *Store) checkOwn() error {
	if s.hasResults() {
		if _, err := s.Results(); err != nil {
			return fmt.Errorf("%w; nothing was written over it: remove the file, its runs stay, or choose another folder with --out", err)
		}
		return nil
	}
	// Every command writes data.npz before the others, so it is looked for after them: one may be beginning here at this moment.
	var there string
	for _, name := range []string{"config.yaml", wholePlan, "oracle.json", "results.csv", "report.html", "figures", "data.npz"} {
		if _, err := os.Lstat(s.path(name)); err == nil {
			there = name
		}
	}
	if there == "" {
		return nil
	}
	if _, err := s.TaskArrays(); err == nil {
		return nil
	}
	if plans, err := s.plans(); err == nil && len(plans) > 0 {
		return nil
	}
	return fmt.Errorf("%w: %s has %s of something else, which would be written over; choose another folder with --out", ErrForeign, s.dir, there)
}
