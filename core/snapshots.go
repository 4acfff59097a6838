package core

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Snapshots is a time-ordered sequence of equally shaped arrays of float32, stored row-major with time as first axis.
//
// A Snapshots value is immutable: nothing may write to the memory it holds, and it may be read by any number of
// goroutines. Slices of one sequence share memory. 8-bit images stay 8 bits wide in memory and become float32 as they
// are read, so that a sequence costs what its file costs. A sequence may also be in no memory at all, see [Source].
//
// The zero value is an empty sequence of no shape.
type Snapshots struct {
	shape  []int
	size   int
	floats []float32
	pixels []uint8
	source *part
}

// pixelValue[p] is the value of pixel p, p/255.
var pixelValue = func() (values [256]float32) {
	for p := range values {
		values[p] = float32(float64(p) / 255)
	}
	return values
}()

// NewSnapshots returns the sequence of snapshots of the given shape whose values follow one another in values. It keeps
// values, which must not be written to afterwards. The error is [ErrShape] if an axis of shape is not positive or if
// values does not hold a whole number of snapshots.
func NewSnapshots(values []float32, shape ...int) (Snapshots, error) {
	size, err := snapshotSize(len(values), shape)
	if err != nil {
		return Snapshots{}, err
	}
	return Snapshots{shape: slices.Clone(shape), size: size, floats: values}, nil
}

// NewPixelSnapshots is [NewSnapshots] for 8-bit images: pixel p has the value p/255.
func NewPixelSnapshots(pixels []uint8, shape ...int) (Snapshots, error) {
	size, err := snapshotSize(len(pixels), shape)
	if err != nil {
		return Snapshots{}, err
	}
	return Snapshots{shape: slices.Clone(shape), size: size, pixels: pixels}, nil
}

// SnapshotsFromMatrix returns the sequence whose snapshot i is row i of m, rounded to float32. The error is [ErrShape]
// if the columns of m do not fill the shape.
func SnapshotsFromMatrix(m mat.Matrix, shape ...int) (Snapshots, error) {
	n, d := m.Dims()
	size, err := snapshotSize(n*d, shape)
	if err != nil {
		return Snapshots{}, err
	}
	if size != d {
		return Snapshots{}, fmt.Errorf("%w: %d columns cannot be snapshots of shape %v (%d values)", ErrShape, d, shape, size)
	}
	values := make([]float32, n*d)
	row := make([]float64, d)
	for i := range n {
		mat.Row(row, i, m)
		for j, v := range row {
			values[i*d+j] = float32(v)
		}
	}
	return NewSnapshots(values, shape...)
}

func snapshotSize(values int, shape []int) (int, error) {
	if len(shape) == 0 {
		return 0, fmt.Errorf("%w: a snapshot needs at least one axis", ErrShape)
	}
	size := 1
	for _, n := range shape {
		if n < 1 || n > math.MaxInt32 || size > math.MaxInt32/n {
			return 0, fmt.Errorf(
				"%w: %v is not the shape of a snapshot: axes must be positive, with a product below 2³¹",
				ErrShape, shape)
		}
		size *= n
	}
	if values%size != 0 {
		return 0, fmt.Errorf("%w: %d values are not a whole number of snapshots of shape %v (%d values each)", ErrShape,
			values, shape, size)
	}
	return size, nil
}

// Len is the number of snapshots.
func (s Snapshots) Len() int {
	if s.size == 0 {
		return 0
	}
	if s.source != nil {
		return s.source.n
	}
	return max(len(s.floats), len(s.pixels)) / s.size
}

// Shape is the shape of one snapshot, without the time axis.
func (s Snapshots) Shape() []int { return slices.Clone(s.shape) }

// Size is the number of values in one snapshot.
func (s Snapshots) Size() int { return s.size }

// Slice returns snapshots from to end-1, sharing memory. It panics if the range is not within the
// sequence, as slicing does.
func (s Snapshots) Slice(from, end int) Snapshots {
	switch {
	case s.source != nil:
		s.source = s.source.slice(from, end)
	case s.pixels != nil:
		s.pixels = s.pixels[from*s.size : end*s.size : end*s.size]
	default:
		s.floats = s.floats[from*s.size : end*s.size : end*s.size]
	}
	return s
}

