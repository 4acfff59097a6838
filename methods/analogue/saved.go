package analogue

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/koopbench/koopbench/core"
)

// facts are the facts of a state. Its array is "snapshots" [n, d], float32: the training snapshots.
type facts struct {
	Shape      []int `json:"shape"`
	Lengths    []int `json:"lengths"` // of the trajectories
	Lag        int   `json:"lag"`
	Neighbours int   `json:"neighbours"`
}

// Save implements [core.Saver].
func (m *model) Save(context.Context) (*core.State, error) {
	text, err := json.Marshal(facts{m.past.Shape(), m.past.Lengths(), m.lag, m.neighbours})
	return &core.State{Facts: text, Arrays: map[string]core.Array{
		"snapshots": {Shape: []int{m.past.Len(), m.past.Size()}, Values: m.past.Snapshots().Floats()},
	}}, err
}

// Load implements [core.ModelLoader].
func (method) Load(ctx context.Context, s *core.Saved) (core.Model, error) {
	var saved facts
	if err := json.Unmarshal(s.Facts, &saved); err != nil {
		return nil, fmt.Errorf("%w: the facts of analogues: %w", core.ErrShape, err)
	}
	values, shape, err := core.StateValues[float32](&s.State, "snapshots", 2)
	if err != nil {
		return nil, err
	}
	all, err := core.NewSnapshots(values, saved.Shape...)
	if err != nil {
		return nil, err
	}
	if all.Len() != shape[0] {
		return nil, fmt.Errorf("%w: %v values are %d snapshots of shape %v", core.ErrShape, shape, all.Len(), saved.Shape)
	}
	if err := all.CheckFinite(); err != nil {
		return nil, err
	}
	past, err := core.CutTrajectories(all, saved.Lengths)
	if err != nil {
		return nil, err
	}
	if saved.Neighbours < 1 || saved.Neighbours > past.Pairs(saved.Lag) {
		return nil, fmt.Errorf("%w: %d neighbours among %d pairs at a lag of %d", core.ErrShape, saved.Neighbours,
			past.Pairs(saved.Lag), saved.Lag)
	}
	return newModel(ctx, past, saved.Lag, saved.Neighbours)
}
