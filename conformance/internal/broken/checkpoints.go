package broken

import (
	"context"
	"encoding/json"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// progress is how far a fit has come, as a checkpoint of that name holds it.
type progress struct {
	name     string
	facts    any // a pointer
	matrices map[string]*mat.Dense
}

// resume puts the fit where a checkpoint left it, if there is one that fits.
func (p progress) resume(kept core.Checkpoints) {
	state := kept.Load(p.name)
	if state == nil {
		return
	}
	values := map[string][]float64{}
	for name, m := range p.matrices {
		v, _, err := core.StateValues[float64](state, name, 2)
		if err != nil || len(v) != len(m.RawMatrix().Data) {
			return
		}
		values[name] = v
	}
	if json.Unmarshal(state.Facts, p.facts) != nil {
		return
	}
	for name, v := range values {
		copy(p.matrices[name].RawMatrix().Data, v)
	}
}

func (p progress) store(kept core.Checkpoints) {
	if !kept.Due() {
		return
	}
	facts, err := json.Marshal(p.facts)
	if err != nil {
		return
	}
	state := &core.State{Facts: facts, Arrays: map[string]core.Array{}}
	for name, m := range p.matrices { // Store keeps no reference
		rows, columns := m.Dims()
		state.Arrays[name] = core.Array{Shape: []int{rows, columns}, Values: m.RawMatrix().Data}
	}
	kept.Store(p.name, state)
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

// noticing are checkpoints that notice whether one was loaded.
type noticing struct {
	core.Checkpoints
	loaded bool
}

func (k *noticing) Load(name string) *core.State {
	state := k.Checkpoints.Load(name)
	k.loaded = k.loaded || state != nil
	return state
}

// forgetful is a fit that has no history where it continues.
func forgetful(correct fitFunc) fitFunc {
	return func(ctx context.Context, t *core.Training) (*fitted, error) {
		changed, kept := *t, &noticing{Checkpoints: checkpointsOf(t)}
		changed.Checkpoints = kept
		f, err := correct(ctx, &changed)
		if err == nil && kept.loaded {
			f.report = reporting(func(r *core.Report) { r.History = nil }, f.report)
		}
		return f, err
	}
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
