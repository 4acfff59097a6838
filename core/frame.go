package core

import (
	"fmt"
	"math"
	"slices"
)

// Frame says how the snapshots of a [Problem] are made of rows, which are observations as they were
// recorded. With it, other rows can become snapshots in the same way, and predictions can become
// rows again. It is immutable, and several goroutines may use it at the same time.
type Frame struct {
	// Shift and Scale have a number for each value of a row: a value v of a row becomes (v − Shift) /
	// Scale in a snapshot. They are finite, and no Scale is 0. Both are nil if values are as they were
	// recorded.
	Shift, Scale []float64
	// Rows is the number of rows that a snapshot has along its first axis, the newest last. Stride is
	// the number of rows from one of them to the next. Both are at least 1.
	Rows, Stride int
	// Names are those of the values of a row; nil if they have none.
	Names []string
}

// Row is the shape of a row, if snapshots have the given shape.
func (f *Frame) Row(snapshot []int) []int {
	row := slices.Clone(snapshot)
	row[0] /= f.Rows
	return row
}

// Past is the number of rows before its own that a snapshot needs.
func (f *Frame) Past() int { return (f.Rows - 1) * f.Stride }

// Snapshots makes snapshots of the rows of a trajectory. There are [Frame.Past] fewer of them than
// rows. They are computed when they are read. The error is [ErrShape] for rows of another size, and
// [ErrTooShort] if there are too few.
func (f *Frame) Snapshots(rows Snapshots) (_ Snapshots, err error) {
	if f.Scale != nil {
		if rows, err = rows.Scaled(f.Shift, f.Scale); err != nil {
			return Snapshots{}, err
		}
	}
	return rows.Delayed(f.Rows, f.Stride)
}

// Newest returns the newest row of each snapshot, in the units of the recording. The error is
// [ErrShape] if snapshots do not fit this frame, and [ErrNonFinite] if a value is outside the range
// of 32-bit numbers.
func (f *Frame) Newest(x Snapshots) (Snapshots, error) {
	if err := f.validate(x.Shape()); err != nil {
		return Snapshots{}, err
	}
	size := x.Size() / f.Rows
	snapshot, values := make([]float32, x.Size()), make([]float32, 0, x.Len()*size)
	for i := range x.Len() {
		x.Read(snapshot, i)
		row := snapshot[len(snapshot)-size:]
		if f.Scale != nil {
			for j, v := range row {
				row[j] = float32(float64(float64(v)*f.Scale[j]) + f.Shift[j]) // never fused: the same bits on all machines
			}
		}
		values = append(values, row...)
	}
	rows, err := NewSnapshots(values, f.Row(x.Shape())...)
	if err == nil {
		err = rows.CheckFinite()
	}
	return rows, err
}

// validate checks the rules of the fields, for snapshots of that shape.
func (f *Frame) validate(shape []int) error {
	if min(f.Rows, f.Stride) < 1 || max(f.Rows, f.Stride) > math.MaxInt32 {
		return fmt.Errorf("a frame of %d rows with a stride of %d; both must be from 1 to %d", f.Rows, f.Stride,
			math.MaxInt32)
	}
	if len(shape) == 0 || shape[0]%f.Rows != 0 {
		return fmt.Errorf("%w: a frame of %d rows, and snapshots of shape %v; the first axis must be a multiple", ErrShape,
			f.Rows, shape)
	}
	size := 1
	for _, n := range f.Row(shape) {
		size *= n
	}
	switch {
	case f.Names != nil && len(f.Names) != size:
		return fmt.Errorf("%w: a frame with %d names for the %d values of a row", ErrShape, len(f.Names), size)
	case f.Shift == nil && f.Scale == nil:
		return nil
	case len(f.Shift) != size || len(f.Scale) != size:
		return fmt.Errorf("%w: a frame of %d shifts and %d scales for the %d values of a row", ErrShape, len(f.Shift),
			len(f.Scale), size)
	}
	for j, scale := range f.Scale {
		if shift := f.Shift[j]; scale == 0 || math.IsInf(scale, 0) || scale != scale || shift-shift != 0 {
			return fmt.Errorf("a frame with the shift %v and the scale %v for value %d; both must be finite, and the scale "+
				"must not be 0",
				shift, scale, j)
		}
	}
	return nil
}

// Validate returns [ErrContract] with the first rule that f breaks, for snapshots of that shape.
func (f *Frame) Validate(snapshot []int) error {
	if err := f.validate(snapshot); err != nil {
		return fmt.Errorf("%w: %w", ErrContract, err)
	}
	return nil
}
