package core

import "context"

// An Oracle learns to label snapshots. One oracle judges a run.
type Oracle interface {
	// Describe returns the same description at every call.
	Describe() Description
	// Fit is like [Method.Fit]; t carries labels.
	Fit(ctx context.Context, t *Training) (Judge, error)
}

// A Judge is a fitted oracle. It may have the abilities [Encoder] and [Reporter].
//
// A Judge may be used by several goroutines at a time.
type Judge interface {
	// Classify returns a label in 0 … States-1 for each snapshot. A label depends on its snapshot
	// alone. Classify does not change x.
	Classify(ctx context.Context, x Snapshots) ([]int, error)
}
