package conformance

import (
	"testing"

	"github.com/stretchr/testify/suite"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
)

// RunTaskSuite runs the checks of a task, each as a subtest. factory returns the thing to check; nil
// options are the defaults. Options.Settings with a small split and few steps make it fast.
func RunTaskSuite(t *testing.T, factory func() core.Task, o *Options) {
	t.Helper()
	suite.Run(t, &taskSuite{open: func() *check.Session { return check.NewTask(factory(), o) }})
}

type taskSuite struct {
	checks
	open func() *check.Session
}

var _ suite.SetupAllSuite = (*taskSuite)(nil)

// SetupSuite implements [suite.SetupAllSuite].
func (s *taskSuite) SetupSuite() { s.session = s.open() }

// TestContract runs each check of the catalogue as a subtest of its name.
func (s *taskSuite) TestContract() {
	for _, name := range s.session.Checks() {
		s.Run(name, func() { s.check(name) })
	}
}
