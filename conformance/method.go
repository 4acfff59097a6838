package conformance

import (
	"testing"

	"github.com/stretchr/testify/suite"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
)

// RunMethodSuite runs the checks of a method, each as a subtest. factory returns the thing to check; nil options are the defaults.
func RunMethodSuite(t *testing.T, factory func() core.Method, o *Options) {
	t.Helper()
	suite.Run(t, &methodSuite{factory: factory, options: o})
}

// methodSuite has a test for each check, of its name.
type methodSuite struct {
	checks
	factory func() core.Method
	options *Options
}

var _ suite.SetupAllSuite = (*methodSuite)(nil)

// SetupSuite implements [suite.SetupAllSuite].
func (s *methodSuite) SetupSuite() { s.session = check.NewMethod(s.factory(), s.options) }

func (s *methodSuite) TestSetup()            { s.check("setup") }
func (s *methodSuite) TestDescription()      { s.check("description") }
func (s *methodSuite) TestFit()              { s.check("fit") }
func (s *methodSuite) TestPredictionShape()  { s.check("prediction-shape") }
func (s *methodSuite) TestPredictionFinite() { s.check("prediction-finite") }
func (s *methodSuite) TestLearns()           { s.check("learns") }
func (s *methodSuite) TestLag()              { s.check("lag") }
func (s *methodSuite) TestTrajectories()     { s.check("trajectories") }
func (s *methodSuite) TestSameAgain()        { s.check("same-again") }
func (s *methodSuite) TestRowIndependence()  { s.check("row-independence") }
func (s *methodSuite) TestEmpty()            { s.check("empty") }
func (s *methodSuite) TestInputsUnchanged()  { s.check("inputs-unchanged") }
func (s *methodSuite) TestKeepsNothing()     { s.check("keeps-nothing") }
func (s *methodSuite) TestStorage()          { s.check("storage") }
func (s *methodSuite) TestRepeatable()       { s.check("repeatable") }
func (s *methodSuite) TestSeeds()            { s.check("seeds") }
func (s *methodSuite) TestRefit()            { s.check("refit") }
func (s *methodSuite) TestConcurrentFits()   { s.check("concurrent-fits") }
func (s *methodSuite) TestReport()           { s.check("report") }
func (s *methodSuite) TestProgress()         { s.check("progress") }
func (s *methodSuite) TestOptions()          { s.check("options") }
func (s *methodSuite) TestUnsuitableData()   { s.check("unsuitable-data") }
func (s *methodSuite) TestErrors()           { s.check("errors") }
func (s *methodSuite) TestCancelledFit()     { s.check("cancelled-fit") }
func (s *methodSuite) TestCancelledUse()     { s.check("cancelled-use") }
func (s *methodSuite) TestSaved()            { s.check("saved") }
func (s *methodSuite) TestContinued()        { s.check("continued") }
func (s *methodSuite) TestExposure()         { s.check("exposure") }
func (s *methodSuite) TestEigenvalues()      { s.check("eigenvalues") }
func (s *methodSuite) TestEigenfunctions()   { s.check("eigenfunctions") }
func (s *methodSuite) TestForecast()         { s.check("forecast") }
func (s *methodSuite) TestForecastSteps()    { s.check("forecast-steps") }
func (s *methodSuite) TestSameOutputs()      { s.check("same-outputs") }
