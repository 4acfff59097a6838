package conformance

import (
	"testing"

	"github.com/stretchr/testify/suite"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
)

// Options are the options of the checks.
type Options = check.Options

// RunMethodSuite runs each check of a method as a subtest. factory returns the method to check; nil
// options are the defaults.
func RunMethodSuite(t *testing.T, factory func() core.Method, o *Options) {
	t.Helper()
	suite.Run(t, &contract{open: func() *check.Session { return check.NewMethod(core.GuardMethod(factory()), o) }})
}

// RunEmbedderSuite is [RunMethodSuite] for an embedder.
func RunEmbedderSuite(t *testing.T, factory func() core.Embedder, o *Options) {
	t.Helper()
	suite.Run(t, &contract{open: func() *check.Session { return check.NewEmbedder(core.GuardEmbedder(factory()), o) }})
}

// RunOperatorSuite is [RunMethodSuite] for an evolution operator.
func RunOperatorSuite(t *testing.T, factory func() core.EvolutionOperator, o *Options) {
	t.Helper()
	suite.Run(t, &contract{open: func() *check.Session { return check.NewOperator(core.GuardOperator(factory()), o) }})
}

// RunLossSuite is [RunMethodSuite] for a loss.
func RunLossSuite(t *testing.T, factory func() core.Loss, o *Options) {
	t.Helper()
	suite.Run(t, &contract{open: func() *check.Session { return check.NewLoss(core.GuardLoss(factory()), o) }})
}

// RunOracleSuite is [RunMethodSuite] for an oracle.
func RunOracleSuite(t *testing.T, factory func() core.Oracle, o *Options) {
	t.Helper()
	suite.Run(t, &contract{open: func() *check.Session { return check.NewOracle(core.GuardOracle(factory()), o) }})
}

// RunTaskSuite is [RunMethodSuite] for a task. With a small split and few steps in Options.Settings
// it is fast.
func RunTaskSuite(t *testing.T, factory func() core.Task, o *Options) {
	t.Helper()
	suite.Run(t, &contract{open: func() *check.Session { return check.NewTask(core.GuardTask(factory()), o) }})
}

// RunSuite is [RunMethodSuite] for a thing of any kind.
func RunSuite(t *testing.T, factory func() any, o *Options) {
	t.Helper()
	suite.Run(t, &contract{open: func() *check.Session { return check.New(core.Guard(factory()), o) }})
}

// contract is the suite of a thing of any kind.
type contract struct {
	suite.Suite
	open    func() *check.Session
	session *check.Session
}

var _ suite.SetupAllSuite = (*contract)(nil)

// SetupSuite implements [suite.SetupAllSuite].
func (s *contract) SetupSuite() { s.session = s.open() }

// TestContract runs each check of the catalogue as a subtest of its name.
func (s *contract) TestContract() {
	for _, name := range s.session.Checks() {
		s.Run(name, func() { s.check(name) })
	}
}

// check runs the check of that name and makes a test of its result. A blocked check fails if what
// it needs fails, so that a test that is run alone never passes for it, and is skipped if that
// failure is expected.
func (s *contract) check(name string) {
	t := s.T()
	t.Helper()
	result := s.session.Run(t.Context(), name)
	for _, note := range result.Notes {
		t.Log(note)
	}
	switch result.Status {
	case check.Pass:
	case check.Skip:
		t.Skip(result.Reason)
	case check.ExpectedFail:
		t.Skipf("it fails, as is known: %s\n%s", result.Reason, result.Explanation())
	case check.Blocked:
		if cause := s.session.Run(t.Context(), result.BlockedBy); cause.Status == check.ExpectedFail {
			t.Skip(result.Reason)
		}
		t.Fatal(result.Reason)
	default:
		t.Fatalf("the check %q fails\n%s", name, result.Explanation())
	}
}
