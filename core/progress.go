package core

// Epoch is one pass over the training data: unweighted means over batches, the training value taken before each update.
type Epoch struct {
	Number     int     // counted from 1
	Train      float64 // loss on training batches
	Validation float64 // loss on validation batches, NaN without validation data
}

// Progress is told how far a fit has come. A Progress is used by one goroutine at a time and must return quickly.
// Libraries never print; they report here.
type Progress interface {
	// Phase begins a part of the work, named for the user ("training", "evaluation"), that has total units.
	Phase(name string, total int)
	// Advance says that done units of the phase are complete.
	Advance(done int)
	// Epoch says that an epoch is complete.
	Epoch(Epoch)
}

// NoProgress ignores everything it is told.
var NoProgress Progress = noProgress{}

type noProgress struct{}

func (noProgress) Phase(string, int) {}
func (noProgress) Advance(int)       {}
func (noProgress) Epoch(Epoch)       {}
