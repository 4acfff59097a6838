package conformance

import (
	"testing"

	"github.com/stretchr/testify/suite"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
)

// RunLossSuite runs the checks of a loss, each as a subtest. factory returns the thing to check; nil options are the defaults.
func RunLossSuite(t *testing.T, factory func() core.Loss, o *Options) {
	t.Helper()
	suite.Run(t, &lossSuite{factory: factory, options: o})
}

// lossSuite has a test for each check, of its name.
type lossSuite struct {
	checks
	factory func() core.Loss
	options *Options
}

var _ suite.SetupAllSuite = (*lossSuite)(nil)

// SetupSuite implements [suite.SetupAllSuite].
func (s *lossSuite) SetupSuite() { s.session = check.NewLoss(s.factory(), s.options) }

func (s *lossSuite) TestSetup()           { s.check("setup") }
func (s *lossSuite) TestDescription()     { s.check("description") }
func (s *lossSuite) TestEvaluate()        { s.check("evaluate") }
func (s *lossSuite) TestGradients()       { s.check("gradients") }
func (s *lossSuite) TestRowOrder()        { s.check("row-order") }
func (s *lossSuite) TestRepeatable()      { s.check("repeatable") }
func (s *lossSuite) TestNewResults()      { s.check("new-results") }
func (s *lossSuite) TestInputsUnchanged() { s.check("inputs-unchanged") }
func (s *lossSuite) TestAnyMatrix()       { s.check("any-matrix") }
func (s *lossSuite) TestConcurrentUse()   { s.check("concurrent-use") }
func (s *lossSuite) TestDegenerate()      { s.check("degenerate") }
func (s *lossSuite) TestOptions()         { s.check("options") }
func (s *lossSuite) TestErrors()          { s.check("errors") }
func (s *lossSuite) TestCancelled()       { s.check("cancelled") }
func (s *lossSuite) TestSameOutputs()     { s.check("same-outputs") }
