package linear

import (
	"context"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/affine"
)

// Pixels returns the embedder "pixels", whose features are the values of the snapshot, each less its mean over the training
// snapshots and divided by its population standard deviation over them; a constant value is not divided. The embedding is a
// [core.Decoder].
func Pixels() core.Embedder { return core.GuardEmbedder(pixels{}) }

type pixels struct{}

var (
	_ core.Embedder        = pixels{}
	_ core.EmbeddingLoader = pixels{}
)

func (pixels) Describe() core.Description {
	return core.Description{
		Name:    "pixels",
		Summary: "the values of the snapshot, standardised",
		Doc: "Each value of the flattened snapshot, less its mean over the training snapshots and divided by its population standard " +
			"deviation over them. Values that are constant over the training snapshots are not divided.",
	}
}

func (pixels) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
	e, err := affine.Standardise(ctx, t.Train)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Load implements [core.EmbeddingLoader].
func (pixels) Load(_ context.Context, s *core.Saved) (core.Embedding, error) {
	e, err := affine.Load(&s.State)
	if err != nil {
		return nil, err
	}
	return e, nil
}
