package conformance

import (
	"testing"

	"github.com/stretchr/testify/suite"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
)

// RunOperatorSuite runs the checks of an evolution operator, each as a subtest. factory returns the thing to check; nil options are the defaults.
func RunOperatorSuite(t *testing.T, factory func() core.EvolutionOperator, o *Options) {
	t.Helper()
	suite.Run(t, &operatorSuite{factory: factory, options: o})
}

// operatorSuite has a test for each check, of its name.
type operatorSuite struct {
	checks
	factory func() core.EvolutionOperator
	options *Options
}

var _ suite.SetupAllSuite = (*operatorSuite)(nil)

// SetupSuite implements [suite.SetupAllSuite].
func (s *operatorSuite) SetupSuite() { s.session = check.NewOperator(s.factory(), s.options) }

func (s *operatorSuite) TestSetup()            { s.check("setup") }
func (s *operatorSuite) TestDescription()      { s.check("description") }
func (s *operatorSuite) TestFit()              { s.check("fit") }
func (s *operatorSuite) TestPrediction()       { s.check("prediction") }
func (s *operatorSuite) TestRank()             { s.check("rank") }
func (s *operatorSuite) TestLearns()           { s.check("learns") }
func (s *operatorSuite) TestLag()              { s.check("lag") }
func (s *operatorSuite) TestTrajectories()     { s.check("trajectories") }
func (s *operatorSuite) TestObservable()       { s.check("observable") }
func (s *operatorSuite) TestSameAgain()        { s.check("same-again") }
func (s *operatorSuite) TestRowIndependence()  { s.check("row-independence") }
func (s *operatorSuite) TestAnyMatrix()        { s.check("any-matrix") }
func (s *operatorSuite) TestNewResults()       { s.check("new-results") }
func (s *operatorSuite) TestInputsUnchanged()  { s.check("inputs-unchanged") }
func (s *operatorSuite) TestKeepsNothing()     { s.check("keeps-nothing") }
func (s *operatorSuite) TestRepeatable()       { s.check("repeatable") }
func (s *operatorSuite) TestRefit()            { s.check("refit") }
func (s *operatorSuite) TestConcurrentFits()   { s.check("concurrent-fits") }
func (s *operatorSuite) TestConcurrentUse()    { s.check("concurrent-use") }
func (s *operatorSuite) TestReport()           { s.check("report") }
func (s *operatorSuite) TestOptions()          { s.check("options") }
func (s *operatorSuite) TestUnsuitableData()   { s.check("unsuitable-data") }
func (s *operatorSuite) TestErrors()           { s.check("errors") }
func (s *operatorSuite) TestCancelledFit()     { s.check("cancelled-fit") }
func (s *operatorSuite) TestCancelledUse()     { s.check("cancelled-use") }
func (s *operatorSuite) TestSaved()            { s.check("saved") }
func (s *operatorSuite) TestEigenvalues()      { s.check("eigenvalues") }
func (s *operatorSuite) TestKnownEigenvalues() { s.check("known-eigenvalues") }
func (s *operatorSuite) TestEigenfunctions()   { s.check("eigenfunctions") }
func (s *operatorSuite) TestLinear()           { s.check("linear") }
func (s *operatorSuite) TestSteps()            { s.check("steps") }
func (s *operatorSuite) TestEigenvectors()     { s.check("eigenvectors") }
func (s *operatorSuite) TestSameOutputs()      { s.check("same-outputs") }
