package dmd

import (
	"context"

	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/affine"
	"github.com/koopbench/koopbench/linalg"
)

// New returns the method "dmd".
func New() core.Method {
	return compose.New(values{}, linalg.Ridge{}, &compose.Options{
		Name:    "dmd",
		Summary: "exact dynamic mode decomposition of the snapshots",
		Doc: "The singular value decomposition of the training snapshots is cut to a rank. Least squares give the " +
			"linear map from its coordinates to the snapshots one lag later (Schmid, Dynamic mode decomposition of " +
			"numerical and experimental data, J. Fluid Mech. 656, 2010; in the exact form of Tu, Rowley, " +
			"Luchtenburg, Brunton and Kutz, On dynamic mode decomposition: theory and applications, J. Comput. Dyn. " +
			"1, 2014). The projected form has the same eigenvalues. Everything is computed from the covariances, in " +
			"float64. The method linear has the same parts with other settings: it standardises each value, keeps " +
			"the directions that predict best, and regularises. By default dmd standardises nothing, keeps the " +
			"directions of largest variance, and does not regularise. Predictions are not clipped.",
		Precision: compose.Float64,
		Features:  func(t *core.Training) int { return t.Train.Size() },
		Defaults:  map[string]any{"alpha": 0.0, "variant": string(linalg.PrincipalComponents)},
	})
}

// values is the embedder whose features are the values of a snapshot divided by one number. This
// changes only the scale at which directions count as zero.
type values struct{}

var (
	_ core.Embedder        = values{}
	_ core.EmbeddingLoader = values{}
)

// Describe implements [core.Embedder].
func (values) Describe() core.Description {
	return core.Description{Name: "dmd", Summary: "the values of the snapshot divided by the root of their mean square"}
}

// Fit implements [core.Embedder].
func (values) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
	e, err := affine.Scale(ctx, t.Train)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Load implements [core.EmbeddingLoader].
func (values) Load(_ context.Context, s *core.Saved) (core.Embedding, error) {
	e, err := affine.Load(&s.State)
	if err != nil {
		return nil, err
	}
	return e, nil
}
