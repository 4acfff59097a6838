package broken

import (
	"encoding/json"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// resume puts the fit where a checkpoint left it, if there is one, and returns the epoch after.
func (s *subspace) resume(kept core.Checkpoints) (next int) {
	state := kept.Load("subspace")
	if state == nil {
		return 1
	}
	directions, _, err := core.StateValues[float64](state, "directions", 2)
	size, d := s.directions.Dims()
	var history []core.Epoch
	if err != nil || len(directions) != size*d || json.Unmarshal(state.Facts, &history) != nil {
		return 1 // it is another's
	}
	copy(s.directions.RawMatrix().Data, directions)
	s.history = history
	return len(history) + 1
}

func (s *subspace) store(kept core.Checkpoints) {
	if !kept.Due() {
		return
	}
	facts, err := json.Marshal(s.history)
	if err != nil {
		return
	}
	kept.Store("subspace", &core.State{Facts: facts, Arrays: map[string]core.Array{"directions": arrayOf(s.directions)}})
}

// sums is how far the fit of the oracle has come: of the snapshots before next.
type sums struct {
	next          int
	means, counts *mat.Dense
}

func (s *sums) resume(kept core.Checkpoints) {
	state := kept.Load("sums")
	if state == nil {
		return
	}
	means, _, err := core.StateValues[float64](state, "means", 2)
	counts, _, other := core.StateValues[float64](state, "counts", 2)
	if err != nil || other != nil || len(means) != len(s.means.RawMatrix().Data) || len(counts) != len(s.counts.RawMatrix().Data) || json.Unmarshal(state.Facts, &s.next) != nil {
		return
	}
	copy(s.means.RawMatrix().Data, means)
	copy(s.counts.RawMatrix().Data, counts)
}

func (s *sums) store(kept core.Checkpoints) {
	if !kept.Due() {
		return
	}
	facts, err := json.Marshal(s.next)
	if err != nil {
		return
	}
	kept.Store("sums", &core.State{Facts: facts, Arrays: map[string]core.Array{"means": arrayOf(s.means), "counts": arrayOf(s.counts)}})
}

// arrayOf copies nothing: Store keeps no reference.
func arrayOf(m *mat.Dense) core.Array {
	rows, columns := m.Dims()
	return core.Array{Shape: []int{rows, columns}, Values: m.RawMatrix().Data}
}

// checkpointsOf are those of a training, which may have none.
func checkpointsOf(t *core.Training) core.Checkpoints {
	if t.Checkpoints == nil {
		return core.NoCheckpoints
	}
	return t.Checkpoints
}

// tampered are checkpoints that come back changed, or never.
type tampered struct {
	core.Checkpoints
	name   func(string) string
	change func(*core.State) *core.State // nil for never
}

func (k tampered) Load(name string) *core.State {
	if k.change == nil {
		return nil
	}
	state := k.Checkpoints.Load(k.name(name))
	if state == nil {
		return nil
	}
	return k.change(state)
}

func (k tampered) Store(name string, s *core.State) { k.Checkpoints.Store(k.name(name), s) }

// tampering breaks what is stored.
func tampering(name func(string) string, change func(*core.State) *core.State) func(fitFunc) fitFunc {
	return before(func(t *core.Training) {
		if t.Checkpoints != nil {
			t.Checkpoints = tampered{t.Checkpoints, name, change}
		}
	})
}

// rounded is a state in single precision.
func rounded(s *core.State) *core.State {
	for _, a := range s.Arrays {
		if values, ok := a.Values.([]float64); ok {
			for i, v := range values {
				values[i] = float64(float32(v/3)) * 3
			}
		}
	}
	return s
}
