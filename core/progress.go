package core

// Epoch is one pass over the training data: unweighted means over batches, the training value taken before each update.
type Epoch struct {
	Number     int     // counted from 1
	Train      float64 // loss on training batches
	Validation float64 // loss on validation batches, NaN without validation data
}

// Progress receives reports on how far a fit has come. One goroutine at a time uses a Progress, and
// its methods must return quickly. Libraries never print; they report here.
type Progress interface {
	// Phase begins a part of the work, which has total units. The name is for the user ("training",
	// "evaluation").
	Phase(name string, total int)
	// Advance reports that done units of the phase are complete.
	Advance(done int)
	// Epoch reports that an epoch is complete.
	Epoch(Epoch)
}

// NoProgress ignores all reports.
var NoProgress Progress = noProgress{}

type noProgress struct{}

func (noProgress) Phase(string, int) {}
func (noProgress) Advance(int)       {}
func (noProgress) Epoch(Epoch)       {}
