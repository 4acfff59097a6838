package nn

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Embedding is a trained encoder, with a report of its training.
type Embedding struct {
	network Encoder // nil if it is not known
	encoder *Inference
	report  core.Report
}

var (
	_ core.Embedding = (*Embedding)(nil)
	_ core.Reporter  = (*Embedding)(nil)
	_ core.Saver     = (*Embedding)(nil)
)

// NewEmbedding returns the embedding by a network whose result is [n, d]. A saved embedding
// contains the encoder that built the network; nil leaves it out.
func NewEmbedding(network Encoder, encoder *Inference, report core.Report) *Embedding {
	return &Embedding{network, encoder, report}
}

// Dim implements [core.Embedding].
func (e *Embedding) Dim() int { return product(e.encoder.out) }

// Embed implements [core.Embedding].
func (e *Embedding) Embed(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
	return e.encoder.Features(ctx, x)
}

// Report implements [core.Reporter].
func (e *Embedding) Report() core.Report { return e.report }

// networkFacts are the facts of an embedding's state. Its arrays are all trained parameters of the store, by path.
type networkFacts struct {
	Shape    []int `json:"shape"` // of a snapshot
	Features int   `json:"features"`
	// Encoder is what the network was built by; nil in states of before there was this field.
	Encoder *encoderFacts `json:"encoder,omitempty"`
}

// Save implements [core.Saver]. [LoadNetwork] reads what it returns.
func (e *Embedding) Save(context.Context) (*core.State, error) {
	arrays, err := Parameters(e.encoder.exec.Store())
	if err != nil {
		return nil, err
	}
	network, err := keepEncoder(e.network)
	if err != nil {
		return nil, err
	}
	facts, err := json.Marshal(networkFacts{e.encoder.in, e.Dim(), network})
	return &core.State{Facts: facts, Arrays: arrays}, err
}

// Network is what [Embedding.Save] stored of an embedding: the parameters, with which
// [NewInference] builds networks, and the encoder, which [SavedEncoder] returns.
type Network struct {
	Store    *model.Store
	Shape    []int // of a snapshot
	Features int

	encoder *encoderFacts
}

// LoadNetwork reads a state that [Embedding.Save] returned. The error is [core.ErrShape] if the
// state is something else. Whether the parameters are those of a network is known only when it is
// built.
func LoadNetwork(s *core.State) (*Network, error) {
	var facts networkFacts
	if err := json.Unmarshal(s.Facts, &facts); err != nil {
		return nil, fmt.Errorf("%w: the facts of a network: %w", core.ErrShape, err)
	}
	if facts.Features < 1 {
		return nil, fmt.Errorf("%w: a network of %d features", core.ErrShape, facts.Features)
	}
	store, err := LoadStore(s.Arrays)
	return &Network{store, facts.Shape, facts.Features, facts.Encoder}, err
}
