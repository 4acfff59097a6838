package results

import (
	"fmt"

	"github.com/koopbench/koopbench/internal/ownfolder"
)

// ErrForeign means that a folder has files of something else where results would be written.
var ErrForeign = ownfolder.Results.Foreign

// checkOwn makes sure that nothing is written over that is not of this program, or that this version cannot read. The
// error is [ErrForeign], or [ErrResults] for a results.json that is incomplete or has another schema.
func (s *Store) checkOwn() error {
	if s.hasResults() {
		if _, err := s.Results(); err != nil {
			return fmt.Errorf("%w; it was not overwritten: remove the file (its runs are kept), or choose another folder with "+
				"--out", err)
		}
		return nil
	}
	return ownfolder.Results.Check(s.dir, func() bool {
		if _, err := s.TaskArrays(); err == nil {
			return true
		}
		plans, err := s.plans()
		return err == nil && len(plans) > 0
	})
}
