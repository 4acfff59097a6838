// Package check is the engine of the conformance checks: whether a thing of one of the kinds of package core keeps the
// contracts of that package.
//
//	report := check.Method(ctx, myMethod, nil)
//	if !report.OK() {
//		report.WriteText(os.Stderr)
//	}
//
// [Method], [Embedder], [Operator], [Loss] and [Oracle] run all checks of a kind, [NewMethod] and
// the like, or [New] for a thing of any kind, one at a time; [Catalogue] lists them. The suites of
// package conformance run the same checks as tests.
//
// # Data
//
// Methods, embedders and oracles are fitted to small snapshots that cycle through a few distinct
// patterns with a little noise, so that the right answers are known. Only the checks "learns" and
// "lag" judge answers; they are skipped if the answers are wrong and the fit says of itself that it
// learned nothing. Operators are fitted to a trajectory of a stable linear system of four
// dimensions, and losses evaluated on random views. A method that is handed the encoder of an
// oracle gets one that computes the mean brightness of each part of a snapshot.
//
// Tasks bring their own data: Options.Settings choose the problem, and other values of the options
// are tried beside it. Scores judge the snapshots of the starts, the mean of the training
// snapshots, and what follows in the test trajectories. A task that has states and no score is
// judged by an oracle, so that there is no score to check.
//
// # Results
//
// A check passes or fails. It is skipped if it is about an ability that the thing does not declare,
// or if there is nothing to judge, and blocked if a check that it needs did not pass. A known
// failure is declared with its reason in Options.Expect, and fails when it passes. A panic of the
// thing fails the check in which it happens; a call that does not return in Options.Timeout, or in
// Options.Grace after its context has ended, fails its check, and its goroutine is left behind.
// Panics in goroutines that the thing itself starts cannot be caught.
//
// The JSON form of [Report] is stable.
//
// check imports core, the standard library and gonum, and nothing of testing.
package check
