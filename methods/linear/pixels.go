package linear

import (
	"context"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/affine"
)

// Pixels returns the embedder "pixels". Its features are the values of the snapshot. From each its mean over the
// training snapshots is subtracted, and the result is divided by the population standard deviation over them. A
// constant value is not divided. The embedding is a [core.Decoder].
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
		Doc: "The features are the values of the snapshot. The mean of each value over the training snapshots is " +
			"subtracted, " +
			"and the result is divided by the population standard deviation over them. Constant values are not divided.",
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
