// Package classifier is the baseline on the features of a classifier. The features are the logits
// of the oracle that judges the run.
package classifier

import (
	"context"
	"fmt"

	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

// New returns the method "classifier".
func New() core.Method {
	return compose.New(logits{}, linalg.Ridge{}, &compose.Options{
		Features: func(t *core.Training) int { return t.States },
	})
}

// logits is the embedder that is handed the oracle's encoder.
type logits struct{}

var (
	_ core.Embedder        = logits{}
	_ core.EmbeddingLoader = logits{}
	_ core.Saver           = onlyEmbedding{}
)

func (logits) Describe() core.Description {
	return core.Description{
		Name:    "classifier",
		Summary: "ridge regression on the logits of the oracle that judges the run",
		Doc: "The features are the logits of the oracle, a classifier of the states that is trained with labels. They show " +
			"what is possible with features that distinguish the states (Kostic, Novelli, Grazzi, Lounici and Pontil, " +
			"Learning invariant representations of time-homogeneous stochastic dynamical systems, ICLR 2024, §6). Then the " +
			"evolution operator is fitted to them by ridge regression, with the snapshots as observable. The method uses the " +
			"oracle that judges it, so it is never ranked with the others.",
		Exposure: core.OracleExposed,
	}
}

func (logits) Fit(_ context.Context, t *core.Training) (core.Embedding, error) {
	return encoderOf(t.OracleEmbedding)
}

// Load implements [core.EmbeddingLoader]: there is nothing but the encoder that is handed in.
func (logits) Load(_ context.Context, s *core.Saved) (core.Embedding, error) {
	return encoderOf(s.OracleEmbedding)
}

func encoderOf(e core.Embedding) (core.Embedding, error) {
	if e == nil {
		return nil, fmt.Errorf("%w: classifier needs the features of the oracle, but this oracle does not give them",
			core.ErrUnavailable)
	}
	return onlyEmbedding{e}, nil
}

// onlyEmbedding hides the report of the oracle's training, which is not the method's.
type onlyEmbedding struct{ core.Embedding }

// Save implements [core.Saver]. The encoder is not the method's, and not part of the state.
func (onlyEmbedding) Save(context.Context) (*core.State, error) { return &core.State{}, nil }
