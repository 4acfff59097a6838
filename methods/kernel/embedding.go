package kernel

import (
	"context"
	"encoding/json"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/affine"
)

// embedding has the features of a kernel, of the coordinates of snapshots. It is immutable and may be used
// concurrently.
type embedding struct {
	coordinates *affine.Embedding
	*features
}

var (
	_ core.Embedding = (*embedding)(nil)
	_ core.Saver     = (*embedding)(nil)
)

// Dim implements [core.Embedding].
func (e *embedding) Dim() int { return e.number() }

// Embed implements [core.Embedding].
func (e *embedding) Embed(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
	z, err := e.coordinates.Embed(ctx, x)
	if err != nil || x.Len() == 0 {
		return z, err
	}
	return e.at(z), nil
}

// facts are the facts of a state. Its arrays are those of the coordinates, "coordinates/…", and "centres"
// [m, d] and "whiten" [m, r], float64.
type facts struct {
	function
	Coordinates json.RawMessage `json:"coordinates"`
}

// Save implements [core.Saver].
func (e *embedding) Save(ctx context.Context) (*core.State, error) {
	coordinates, err := e.coordinates.Save(ctx)
	if err != nil {
		return nil, err
	}
	m, d := e.centres.Dims()
	s := &core.State{Arrays: map[string]core.Array{
		"centres": {Shape: []int{m, d}, Values: e.centres.RawMatrix().Data},
		"whiten":  {Shape: []int{m, e.number()}, Values: e.whiten.RawMatrix().Data},
	}}
	s.Add("coordinates", coordinates)
	s.Facts, err = json.Marshal(facts{e.function, coordinates.Facts})
	return s, err
}

// Load implements [core.EmbeddingLoader].
func (embedder) Load(_ context.Context, s *core.Saved) (core.Embedding, error) {
	var saved facts
	if err := json.Unmarshal(s.Facts, &saved); err != nil {
		return nil, fmt.Errorf("%w: the facts of the features of a kernel: %w", core.ErrShape, err)
	}
	coordinates, err := affine.Load(s.Part("coordinates", saved.Coordinates))
	if err != nil {
		return nil, err
	}
	centres, shape, err := core.StateValues[float64](&s.State, "centres", 2)
	if err != nil {
		return nil, err
	}
	whiten, square, err := core.StateValues[float64](&s.State, "whiten", 2)
	if err != nil {
		return nil, err
	}
	m, r, d := shape[0], square[1], coordinates.Dim()
	if !saved.valid() || m < 1 || r < 1 || shape[1] != d || square[0] != m {
		return nil, fmt.Errorf("%w: the kernel %+v of centres %v and features %v, for snapshots of %d values",
			core.ErrShape, saved.function, shape, square, d)
	}
	return &embedding{coordinates, &features{
		saved.function, mat.NewDense(m, d, centres), mat.NewDense(m, r, whiten),
	}}, nil
}
