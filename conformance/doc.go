// Package conformance holds the test suites by which the author of a method, an embedder, an evolution operator, a loss, an oracle
// or a task finds out whether it keeps the contracts of package core:
//
//	func TestConformance(t *testing.T) {
//		conformance.RunMethodSuite(t, func() core.Method { return mine.New() }, &conformance.Options{
//			Shape:  []int{12, 12},
//			Expect: map[string]string{"lag": "works at a lag of 1 only"},
//		})
//	}
//
// Each check is a subtest of its own, TestConformance/TestRowIndependence for instance. A check that does not apply is a skipped
// test that says which ability is not declared; one that is known to fail is named in Options.Expect with its reason, and fails
// when it passes.
//
// Options.Reference is another implementation of the same thing, one in this process where the factory gives one in another: the
// check "same-outputs" compares what both give to the bit, by the digests of [check.Outputs].
//
// The checks themselves are in package check, which does not need package testing; [check.Catalogue] lists them.
//
// conformance imports core, linalg and testify, and no method.
package conformance
