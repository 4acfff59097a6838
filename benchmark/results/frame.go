package results

import (
	"fmt"
	"maps"
	"slices"

	"github.com/koopbench/koopbench/core"
)

// frameInfo is what the header of a model file says of a [core.Frame]. Its numbers are the arrays frame/shift and
// frame/scale, since there may be millions of them.
type frameInfo struct {
	Rows   int      `json:"rows"`
	Stride int      `json:"stride"`
	Names  []string `json:"names,omitempty"`
}

const (
	frameShift = "frame/shift"
	frameScale = "frame/scale"
)

// modelHeader is the header of a model file.
type modelHeader struct {
	ModelInfo

	Frame *frameInfo `json:"frame,omitempty"`
}

// framed returns the header and the state of the file.
func (m *SavedModel) framed() (modelHeader, *core.State, error) {
	header := modelHeader{ModelInfo: m.ModelInfo}
	if m.Frame == nil {
		return header, m.State, nil
	}
	header.Frame = &frameInfo{m.Frame.Rows, m.Frame.Stride, m.Frame.Names}
	if m.Frame.Scale == nil {
		return header, m.State, nil
	}
	all := &core.State{Facts: m.State.Facts, Arrays: map[string]core.Array{}}
	maps.Copy(all.Arrays, m.State.Arrays)
	for name, values := range map[string][]float64{frameShift: m.Frame.Shift, frameScale: m.Frame.Scale} {
		if _, taken := m.State.Arrays[name]; taken {
			return header, nil, fmt.Errorf("%w: an array of the state has the name %q, which belongs to the frame; give it "+
				"another "+
				"name", core.ErrDescription, name)
		}
		all.Arrays[name] = core.Array{Shape: []int{len(values)}, Values: values}
	}
	return header, all, nil
}

// unframe takes the frame out of the state of a file with that header.
func (m *SavedModel) unframe(h *frameInfo) (err error) {
	if h == nil {
		return nil
	}
	m.Frame = &core.Frame{Rows: h.Rows, Stride: h.Stride, Names: h.Names}
	if _, scaled := m.State.Arrays[frameScale]; scaled {
		if m.Frame.Shift, _, err = core.StateValues[float64](m.State, frameShift, 1); err != nil {
			return err
		}
		if m.Frame.Scale, _, err = core.StateValues[float64](m.State, frameScale, 1); err != nil {
			return err
		}
		delete(m.State.Arrays, frameShift)
		delete(m.State.Arrays, frameScale)
	}
	return m.Frame.Validate(m.Task.Shape)
}

// SameFrame reports whether two frames are equal bit by bit; nil is the frame of a task without
// one.
func SameFrame(a, b *core.Frame) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Rows == b.Rows && a.Stride == b.Stride && slices.Equal(a.Names, b.Names) &&
		slices.Equal(a.Shift, b.Shift) && slices.Equal(a.Scale, b.Scale)
}
