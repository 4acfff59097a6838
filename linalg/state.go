package linalg

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

var (
	_ core.Saver          = Operator{}
	_ core.OperatorLoader = Ridge{}
)

// modelFacts are the facts of a model's state. Its arrays, float64, are those of the parts of
// [Model] that it has: "mean" [d], "basis" [d, r], "step" [k, k], "features" [k, d] and
// "observable" [k, p]; k is the rank r, and r + 1 with "mean".
type modelFacts struct {
	Dim         int      `json:"dim"`
	Lag         int      `json:"lag"`
	Rank        int      `json:"rank"`
	Observables int      `json:"observables"`
	Warnings    []string `json:"warnings,omitempty"`
}

// Save implements [core.Saver].
func (o Operator) Save(context.Context) (*core.State, error) {
	m := o.Model
	s := &core.State{Arrays: map[string]core.Array{}}
	for name, part := range map[string]*mat.Dense{"basis": m.basis, "step": m.step, "features": m.features,
		"observable": m.observable} {
		if part == nil {
			continue
		}
		n, d := part.Dims()
		values := make([]float64, 0, n*d)
		for i := range n {
			values = append(values, part.RawRowView(i)...)
		}
		s.Arrays[name] = core.Array{Shape: []int{n, d}, Values: values}
	}
	if m.mean != nil {
		s.Arrays["mean"] = core.Array{Shape: []int{m.dim}, Values: m.mean}
	}
	var err error
	s.Facts, err = json.Marshal(modelFacts{m.dim, m.lag, m.rank, m.observables, m.warnings})
	return s, err
}

// Load implements [core.OperatorLoader] for what an [Operator] saved.
func (Ridge) Load(_ context.Context, s *core.Saved) (_ core.Operator, err error) {
	defer core.Recover(&err)
	var facts modelFacts
	if err := json.Unmarshal(s.Facts, &facts); err != nil {
		return nil, fmt.Errorf("%w: the facts of a ridge regression: %w", core.ErrShape, err)
	}
	m := &Model{dim: facts.Dim, lag: facts.Lag, rank: facts.Rank, observables: facts.Observables, warnings: facts.Warnings}
	if m.dim < 1 || m.lag < 1 || m.rank < 0 || m.rank > m.dim || m.observables < 0 {
		return nil, fmt.Errorf("%w: a ridge regression of %+v, which is not possible", core.ErrShape, facts)
	}
	k := m.rank
	if _, centred := s.Arrays["mean"]; centred {
		mean, err := stored(s, "mean", 1, m.dim)
		if err != nil {
			return nil, err
		}
		m.mean = mean.RawRowView(0)
		k++
	}
	for _, part := range []struct {
		name string
		to   **mat.Dense
		n, d int
	}{{"basis", &m.basis, m.dim, m.rank}, {"step", &m.step, k, k}, {"features", &m.features, k, m.dim},
		{"observable", &m.observable, k, m.observables}} {
		if part.n == 0 || part.d == 0 {
			continue
		}
		if *part.to, err = stored(s, part.name, part.n, part.d); err != nil {
			return nil, err
		}
	}
	if err := m.checkFinite(); err != nil {
		return nil, err
	}
	m.prepare()
	return Operator{m}, nil
}

// stored returns an array of a state as an n×d matrix, a vector as 1×d.
func stored(s *core.Saved, name string, n, d int) (*mat.Dense, error) {
	values, shape, err := core.StateValues[float64](&s.State, name, len(s.Arrays[name].Shape))
	if err != nil {
		return nil, err
	}
	if !slices.Equal(shape, []int{n, d}) && (n != 1 || !slices.Equal(shape, []int{d})) {
		return nil, fmt.Errorf("%w: the array %q has the shape %v; it must be %d×%d", core.ErrShape, name, shape, n, d)
	}
	return mat.NewDense(n, d, slices.Clone(values)), nil
}
