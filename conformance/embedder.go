package conformance

import (
	"testing"

	"github.com/stretchr/testify/suite"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
)

// RunEmbedderSuite runs the checks of an embedder, each as a subtest. factory returns the thing to check; nil options are the defaults.
func RunEmbedderSuite(t *testing.T, factory func() core.Embedder, o *Options) {
	t.Helper()
	suite.Run(t, &embedderSuite{factory: factory, options: o})
}

// embedderSuite has a test for each check, of its name.
type embedderSuite struct {
	checks
	factory func() core.Embedder
	options *Options
}

var _ suite.SetupAllSuite = (*embedderSuite)(nil)

// SetupSuite implements [suite.SetupAllSuite].
func (s *embedderSuite) SetupSuite() { s.session = check.NewEmbedder(s.factory(), s.options) }

func (s *embedderSuite) TestSetup()           { s.check("setup") }
func (s *embedderSuite) TestDescription()     { s.check("description") }
func (s *embedderSuite) TestFit()             { s.check("fit") }
func (s *embedderSuite) TestFeaturesShape()   { s.check("features-shape") }
func (s *embedderSuite) TestFeaturesFinite()  { s.check("features-finite") }
func (s *embedderSuite) TestNewFeatures()     { s.check("new-features") }
func (s *embedderSuite) TestConcurrentUse()   { s.check("concurrent-use") }
func (s *embedderSuite) TestLag()             { s.check("lag") }
func (s *embedderSuite) TestTrajectories()    { s.check("trajectories") }
func (s *embedderSuite) TestSameAgain()       { s.check("same-again") }
func (s *embedderSuite) TestRowIndependence() { s.check("row-independence") }
func (s *embedderSuite) TestEmpty()           { s.check("empty") }
func (s *embedderSuite) TestInputsUnchanged() { s.check("inputs-unchanged") }
func (s *embedderSuite) TestKeepsNothing()    { s.check("keeps-nothing") }
func (s *embedderSuite) TestStorage()         { s.check("storage") }
func (s *embedderSuite) TestRepeatable()      { s.check("repeatable") }
func (s *embedderSuite) TestSeeds()           { s.check("seeds") }
func (s *embedderSuite) TestRefit()           { s.check("refit") }
func (s *embedderSuite) TestConcurrentFits()  { s.check("concurrent-fits") }
func (s *embedderSuite) TestReport()          { s.check("report") }
func (s *embedderSuite) TestProgress()        { s.check("progress") }
func (s *embedderSuite) TestOptions()         { s.check("options") }
func (s *embedderSuite) TestUnsuitableData()  { s.check("unsuitable-data") }
func (s *embedderSuite) TestErrors()          { s.check("errors") }
func (s *embedderSuite) TestCancelledFit()    { s.check("cancelled-fit") }
func (s *embedderSuite) TestCancelledUse()    { s.check("cancelled-use") }
func (s *embedderSuite) TestSaved()           { s.check("saved") }
func (s *embedderSuite) TestContinued()       { s.check("continued") }
func (s *embedderSuite) TestExposure()        { s.check("exposure") }
func (s *embedderSuite) TestDecoder()         { s.check("decoder") }
func (s *embedderSuite) TestViewer()          { s.check("viewer") }
func (s *embedderSuite) TestSameOutputs()     { s.check("same-outputs") }
