package core

import (
	"fmt"
	"slices"
)

// Trajectories is one or several sequences of snapshots of one shape.
type Trajectories struct{ parts []Snapshots }

// OneTrajectory returns a single sequence.
func OneTrajectory(x Snapshots) Trajectories { return Trajectories{[]Snapshots{x}} }

// NewTrajectories joins sequences.
func NewTrajectories(parts ...Snapshots) (Trajectories, error) {
	for _, p := range parts {
		if !p.SameShape(parts[0]) {
			return Trajectories{}, fmt.Errorf("%w: trajectories of shapes %v and %v", ErrShape, parts[0].Shape(), p.Shape())
		}
	}
	return Trajectories{parts}, nil
}

// Len is the number of snapshots of all trajectories.
func (t Trajectories) Len() int {
	n := 0
	for _, p := range t.parts {
		n += p.Len()
	}
	return n
}

// Lengths are the numbers of snapshots of the trajectories.
func (t Trajectories) Lengths() []int {
	lengths := make([]int, len(t.parts))
	for i, p := range t.parts {
		lengths[i] = p.Len()
	}
	return lengths
}

// Snapshots returns all snapshots one after the other.
func (t Trajectories) Snapshots() Snapshots {
	switch len(t.parts) {
	case 0:
		return Snapshots{}
	case 1:
		return t.parts[0]
	}
	all := Snapshots{shape: t.parts[0].shape, size: t.parts[0].size}
	pixels := !slices.ContainsFunc(t.parts, func(x Snapshots) bool { return x.pixels == nil })
	for _, x := range t.parts {
		if pixels {
			all.pixels = append(all.pixels, x.pixels...)
		} else {
			all.floats = append(all.floats, x.Floats()...)
		}
	}
	return all
}

// Count is the number of trajectories.
func (t Trajectories) Count() int { return len(t.parts) }

// At is one of them, counted from 0.
func (t Trajectories) At(i int) Snapshots { return t.parts[i] }

// Shape is the shape of one snapshot.
func (t Trajectories) Shape() []int {
	if len(t.parts) == 0 {
		return nil
	}
	return t.parts[0].Shape()
}

// SameShape reports whether the snapshots of t and o have one shape.
func (t Trajectories) SameShape(o Trajectories) bool { return slices.Equal(t.Shape(), o.Shape()) }

// Pairs is the number of pairs at a lag.
func (t Trajectories) Pairs(lag int) int {
	n := 0
	for _, p := range t.parts {
		n += max(p.Len()-lag, 0)
	}
	return n
}

// CheckFinite is that of [Snapshots].
func (t Trajectories) CheckFinite() error {
	for _, p := range t.parts {
		if err := p.CheckFinite(); err != nil {
			return err
		}
	}
	return nil
}

// Gather copies snapshots, numbered through.
func (t Trajectories) Gather(dst []float32, times []int) {
	for i, at := range times {
		for _, p := range t.parts {
			if at < p.Len() {
				p.Read(dst[i*p.Size():(i+1)*p.Size()], at)
				break
			}
			at -= p.Len()
		}
	}
}
