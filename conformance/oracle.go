package conformance

import (
	"testing"

	"github.com/stretchr/testify/suite"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
)

// RunOracleSuite runs the checks of an oracle, each as a subtest. factory returns the thing to check; nil options are the defaults.
func RunOracleSuite(t *testing.T, factory func() core.Oracle, o *Options) {
	t.Helper()
	suite.Run(t, &oracleSuite{factory: factory, options: o})
}

// oracleSuite has a test for each check, of its name.
type oracleSuite struct {
	checks
	factory func() core.Oracle
	options *Options
}

var _ suite.SetupAllSuite = (*oracleSuite)(nil)

// SetupSuite implements [suite.SetupAllSuite].
func (s *oracleSuite) SetupSuite() { s.session = check.NewOracle(s.factory(), s.options) }

func (s *oracleSuite) TestSetup()           { s.check("setup") }
func (s *oracleSuite) TestDescription()     { s.check("description") }
func (s *oracleSuite) TestFit()             { s.check("fit") }
func (s *oracleSuite) TestLabels()          { s.check("labels") }
func (s *oracleSuite) TestLearns()          { s.check("learns") }
func (s *oracleSuite) TestLag()             { s.check("lag") }
func (s *oracleSuite) TestTrajectories()    { s.check("trajectories") }
func (s *oracleSuite) TestConcurrentUse()   { s.check("concurrent-use") }
func (s *oracleSuite) TestSameAgain()       { s.check("same-again") }
func (s *oracleSuite) TestRowIndependence() { s.check("row-independence") }
func (s *oracleSuite) TestEmpty()           { s.check("empty") }
func (s *oracleSuite) TestInputsUnchanged() { s.check("inputs-unchanged") }
func (s *oracleSuite) TestKeepsNothing()    { s.check("keeps-nothing") }
func (s *oracleSuite) TestStorage()         { s.check("storage") }
func (s *oracleSuite) TestRepeatable()      { s.check("repeatable") }
func (s *oracleSuite) TestSeeds()           { s.check("seeds") }
func (s *oracleSuite) TestRefit()           { s.check("refit") }
func (s *oracleSuite) TestConcurrentFits()  { s.check("concurrent-fits") }
func (s *oracleSuite) TestReport()          { s.check("report") }
func (s *oracleSuite) TestProgress()        { s.check("progress") }
func (s *oracleSuite) TestOptions()         { s.check("options") }
func (s *oracleSuite) TestUnsuitableData()  { s.check("unsuitable-data") }
func (s *oracleSuite) TestErrors()          { s.check("errors") }
func (s *oracleSuite) TestCancelledFit()    { s.check("cancelled-fit") }
func (s *oracleSuite) TestCancelledUse()    { s.check("cancelled-use") }
func (s *oracleSuite) TestSaved()           { s.check("saved") }
func (s *oracleSuite) TestContinued()       { s.check("continued") }
func (s *oracleSuite) TestNeedsLabels()     { s.check("needs-labels") }
func (s *oracleSuite) TestEncoder()         { s.check("encoder") }
func (s *oracleSuite) TestSameOutputs()     { s.check("same-outputs") }
