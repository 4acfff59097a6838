// Package conformance contains test suites. Authors of methods, and of things of all other kinds,
// use them to check that their code keeps the contracts of package core:
//
//	func TestConformance(t *testing.T) {
//		conformance.RunMethodSuite(t, func() core.Method { return mine.New() }, &conformance.Options{
//			Shape:  []int{12, 12},
//			Expect: map[string]string{"lag": "works at a lag of 1 only"},
//		})
//	}
//
// Each check is a subtest with its own name, such as TestConformance/TestContract/row-independence.
// So this command runs one check, and the checks that it needs:
//
//	go test -run 'TestConformance/TestContract/row-independence'
//
// A check that does not apply is a skipped test, which says which ability is not declared. A check
// that is known to fail is named in Options.Expect with its reason, and fails if it passes.
//
// A suite puts the same guard around the thing that registries and plugins put there
// ([core.Guard]). The thing itself does not have to do what the guard does. [RunSuite] takes a
// thing of any kind.
//
// Options.Reference is another implementation of the same thing, for instance one in this process
// if the factory returns one in another process. The check "same-outputs" compares the results of
// both to the bit, by the digests of [check.Outputs].
//
// The checks themselves are in package check, which does not need package testing.
// [check.Catalogue] lists them.
//
// conformance imports core and testify, and no method.
package conformance
