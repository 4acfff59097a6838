package conformance

import (
	"github.com/stretchr/testify/suite"

	"github.com/koopbench/koopbench/conformance/check"
)

// Options are the options of the checks.
type Options = check.Options

// checks is what the suites share.
type checks struct {
	suite.Suite
	session *check.Session
}

// check runs the check of that name and makes a test of its result. A blocked check fails if what it needs fails, so that
// a test that is run alone never passes for it, and is skipped if that failure is expected.
func (s *checks) check(name string) {
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
