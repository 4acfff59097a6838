// Package conformance holds test suites. Authors of methods, and of things of all other kinds, use
// them to check that their code keeps the contracts of package core:
//
//	func TestConformance(t *testing.T) {
//		conformance.RunMethodSuite(t, func() core.Method { return mine.New() }, &conformance.Options{
//			Shape:  []int{12, 12},
//			Expect: map[string]string{"lag": "works at a lag of 1 only"},
//		})
//	}
//
// Each check is a subtest of its own name, such as TestConformance/TestContract/row-independence, so
// that
//
//	go test -run 'TestConformance/TestContract/row-independence'
//
// runs one of them, with those that it needs. A check that does not apply is a skipped test that
// says which ability is not declared; one that is known to fail is named in Options.Expect with its
// reason, and fails when it passes.
//
// A suite puts the guard around the thing that registries and plugins put there ([core.Guard]):
// what the guard holds, the thing itself need not. [RunSuite] takes a thing of any kind.
//
// Options.Reference is another implementation of the same thing, one in this process where the
// factory gives one in another: the check "same-outputs" compares what both give to the bit, by the
// digests of [check.Outputs].
//
// The checks themselves are in package check, which does not need package testing;
// [check.Catalogue] lists them.
//
// conformance imports core and testify, and no method.
package conformance
