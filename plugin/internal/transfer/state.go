package transfer

import (
	"fmt"
	"maps"
	"slices"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/wire"
)

// State returns a state as it is sent, under a name if it is a checkpoint, and its arrays, which
// follow. The error is that of [core.State.Validate], or [core.ErrShape] for arrays that are too
// many or too large.
func State(name string, s *core.State) (*wire.State, []Array, error) {
	if err := s.Validate(); err != nil {
		return nil, nil, err
	}
	arrays := make([]Array, 0, len(s.Arrays))
	for _, name := range slices.Sorted(maps.Keys(s.Arrays)) {
		arrays = append(arrays, stored(name, s.Arrays[name]))
	}
	if err := checkTogether(Headers(arrays)); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", core.ErrShape, err)
	}
	return &wire.State{Name: Text(name, MaxName), Facts: s.Facts, Arrays: Headers(arrays)}, arrays, nil
}

// checkAnnouncedState checks all of a state but the values of its arrays, before they have come.
// The error is [core.ErrContract].
func checkAnnouncedState(w *wire.State) error {
	if err := checkTogether(w.GetArrays()); err != nil {
		return err
	}
	bare := &core.State{Facts: w.GetFacts(), Arrays: map[string]core.Array{}}
	if len(w.GetFacts()) == 0 {
		bare.Facts = nil
	}
	for _, h := range w.GetArrays() {
		if _, twice := bare.Arrays[h.GetName()]; twice {
			return fmt.Errorf("%w: a state has two arrays %q", core.ErrContract, h.GetName())
		}
		none, err := (&Received{Name: h.GetName(), Type: h.GetType(), Shape: []int{0}}).stored()
		if err != nil {
			return err
		}
		bare.Arrays[h.GetName()] = none
	}
	if err := bare.Validate(); err != nil {
		return fmt.Errorf("%w: %w", core.ErrContract, err)
	}
	return nil
}

// checkTogether checks the announcements of a state's arrays.
func checkTogether(headers []*wire.Array) error {
	if len(headers) > MaxStateArrays {
		return fmt.Errorf("%w: a state has %d arrays; the most is %d", core.ErrContract, len(headers), MaxStateArrays)
	}
	room := MaxArray
	for _, h := range headers {
		n, err := count(h)
		if err != nil {
			return err
		}
		if room -= n * widths[h.GetType()]; room < 0 {
			return fmt.Errorf("%w: the arrays of a state have more than %d bytes together", core.ErrContract, MaxArray)
		}
	}
	return nil
}

// stored is an array of a state that is valid.
func stored(name string, a core.Array) Array {
	switch values := a.Values.(type) {
	case []float32:
		return singles(name, values, a.Shape...)
	case []float64:
		return Doubles(name, values, a.Shape...)
	case []int64:
		return whole(name, values, a.Shape...)
	}
	return Array{header(name, wire.Type_UINT8, a.Shape...), func(dst []byte, from, to int) []byte {
		return append(dst, a.Values.([]uint8)[from:to]...)
	}}
}

// ReceiveState receives a state whose arrays follow, after all that is known of it is checked. The
// error is that of the stream, or [core.ErrContract].
func ReceiveState(s Stream, w *wire.State) (*core.State, error) {
	if err := checkAnnouncedState(w); err != nil {
		return nil, err
	}
	names := make([]string, len(w.GetArrays()))
	for i, h := range w.GetArrays() {
		names[i] = h.GetName()
	}
	received, err := Receive(s, w.GetArrays(), names...)
	if err != nil {
		return nil, err
	}
	state := &core.State{Arrays: map[string]core.Array{}}
	if len(w.GetFacts()) > 0 {
		state.Facts = w.GetFacts()
	}
	for _, a := range received {
		if state.Arrays[a.Name], err = a.stored(); err != nil {
			return nil, err
		}
	}
	if err := state.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", core.ErrContract, err)
	}
	return state, nil
}

// stored returns the array as one of a state.
func (a *Received) stored() (core.Array, error) {
	array := core.Array{Shape: a.Shape}
	switch a.Type {
	case wire.Type_FLOAT32:
		array.Values = a.singles
	case wire.Type_FLOAT64:
		array.Values = a.doubles
	case wire.Type_INT64:
		values := make([]int64, len(a.whole))
		for i, v := range a.whole {
			values[i] = int64(v)
		}
		array.Values = values
	case wire.Type_UINT8:
		array.Values = a.pixels
	default:
		return array, fmt.Errorf("%w: the array %q of a state is %s; it must be FLOAT32, FLOAT64, INT64 or UINT8",
			core.ErrContract, a.Name, a.Type)
	}
	return array, nil
}
