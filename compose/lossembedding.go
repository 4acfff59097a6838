package compose

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// lossEmbedding is an encoder that was trained under a loss.
type lossEmbedding struct {
	*nn.Embedding
	views Views
}

var (
	_ core.Embedding = lossEmbedding{}
	_ core.Reporter  = lossEmbedding{}
	_ core.Saver     = lossEmbedding{}
)

// newLossEmbedding returns the embedding of trained parameters. It adds the time of compiling to the report.
func newLossEmbedding(
	backend compute.Backend, store *model.Store, shape []int, v viewer, report core.Report,
) (core.Embedding, error) {
	encoder, err := nn.NewInference(backend, store, shape, v.embed)
	if err != nil {
		return nil, err
	}
	report.CompileSeconds += encoder.CompileSeconds
	return lossEmbedding{nn.NewEmbedding(v.network, encoder, report), v.Views}, nil
}

// settle removes what only training needs from the store. With [NormaliseBatch] it adds the moments of the features.
func (v viewer) settle(ctx context.Context, backend compute.Backend, store *model.Store,
	train core.Trajectories) error {
	if err := v.dropTraining(store); err != nil || v.Normalise != NormaliseBatch {
		return err
	}
	encoder, err := nn.NewInference(backend, store, train.Shape(), v.encode)
	if err != nil {
		return err
	}
	embedding := nn.NewEmbedding(nil, encoder, core.Report{})
	means, variances := make([]float64, v.learned()), make([]float64, v.learned())
	mean := func(of []float64, value func(j int, z float64) float64) error {
		return inBlocks(ctx, embedding, train, 0, train.Len(), func(z *mat.Dense, _ int) error {
			rows, _ := z.Dims()
			for i := range rows {
				for j, feature := range z.RawRowView(i) {
					of[j] += value(j, feature) / float64(train.Len())
				}
			}
			return nil
		})
	}
	if err := mean(means, func(_ int, z float64) float64 { return z }); err != nil {
		return err
	}
	if err := mean(variances, func(j int, z float64) float64 { return (z - means[j]) * (z - means[j]) }); err != nil {
		return err
	}
	nn.KeepMoments(store.RootScope().At(batchScope), means, variances)
	return nil
}

const viewsFact = "views"

// Save implements [core.Saver]. The facts are those of the network, and the views.
func (e lossEmbedding) Save(ctx context.Context) (*core.State, error) {
	s, err := e.Embedding.Save(ctx)
	if err != nil {
		return nil, err
	}
	facts := map[string]json.RawMessage{}
	if err := json.Unmarshal(s.Facts, &facts); err != nil {
		return nil, err
	}
	if facts[viewsFact], err = json.Marshal(e.views); err != nil {
		return nil, err
	}
	s.Facts, err = json.Marshal(facts)
	return s, err
}

// savedViews returns the views that a network was saved with. Older models have none: theirs are the default ones.
func savedViews(s *core.State, network nn.Encoder, features int) (viewer, error) {
	facts := struct {
		Views Views `json:"views"`
	}{DefaultViews}
	if err := json.Unmarshal(s.Facts, &facts); err != nil {
		return viewer{}, fmt.Errorf("%w: the facts of an embedding: %w", core.ErrShape, err)
	}
	v := viewer{Views: facts.Views, network: network, features: features}
	_, err := core.Description{Options: DefaultViews.options(0)}.Resolve(map[string]any{
		normaliseOption: string(v.Normalise), laggedOption: string(v.Lagged),
	})
	if err != nil {
		return viewer{}, err
	}
	return v, v.check()
}