// Read copies snapshots from, from+1, … into dst until dst is full. The length of dst must be a
// multiple of Size, and the snapshots must exist: Read panics otherwise, as indexing does.
func (s Snapshots) Read(dst []float32, from int) {
	if s.source != nil {
		s.source.check(from, from+len(dst)/s.size)
		s.source.Read(dst, s.source.from+from)
		return
	}
	if s.pixels != nil {
		for i, p := range s.pixels[from*s.size : from*s.size+len(dst)] {
			dst[i] = pixelValue[p]
		}
		return
	}
	copy(dst, s.floats[from*s.size:from*s.size+len(dst)])
}

// at is value j of snapshot i.
func (s *Snapshots) at(i, j int) float32 {
	if s.floats != nil {
		return s.floats[i*s.size+j]
	}
	return s.made(i, j)
}

// made is at where values are made as they are read.
func (s *Snapshots) made(i, j int) float32 {
	if s.pixels != nil {
		return pixelValue[s.pixels[i*s.size+j]]
	}
	return s.source.At(s.source.from+i, j)
}

// blocks iterates over the values in pieces of whole snapshots, with the number of the first one of each. A
// piece holds until the next one.
func (s Snapshots) blocks() iter.Seq2[int, []float32] {
	return func(yield func(from int, values []float32) bool) {
		rows := max(1, min(s.Len(), 1<<16/max(s.size, 1)))
		values := make([]float32, rows*s.size)
		for from := 0; from < s.Len(); from += rows {
			block := values[:min(rows, s.Len()-from)*s.size]
			s.Read(block, from)
			if !yield(from, block) {
				return
			}
		}
	}
}

// Gather copies the snapshots at the given times into dst, one after the other.
func (s Snapshots) Gather(dst []float32, times []int) {
	for i, t := range times {
		s.Read(dst[i*s.size:(i+1)*s.size], t)
	}
}

// Floats returns all values, row-major. Where the sequence is stored as float32 this is its own memory: the caller must
// not write to it. Of any other sequence it is a copy, of a long one therefore a large one.
func (s Snapshots) Floats() []float32 {
	if s.pixels == nil && s.source == nil {
		return s.floats
	}
	values := make([]float32, s.Len()*s.size)
	s.Read(values, 0)
	return values
}

// Pixels returns the pixels of a sequence of 8-bit images, and whether it is one. This is its own
// memory: the caller must not write to it.
func (s Snapshots) Pixels() ([]uint8, bool) { return s.pixels, s.pixels != nil }

// WriteTo writes all values as float32, little-endian and row-major: the form in which snapshots are hashed.
func (s Snapshots) WriteTo(w io.Writer) (int64, error) {
	var text []byte
	var written int64
	for _, block := range s.blocks() {
		text = text[:0]
		for _, v := range block {
			text = binary.LittleEndian.AppendUint32(text, math.Float32bits(v))
		}
		n, err := w.Write(text)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// Matrix returns the flattened snapshots as rows of a new Len×Size matrix. It returns an empty
// matrix for an empty sequence.
func (s Snapshots) Matrix() *mat.Dense {
	n := s.Len()
	if n == 0 {
		return &mat.Dense{}
	}
	values := make([]float64, n*s.size)
	row := make([]float32, s.size)
	for i := range n {
		s.Read(row, i)
		for j, v := range row {
			values[i*s.size+j] = float64(v)
		}
	}
	return mat.NewDense(n, s.size, values)
}

// SameShape reports whether the snapshots of s and t have one shape.
func (s Snapshots) SameShape(t Snapshots) bool { return slices.Equal(s.shape, t.shape) }

// CheckFinite returns [ErrNonFinite], naming the first offending snapshot and value, if a value is
// infinite or not a number.
func (s Snapshots) CheckFinite() error {
	if s.source != nil {
		return s.source.checkFinite(s)
	}
	for i, v := range s.floats {
		if v-v != 0 {
			return nonFinite(i, s.size, v)
		}
	}
	return nil
}

// nonFinite is the error for a value of snapshots of that size.
func nonFinite(i, size int, v float32) error {
	return fmt.Errorf("%w: value %d of snapshot %d is %v", ErrNonFinite, i%size, i/size, v)
}
