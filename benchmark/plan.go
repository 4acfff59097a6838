package benchmark

import (
	"github.com/koopbench/koopbench/core"
)

// Plan is what to run.
type Plan struct {
	Task   *Task
	Oracle OraclePlan
	// Entries are the methods to evaluate, labels unique.
	Entries []Entry
	// Seeds are the seeds at which each is fitted.
	Seeds []int64
	// MaxEpochs caps the option "epochs" of every method and of the oracle; 0 for no cap.
	MaxEpochs int
	// Out is the folder of results. It is created; finished runs in it with the same key are not repeated.
	Out string
	// Jobs is how many runs are under way at once, at least 1. It changes no number.
	Jobs int
	// Environment is kept with the results.
	Environment Environment
	// Observer is told of progress; nil for no one.
	Observer Observer
}

// Entry is a method with its options under the name that results give it.
type Entry struct {
	Label   string
	Method  core.Method
	Options core.Options
	// Identity is a hash of the code behind the method, if it is not this executable: a run is reused only for the same one.
	Identity string
}

// OraclePlan is how the judge is made.
type OraclePlan struct {
	Oracle  core.Oracle
	Options core.Options
	Seed    int64
}

// Observer is told how a plan proceeds, by several goroutines at a time.
type Observer interface {
	// Begin is called when a run starts, and with the label "oracle" when the oracle does. The progress it returns is used by
	// one goroutine.
	Begin(label string, seed int64) core.Progress
	// End is called when it has finished.
	End(label string, seed int64, result Outcome)
}

// Outcome is how a run ended, for an [Observer].
type Outcome struct {
	Status  Status
	Reason  string
	Reused  bool    // found finished in the folder of results
	Seconds float64 // taken altogether
}
