package compose

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/koopbench/koopbench/core"
)

// modelFacts are the facts of a composed model's state. Its arrays are those of its parts,
// "embedding/…" and "operator/…".
type modelFacts struct {
	Shape     []int           `json:"shape"` // of a snapshot
	Report    modelReport     `json:"report"`
	Embedding json.RawMessage `json:"embedding,omitempty"`
	Operator  json.RawMessage `json:"operator,omitempty"`
}

// modelReport is what is kept of a report.
type modelReport struct {
	Untrained  string   `json:"untrained,omitempty"`
	Warnings   []string `json:"warnings,omitempty"`
	Rank       int      `json:"rank"`
	Parameters int      `json:"parameters"`
}

// Save implements [core.Saver].
func (m *fitted) Save(ctx context.Context) (*core.State, error) {
	facts := modelFacts{Shape: m.shape,
		Report: modelReport{m.report.Untrained, m.report.Warnings, m.report.Rank, m.report.Parameters}}
	whole := &core.State{}
	for _, part := range []struct {
		name  string
		thing any
		facts *json.RawMessage
	}{{"embedding", m.embedding, &facts.Embedding}, {"operator", m.operator, &facts.Operator}} {
		saver, ok := core.As[core.Saver](part.thing)
		if !ok {
			return nil, fmt.Errorf("%w: the %s of this model cannot be saved", core.ErrUnavailable, part.name)
		}
		s, err := saver.Save(ctx)
		if err != nil {
			return nil, fmt.Errorf("the %s: %w", part.name, err)
		}
		whole.Add(part.name, s)
		*part.facts = s.Facts
	}
	var err error
	whole.Facts, err = json.Marshal(facts)
	return whole, err
}

// Has implements [core.Declarer].
func (m *method) Has(a core.Ability) bool {
	if a != core.AbilityModelLoader {
		return true
	}
	_, embeddings := core.As[core.EmbeddingLoader](m.embedder)
	_, operators := core.As[core.OperatorLoader](m.operator)
	return embeddings && operators
}

// Load implements [core.ModelLoader].
func (m *method) Load(ctx context.Context, s *core.Saved) (_ core.Model, err error) {
	defer core.Recover(&err)
	embeddings, ok := core.As[core.EmbeddingLoader](m.embedder)
	operators, both := core.As[core.OperatorLoader](m.operator)
	if !ok || !both {
		return nil, fmt.Errorf("%w: %s cannot load models, because one of its parts cannot",
			core.ErrUnavailable, m.description.Name)
	}
	var facts modelFacts
	if err := json.Unmarshal(s.Facts, &facts); err != nil {
		return nil, fmt.Errorf("%w: the facts of a model: %w", core.ErrShape, err)
	}
	if _, err := core.NewSnapshots(nil, facts.Shape...); err != nil {
		return nil, err
	}
	model := &fitted{shape: facts.Shape, report: core.Report{
		Untrained:  facts.Report.Untrained,
		Warnings:   facts.Report.Warnings,
		Rank:       facts.Report.Rank,
		Parameters: facts.Report.Parameters,
	}}
	model.embedding, err = embeddings.Load(ctx,
		&core.Saved{State: *s.Part("embedding", facts.Embedding), OracleEmbedding: s.OracleEmbedding})
	if err != nil {
		return nil, fmt.Errorf("the embedding: %w", err)
	}
	model.operator, err = operators.Load(ctx, &core.Saved{State: *s.Part("operator", facts.Operator)})
	if err != nil {
		return nil, fmt.Errorf("the operator: %w", err)
	}
	model.decoder, _ = core.As[core.Decoder](model.embedding)
	model.spectrum, _ = core.As[core.SpectralOperator](model.operator)
	model.report.CompileSeconds = core.ReportOf(model.embedding).CompileSeconds
	return model, nil
}
