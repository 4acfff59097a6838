// Package check is the engine of the conformance checks. It finds out whether a thing of one of the
// kinds of package core keeps the contracts of that package.
//
//	report := check.Method(ctx, myMethod, nil)
//	if !report.OK() {
//		report.WriteText(os.Stderr)
//	}
//
// [Method], [Embedder], [Operator], [Loss], [Oracle] and [Task] run all checks of a kind.
// [NewMethod] and its counterparts, or [New] for a thing of any kind, run them one at a time.
// [Catalogue] lists them. The suites of package conformance run the same checks as tests.
//
// # Data
//
// Methods, embedders and oracles are fitted to small snapshots that cycle through a few distinct
// patterns with a little noise, so the right answers are known. Only the checks "learns" and "lag"
// judge answers. They are skipped if the answers are wrong and the fit itself reports that it
// learned nothing. Operators are fitted to a trajectory of a stable linear system of four
// dimensions, and losses are evaluated on random views. A method that sees the encoder of an oracle
// gets one that computes the mean brightness of each part of a snapshot.
//
// Tasks bring their own data. Options.Settings choose the problem, and other values of the options
// are tried too. Scores judge the snapshots of the starts, the mean of the training snapshots, and
// the true future in the test trajectories. A task with states and without a score is judged by an
// oracle, so there is no score to check.
//
// # Results
//
// A check passes or fails. It is skipped if it is about an ability that the thing does not declare,
// or if there is nothing to judge. It is blocked if a check that it needs did not pass. A known
// failure is declared with its reason in Options.Expect, and fails if it passes. A panic of the
// thing fails the check in which it happens. A check also fails if a call does not return within
// Options.Timeout, or within Options.Grace after its context has ended; the goroutine of that call
// is left behind. Panics in goroutines that the thing itself starts cannot be caught.
//
// The JSON form of [Report] is stable.
//
// check imports core, the standard library and gonum, but not testing.
package check
