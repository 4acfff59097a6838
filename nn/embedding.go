package nn

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Embedding is a trained encoder, with a report of its training.
type Embedding struct {
	encoder *Inference
	report  core.Report
}

var (
	_ core.Embedding = (*Embedding)(nil)
	_ core.Reporter  = (*Embedding)(nil)
)

// NewEmbedding returns the embedding that a network is whose result is [n, d].
func NewEmbedding(encoder *Inference, report core.Report) *Embedding {
	return &Embedding{encoder, report}
}

// Dim implements [core.Embedding].
func (e *Embedding) Dim() int { return product(e.encoder.out) }

// Embed implements [core.Embedding].
func (e *Embedding) Embed(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
	return e.encoder.Features(ctx, x)
}

// Report implements [core.Reporter].
func (e *Embedding) Report() core.Report { return e.report }
