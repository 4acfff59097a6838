package core

import (
	"context"

	"gonum.org/v1/gonum/mat"
)

// An Embedder learns, or simply is, a map from snapshots to features.
type Embedder interface {
	// Describe returns the same description at every call.
	Describe() Description
	// Fit is like [Method.Fit].
	Fit(ctx context.Context, t *Training) (Embedding, error)
}

// An Embedding maps snapshots to features. It may have the abilities [Decoder] and [Reporter].
//
// An Embedding may be used by several goroutines at a time.
type Embedding interface {
	// Dim is the number d of features.
	Dim() int
	// Embed returns a new Len×d matrix. Row i has the features of snapshot i and depends on no other
	// snapshot. Embed does not change x.
	Embed(ctx context.Context, x Snapshots) (*mat.Dense, error)
}
