package core

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// A Source makes snapshots when they are read, so a sequence does not have to be in memory. It may
// be in a mapped file, or be computed from another sequence. A Source gives the same values at
// every call, and several goroutines may read it at the same time. Snapshots and the values of a
// snapshot are counted from 0.
//
// A Source that can no longer be read, for instance because its file was cut, panics with
// [Unreadable].
type Source interface {
	// Read fills dst with the values of the snapshots from, from+1, …. The length of dst is a multiple
	// of the size of a snapshot.
	Read(dst []float32, from int)
	// At is value j of snapshot i.
	At(i, j int) float32
}

// Unreadable is the panic of a [Source]. [Recover] turns it into the error that it contains.
type Unreadable struct{ Err error }

// NewSourceSnapshots returns the sequence of the first n snapshots of a source, of the given shape. The
// error is [ErrShape] if an axis of shape is not positive or n is negative.
func NewSourceSnapshots(source Source, n int, shape ...int) (Snapshots, error) {
	size, err := snapshotSize(0, shape)
	if err != nil {
		return Snapshots{}, err
	}
	if n < 0 {
		return Snapshots{}, fmt.Errorf("%w: %d snapshots", ErrShape, n)
	}
	return ofSource(source, n, slices.Clone(shape), size), nil
}

func ofSource(source Source, n int, shape []int, size int) Snapshots {
	return Snapshots{shape: shape, size: size, source: &part{Source: source, n: n}}
}

// part is n snapshots of a source, the first of them being from.
type part struct {
	Source

	from, n int
	finite  atomic.Bool // known to be so
}

// check panics for snapshots that there are not, as slicing does.
func (p *part) check(from, end int) {
	if from < 0 || end < from || end > p.n {
		panic(fmt.Sprintf("core: snapshots %d to %d of %d", from, end, p.n))
	}
}

func (p *part) slice(from, end int) *part {
	p.check(from, end)
	s := &part{Source: p.Source, from: p.from + from, n: end - from}
	s.finite.Store(p.finite.Load())
	return s
}

// checkFinite is that of [Snapshots] s, whose source p is. What is found to be finite is not read again.
func (p *part) checkFinite(s Snapshots) error {
	if p.finite.Load() {
		return nil
	}
	if d, ok := p.Source.(*delayed); ok { // its values are those of fewer
		if err := d.x.CheckFinite(); err != nil {
			return err
		}
		p.finite.Store(true)
		return nil
	}
	for from, block := range s.blocks() {
		for i, v := range block {
			if v-v != 0 {
				return nonFinite(from*s.size+i, s.size, v)
			}
		}
	}
	p.finite.Store(true)
	return nil
}

// Scaled returns the snapshots with each value v shifted and scaled, (v − shift) / by, computed in
// float64. It allocates no memory for snapshots, because they are computed when they are read. The
// error is [ErrShape] unless shift and by have as many numbers as a snapshot has values.
func (s Snapshots) Scaled(shift, by []float64) (Snapshots, error) {
	if len(shift) != s.size || len(by) != s.size {
		return Snapshots{}, fmt.Errorf("%w: %d shifts and %d divisors for the %d values of a snapshot", ErrShape,
			len(shift), len(by), s.size)
	}
	return ofSource(&scaled{s, shift, by}, s.Len(), s.shape, s.size), nil
}

type scaled struct {
	x         Snapshots
	shift, by []float64
}

func (s *scaled) Read(dst []float32, from int) {
	s.x.Read(dst, from)
	for row := range slices.Chunk(dst, len(s.by)) {
		shift, by := s.shift[:len(row)], s.by[:len(row)]
		for j, v := range row {
			row[j] = float32((float64(v) - shift[j]) / by[j])
		}
	}
}

func (s *scaled) At(i, j int) float32 { return float32((float64(s.x.at(i, j)) - s.shift[j]) / s.by[j]) }

// Delayed returns snapshots of which each contains the given number of snapshots of s, a stride
// apart, the oldest first. The first axis is that many times as long, so images are stacked
// vertically. There are (rows−1)·stride fewer snapshots than in s. They share the memory of s. The
// error is [ErrOption] unless rows and stride are positive, and [ErrTooShort] if s has too few
// snapshots for one.
func (s Snapshots) Delayed(rows, stride int) (Snapshots, error) {
	if rows < 1 || stride < 1 {
		return Snapshots{}, fmt.Errorf("%w: a delay of %d snapshots with a stride of %d; both must be at least 1", ErrOption,
			rows, stride)
	}
	if rows == 1 {
		return s, nil
	}
	n := s.Len() - (rows-1)*stride
	if n < 1 {
		return Snapshots{}, fmt.Errorf("%w: %d snapshots, and one with a delay of %d and a stride of %d takes %d",
			ErrTooShort,
			s.Len(), rows, stride, (rows-1)*stride+1)
	}
	shape := slices.Clone(s.shape)
	shape[0] *= rows
	return NewSourceSnapshots(&delayed{s, rows, stride}, n, shape...)
}

type delayed struct {
	x            Snapshots
	rows, stride int
}

func (d *delayed) Read(dst []float32, from int) {
	size := d.x.size
	if d.stride == 1 {
		size *= d.rows // they lie side by side
	}
	for i := from; len(dst) > 0; i++ {
		for at := i; at < i+d.rows*d.stride; at += d.stride * size / d.x.size {
			d.x.Read(dst[:size], at)
			dst = dst[size:]
		}
	}
}

func (d *delayed) At(i, j int) float32 { return d.x.at(i+j/d.x.size*d.stride, j%d.x.size) }

// joined are trajectories one after the other.
type joined struct{ t Trajectories }

func (j joined) Read(dst []float32, from int) { j.t.Read(dst, from) }

func (j joined) At(i, value int) float32 {
	k, at := j.t.find(i)
	return j.t.parts[k].at(at, value)
}
